"""`serbench init`: a first suite over a user's own folder or table of audio files."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from serbench.cli import options
from serbench.errors import UsageError

if TYPE_CHECKING:
    from serbench.corpora.foreign.reading import Foreign
    from serbench.corpora.loading import Corpus
    from serbench.registry import Registry


def init(
    source: Annotated[Path, typer.Argument(metavar="FOLDER|MANIFEST", help="Audio files, or a table that lists them.")],
    name: Annotated[str | None, typer.Option("--name", help="What to call the corpus [after the folder].")] = None,
    layout: Annotated[
        str | None,
        typer.Option("--layout", help="What the paths say, such as '{speaker}/{label}_*' [looked at]."),
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Suite file to write [NAME.yaml].")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file.")] = False,
    cache: options.Cache = None,
) -> None:
    """Look at your own audio files and write a suite: which part of the names is the emotion, which the speaker.

    Nothing is moved or copied. Where the corpus is goes into configs/local.yaml.
    """
    from serbench.circumstances import remember_corpus
    from serbench.corpora.foreign.reading import known_corpus, read_foreign
    from serbench.records import atomic_path
    from serbench.registry import build_registry

    root, registry = source.expanduser().absolute(), build_registry()
    if not (name or layout) and (known := known_corpus(root, registry)):
        _tell_known(known, root)
        return
    foreign = read_foreign(root, layout or "")
    name = name or _name_for(source, registry)
    corpus = _opened(foreign, name, registry, cache)
    file = output or Path(f"{name}.yaml")
    if file.exists() and not force:
        raise UsageError(f"{file} is there already", where="--output", hint="name another file, or say --force")
    with atomic_path(file) as temporary:
        temporary.write_text(_draft(foreign, corpus), encoding="utf-8")
    _tell(file, foreign, corpus)
    suite = name if file == Path(f"{name}.yaml") else shlex.quote(str(file))
    _next((f"corpora verify {name}", f"run {suite}", f"report {suite}"), name, foreign.root, remember_corpus)


def _name_for(source: Path, registry: Registry) -> str:
    from serbench.runner.suite.file import suite_names

    name = re.sub(r"[^\w-]+", "_", source.absolute().stem).strip("_-").lower() or "mine"
    return f"my_{name}" if name in {*registry.names("corpus"), *suite_names()} else name


def _opened(foreign: Foreign, name: str, registry: Registry, cache: Path | None) -> Corpus:
    from serbench.corpora.loading import open_corpus
    from serbench.runner.planning.task import corpus_spec
    from serbench.runner.suite.schema import CorpusEntry

    print(f"looking at the files of {foreign.root} …", file=sys.stderr)
    around = options.circumstances(cache=cache, corpus_path=[f"{name}={foreign.root}"])
    spec = corpus_spec(CorpusEntry(name=name, adapter=foreign.adapter), registry)
    return open_corpus(spec, around, options=foreign.options)


def _draft(foreign: Foreign, corpus: Corpus) -> str:
    from serbench.runner.suite.draft import Draft

    return Draft(
        name=corpus.spec.name,
        source=str(foreign.root),
        adapter=foreign.adapter,
        options=foreign.options,
        labels=_labels(corpus),
        speakers=len(_speakers(corpus)),
        others=foreign.others,
    ).text()


def _labels(corpus: Corpus) -> dict[str, int]:
    counts = corpus.table["label"].value_counts()
    return {label: int(counts[label]) for label in corpus.spec.labels}


def _speakers(corpus: Corpus) -> list[str]:
    return sorted({speaker.partition("/")[2] for speaker in corpus.table["speaker"]} - {""})


def _tell(file: Path, foreign: Foreign, corpus: Corpus) -> None:
    labels = ", ".join(f"{label} {count}" for label, count in _labels(corpus).items())
    speakers, hours = _speakers(corpus), corpus.table["duration"].sum() / 3600
    read = foreign.options.get("layout") or ", ".join(
        f"{field} from column {column}" for field, column in foreign.options.get("columns", {}).items()
    )
    print(f"{file}: {corpus.used} utterances, {hours:.2f} h")
    if read:
        print(f"  read as   {read}")
    print(f"  labels    {labels}")
    shown = ", ".join(speakers[:8]) + (" …" if len(speakers) > 8 else "")
    print(f"  speakers  {f'{len(speakers)} ({shown})' if speakers else 'unknown'}")
    for finding in corpus.findings:
        examples = ", ".join(finding.utterances[:3])
        print(f"  note      {finding.kind} {len(finding.utterances)}: {examples}: {finding.detail}")
    if not speakers:
        print(
            "  warning   without speakers no split can keep them apart: every score will be too good. If the names or"
            f"\n            a table tell them, write a layout with {{speaker}} into {file}"
        )
        for line in foreign.others:
            print(f"            {line}")
    again = ", or call `serbench init` again with --layout" if foreign.adapter == "folder" else ""
    print(f"Is that right? If not, correct the file{again}.")


def _tell_known(name: str, root: Path) -> None:
    from serbench.circumstances import remember_corpus
    from serbench.runner.suite.file import load_suite, suite_names

    print(f"{root} holds {name}, which serbench knows: no suite needs to be written.")
    print("If it is another corpus after all, call `serbench init` again with --name.")
    with_it = [
        suite for suite in map(load_suite, suite_names()) if [name] in [_names(entry) for entry in suite.corpora]
    ]
    suites = sorted(with_it, key=lambda suite: len(suite.corpora))
    ran = [f"{verb} {suites[0].name}" for verb in ("run", "report")] if suites else []
    _next((f"corpora verify {name}", *ran), name, root, remember_corpus)


def _names(entry) -> list[str]:
    return [item.name for item in entry]


def _next(commands: tuple[str, ...], name: str, root: Path, remember) -> None:
    kept = remember(name, root)
    if kept:
        print(f"\n{kept} says where the corpus is. Next:")
    else:
        print("\nNext:")
    where = "" if kept else f" --corpus-path {shlex.quote(f'{name}={root}')}"
    for command in commands:
        print(f"  serbench {command}{where}")
