"""Whether a corpus is there, where it is looked for, and how an absent one is got."""

from __future__ import annotations

from collections.abc import Sequence

from serbench.circumstances import Circumstances
from serbench.corpora.audio import SUFFIXES
from serbench.corpora.download.status import is_unfinished
from serbench.corpora.files import files_below
from serbench.errors import CorpusError
from serbench.registry import Registry
from serbench.specs import CorpusSpec

MANIFEST_SUFFIXES = frozenset({".csv", ".tsv", ".parquet"})


def corpus_present(spec: CorpusSpec, circumstances: Circumstances) -> bool:
    """Whether there is anything to open: an audio file below the corpus' folder, or a manifest."""
    if spec.embedded:
        return True
    root = circumstances.corpus_root(spec.name)
    if root.is_file():
        return True
    suffixes = SUFFIXES | MANIFEST_SUFFIXES
    return any(path.suffix.lower() in suffixes for path in files_below(root))


def absent_error(spec: CorpusSpec, circumstances: Circumstances) -> CorpusError:
    """Say that a corpus is not there and how to get it."""
    half = "; a download of it was begun and goes on" if is_unfinished(circumstances.corpus_root(spec.name)) else ""
    get = f"`serbench corpora get {spec.name}` gets it ({spec.homepage}){half}" if spec.obtainable else "put it there"
    return CorpusError(
        f"corpus '{spec.name}' is not here",
        where=where_it_is(spec, circumstances),
        hint=f"{get}; or name its place with --data DIR or --corpus-path {spec.name}=DIR",
    )


def how_to_get(names: Sequence[str], registry: Registry) -> str:
    """Say how absent corpora are got; a user's own cannot be."""
    cards = {spec.name: spec for spec in registry.all("corpus")}
    published = [name for name in names if name in cards and cards[name].obtainable]
    return f"`serbench corpora get {' '.join(published)}`" if published else "`serbench corpora` lists what is there"


def where_it_is(spec: CorpusSpec, circumstances: Circumstances) -> str:
    """The folder or manifest of a corpus, also where it is not there."""
    root = circumstances.cache / spec.name if spec.embedded else circumstances.corpus_root(spec.name)
    return str(root.expanduser().absolute())
