"""The user's own corpora, which suite files describe: known by name to every verb that takes a corpus."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from serbench.circumstances import Circumstances
from serbench.errors import CorpusError, SerbenchError
from serbench.registry import Origin, Registry, build_registry
from serbench.runner.planning.task import corpus_spec
from serbench.runner.suite.file import load_suite
from serbench.runner.suite.schema import CorpusEntry, Suite
from serbench.specs import CorpusSpec

# Where a user keeps suites: the working folder, and the one that suites are looked up in first.
FOLDERS = (Path(), Path("benchmarks"))


def registry_with_own(plugins: Iterable[Path] = ()) -> Registry:
    """The registry, with the corpora that the suite files of the working folder describe.

    One that two files describe differently is there too, and raises when it is opened.
    """
    registry = build_registry(plugins)
    known = set(registry.names("corpus"))
    found: dict[str, dict[str, CorpusSpec]] = {}
    for path, entry in _entries():
        if entry.name in known:
            continue
        try:
            found.setdefault(entry.name, {})[str(path)] = described(entry, registry)
        except SerbenchError:
            continue  # its adapter is in a plug-in that is not given now
    for name, by_file in found.items():
        spec = next(iter(by_file.values()))
        if any(other != spec for other in by_file.values()):
            spec = replace(spec, options={}, load=partial(_refuse, name, tuple(by_file)))
        registry.add(spec, Origin(", ".join(by_file)))
    return registry


def corpora_of(suite: Suite, registry: Registry) -> dict[str, CorpusSpec]:
    """Cards of the corpora that only this suite describes, by name."""
    entries = [item for entry in suite.corpora for item in entry if item.adapter is not None]
    return {item.name: described(item, registry) for item in entries}


def suite_corpora(name: str, around: Circumstances) -> tuple[str, dict[str, CorpusSpec]]:
    """Name under which a suite's results lie, and the cards of the corpora that suite files describe.

    Parameters
    ----------
    name : str
        Name or file of a suite; one without a file (any more) has those of the working folder's suites.
    """
    own = {spec.name: spec for spec in registry_with_own(around.plugins).all("corpus") if spec.user_named}
    given = name.endswith((".yaml", ".yml"))
    try:
        suite = load_suite(name)
    except SerbenchError:
        if given:
            raise
        return name, own
    return suite.name if given else name, {**own, **corpora_of(suite, build_registry(around.plugins))}


def described(entry: CorpusEntry, registry: Registry) -> CorpusSpec:
    """The card of a suite's corpus, to be opened without further options: the suite's are its defaults."""
    spec = corpus_spec(entry, registry)
    return replace(spec, options={**spec.options, **entry.options})


def _entries() -> Iterator[tuple[Path, CorpusEntry]]:
    for path in sorted(path for folder in FOLDERS for path in folder.glob("*.y*ml")):
        try:
            # Other programs' files lie about in a working folder, too.
            suite = load_suite(str(path)) if b"adapter" in path.read_bytes() else None
        except (SerbenchError, OSError):
            continue
        for entry in suite.corpora if suite else ():
            yield from ((path, item) for item in entry if item.adapter is not None)


def _refuse(name: str, files: tuple[str, ...], *_: object, **__: object) -> None:
    raise CorpusError(
        f"'{name}' is described differently in {' and '.join(files)}",
        hint="give it another name in one of them, or work in a folder that has one of them only",
    )
