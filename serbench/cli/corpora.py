"""`serbench corpora`: which corpora are here, what is wrong with their files, and getting those that are absent."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from serbench.cli import options
from serbench.cli.console import show
from serbench.cli.corpora_get import get
from serbench.cli.hints import corpus_itself
from serbench.cli.verbs import Verbs

if TYPE_CHECKING:
    from serbench.circumstances import Circumstances
    from serbench.corpora.findings import Finding
    from serbench.corpora.loading import Corpus
    from serbench.specs import CorpusSpec

app = typer.Typer(
    cls=Verbs, help="List the corpora, get them, or verify the files of one.", invoke_without_command=True
)


app.command("get")(get)


@app.callback()
def corpora(
    context: typer.Context,
    data: options.Data = None,
    cache: options.Cache = None,
    corpus_path: options.CorpusPath = None,
    plugin: options.Plugin = None,
) -> None:
    """List all corpora: present, partial, or absent with where to get them."""
    if not context.invoked_subcommand:
        list_corpora(data, cache, corpus_path, plugin)


@app.command("list")
def list_corpora(
    data: options.Data = None,
    cache: options.Cache = None,
    corpus_path: options.CorpusPath = None,
    plugin: options.Plugin = None,
) -> None:
    """List all corpora, as without a verb."""
    from serbench.reporting.text_tables import to_terminal
    from serbench.runner.planning.own_corpora import registry_with_own

    circumstances = options.circumstances(data=data, cache=cache, corpus_path=corpus_path, plugin=plugin)
    registry = registry_with_own(circumstances.plugins)
    options.refuse_unknown_corpora(corpus_path, registry.names("corpus"))
    found = [(spec, _row(spec, circumstances)) for spec in registry.all("corpus")]
    columns, words = ("corpus", "state", "utterances", "hours", "speakers", "labels"), ("corpus", "state", "labels")
    show(to_terminal(columns, [row for _, row in found if row], words=words, pad_edge=False))
    absent = [spec for spec, row in found if row is None]
    if absent:
        print(f"\nabsent from {circumstances.data.absolute()}:")
        if itself := corpus_itself(circumstances.data, [spec.name for spec in absent]):
            print(f"  ({itself})")
    for spec in absent:
        print(f"  {spec.name}: {_source(spec)}")


@app.command("verify")
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
    options.refuse_unknown_corpora(corpus_path, registry.names("corpus"))
    if not verify_and_print(registry.get("corpus", name), circumstances, full):
        raise typer.Exit(1)


def verify_and_print(spec: CorpusSpec, circumstances: Circumstances, full: bool = False) -> bool:
    """Print what is wrong with a corpus' files; whether its card declares all of it, clipping aside."""
    from serbench.corpora.findings import HARMLESS
    from serbench.corpora.loading import inspect_corpus

    corpus, findings = inspect_corpus(spec, circumstances)
    hours = corpus.table["duration"].sum() / 3600
    print(f"{spec.name}: {corpus.count} utterances usable, {hours:.2f} h, {_speakers(corpus)} speakers")
    if not spec.embedded:
        print(_release(spec, circumstances))
    for finding in findings:
        print(_paragraph(finding, full))
    if not findings:
        print("nothing found")
    return all(finding.known or finding.kind in HARMLESS for finding in findings)


def _row(spec: CorpusSpec, circumstances: Circumstances) -> tuple | None:
    from serbench.corpora.loading import corpus_present, open_corpus
    from serbench.errors import CorpusError

    if not corpus_present(spec, circumstances):
        return None
    try:
        corpus = open_corpus(spec, circumstances)
    except CorpusError as error:
        return (spec.name, f"unusable: {error.what}", "", "", "", "")
    counts = Counter(corpus.table["label"])
    labels = " ".join(f"{label}:{counts[label]}" for label in corpus.spec.labels if counts[label])
    state = "partial" if corpus.partial else "present"
    hours = corpus.table["duration"].sum() / 3600
    return (spec.name, state, corpus.count, f"{hours:.2f}", _speakers(corpus), labels)


def _release(spec: CorpusSpec, circumstances: Circumstances) -> str:
    from serbench.corpora.loading import open_corpus
    from serbench.corpora.releases import speaker_fingerprints, which_release

    table = open_corpus(spec, circumstances, options={"defects": "keep"}).table
    speakers = table["speaker"].str.removeprefix(f"{spec.person_prefix}/")
    return which_release(spec.name, speaker_fingerprints(table.assign(speaker=speakers)))


def _speakers(corpus: Corpus) -> int | str:
    known = set(corpus.table["speaker"]) - {""}
    return len(known) or "unknown"


def _source(spec: CorpusSpec) -> str:
    if not spec.homepage:
        return f"your own data: --corpus-path {spec.name}=PATH"
    size = f"{spec.utterances} utterances, " if spec.utterances else ""
    return f"serbench corpora get {spec.name} ({size}{spec.licence}; {spec.homepage}), or --corpus-path {spec.name}=DIR"


def _paragraph(finding: Finding, full: bool, limit: int = 8) -> str:
    declared = " (a known defect)" if finding.known else ""
    count = f" {len(finding.utterances)}" if finding.utterances else ""
    lines = [f"{finding.kind}{count}{declared}: {finding.detail}"]
    shown = finding.utterances if full else finding.utterances[:limit]
    lines += [f"    {name}" for name in shown]
    if len(shown) < len(finding.utterances):
        lines.append(f"    and {len(finding.utterances) - len(shown)} more (--all names them)")
    return "\n".join(lines)
