"""What was probably meant where a name or a folder is not what was asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from serbench.errors import SerbenchError, UnknownName, UsageError


def instead(error: SerbenchError) -> SerbenchError:
    """The same error, or a better one where an unknown name is one of another kind.

    Examples
    --------
    >>> print(instead(UnknownName.among("corpus", "demo", ["emodb", "synthetic"])))
    'demo' is a suite, not a corpus
      -> its corpora: synthetic
    """
    if isinstance(error, UnknownName) and error.kind in _OTHER_KINDS:
        for what, hint in _OTHER_KINDS[error.kind](error.name):
            return UsageError(f"'{error.name}' is a {what}, not a {error.kind}", where=error.where, hint=hint)
    return error


def _not_a_corpus(name: str) -> Iterator[tuple[str, str]]:
    if corpora := _corpora_of_suite(name):
        yield "suite", f"its corpora: {', '.join(corpora)}"


def _not_a_suite(name: str) -> Iterator[tuple[str, str]]:
    from serbench.registry import build_registry

    if name in build_registry().names("corpus"):
        yield "corpus", f"suites over it: {', '.join(_suites_with(name)) or 'none (`serbench list suites`)'}"


def _not_a_verb(name: str) -> Iterator[tuple[str, str]]:
    if _corpora_of_suite(name):
        yield "suite", f"`serbench run {name}` runs it, `serbench leaderboard {name}` shows its results"


_OTHER_KINDS: Mapping[str, Callable[[str], Iterator[tuple[str, str]]]] = {
    "corpus": _not_a_corpus,
    "suite": _not_a_suite,
    "suite with results": _not_a_suite,
    "verb": _not_a_verb,
}


def _corpora_of_suite(name: str) -> list[str]:
    from serbench.runner.suite.file import load_suite

    try:
        return list(dict.fromkeys(item.name for entry in load_suite(name).corpora for item in entry))
    except SerbenchError:
        return []


def _suites_with(corpus: str) -> list[str]:
    from serbench.runner.suite.file import suite_names

    return [name for name in suite_names() if corpus in _corpora_of_suite(name)]


def corpus_itself(data: Path, lacking: Sequence[str]) -> str:
    """What to say where the folder of all corpora (`--data`) is that of one of the lacking ones; else empty."""
    from serbench.corpora.files import find_audio
    from serbench.corpora.identification import identify_corpus
    from serbench.registry import build_registry

    if not data.is_dir():
        return ""
    if (name := data.absolute().name) in lacking:
        return f"{data} looks like the corpus {name} itself: give the folder above it, --data {data.absolute().parent}"
    if any((data / known).is_dir() for known in build_registry().names("corpus")) or not find_audio(data):
        return ""
    found = identify_corpus(data)
    if found in lacking:
        return f"{data} looks like the corpus {found} itself: --corpus-path {found}={data}"
    return f"if {data} is the corpus {lacking[0]} itself: --corpus-path {lacking[0]}={data}" if not lacking[1:] else ""
