"""`serbench corpora verify`: what is wrong with the files of a corpus."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from serbench.cli import options

if TYPE_CHECKING:
    from serbench.circumstances import Circumstances
    from serbench.corpora.findings import Finding
    from serbench.corpora.loading import Corpus
    from serbench.specs import CorpusSpec


def verify(
    name: Annotated[str, typer.Argument(help="Corpus to check; also one of a suite file here.")],
    data: options.Data = None,
    cache: options.Cache = None,
    corpus_path: options.CorpusPath = None,
    plugin: options.Plugin = None,
    full: Annotated[bool, typer.Option("--all", help="Name every file, not the first few of each kind.")] = False,
) -> None:
    """Check the files of a corpus: missing, doubled, conflicting, silent, clipped, undecodable, LFS pointers.

    Recordings that are there twice are found when their samples differ too (MP3, resampled, louder, trimmed, noisy).

    The exit status is 1 if anything is found that the corpus' card does not declare, clipping aside.
    """
    from serbench.runner.planning.own_corpora import registry_with_own

    circumstances = options.circumstances(data=data, cache=cache, corpus_path=corpus_path, plugin=plugin)
    registry = registry_with_own(circumstances.plugins)
    options.refuse_unknown_corpora(corpus_path, lambda: registry.names("corpus"))
    if not verify_and_print(registry.get("corpus", name), circumstances, full):
        raise typer.Exit(1)


def verify_and_print(spec: CorpusSpec, circumstances: Circumstances, full: bool = False) -> bool:
    """Print what is wrong with a corpus' files; whether its card declares all of it, clipping aside."""
    from serbench.corpora.findings import HARMLESS
    from serbench.corpora.loading import inspect_corpus

    corpus, findings = inspect_corpus(spec, circumstances)
    hours = corpus.table["duration"].sum() / 3600
    print(f"{spec.name}: {corpus.count} utterances usable, {hours:.2f} h, {speakers_text(corpus)} speakers")
    if not spec.embedded:
        print(_release(spec, circumstances))
    for finding in findings:
        print(_paragraph(finding, full))
    if not findings:
        print("nothing found")
    named = {name for finding in findings if finding.known for name in finding.utterances}
    for defect in corpus.spec.defects:
        if not any(name in defect for name in named):
            print(f"known of this corpus: {defect}")
    return all(finding.known or finding.kind in HARMLESS for finding in findings)


def _release(spec: CorpusSpec, circumstances: Circumstances) -> str:
    from serbench.corpora.loading import open_corpus
    from serbench.corpora.releases import speaker_fingerprints, which_release

    table = open_corpus(spec, circumstances, options={"defects": "keep"}).table
    speakers = table["speaker"].str.removeprefix(f"{spec.person_prefix}/")
    return which_release(spec.name, speaker_fingerprints(table.assign(speaker=speakers)))


def speakers_text(corpus: Corpus) -> int | str:
    """Number of speakers, or that they are unknown."""
    known = set(corpus.table["speaker"]) - {""}
    return len(known) or "unknown"


def _paragraph(finding: Finding, full: bool, limit: int = 8) -> str:
    declared = " (a known defect)" if finding.known else ""
    count = f" {len(finding.utterances)}" if finding.utterances else ""
    lines = [f"{finding.kind}{count}{declared}: {finding.detail}"]
    shown = finding.utterances if full else finding.utterances[:limit]
    lines += [f"    {name}" for name in shown]
    if len(shown) < len(finding.utterances):
        lines.append(f"    and {len(finding.utterances) - len(shown)} more (--all names them)")
    return "\n".join(lines)
