"""Corpora from Python."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from serbench.corpora.loading import Corpus, open_corpus
from serbench.registry import Registry, build_registry
from serbench.specs import Circumstances, CorpusSpec


def load_corpus(
    corpus: str | CorpusSpec = "synthetic",
    path: str | os.PathLike | None = None,
    *,
    cache: str | os.PathLike | None = None,
    strict: bool = False,
    registry: Registry | None = None,
    **options: Any,
) -> Corpus:
    """Open a corpus: its table of utterances, and what is missing or wrong.

    Parameters
    ----------
    corpus : str or CorpusSpec
        A name (`serbench corpora` lists them), or a card of your own.
    path : path, optional
        Where it is; unless told, the folder of its name below `SERBENCH_DATA`, else below the user's data folder.
    cache : path, optional
        Folder of what is made once (the index of audio files, the synthetic corpus); unless told, `SERBENCH_CACHE`,
        else the user's cache folder.
    strict : bool
        Refuse a corpus with anything wrong that its card does not declare.
    registry : Registry, optional
        Where to look the name up; the package's own unless told.
    **options
        Those of the corpus, and `defects`: "drop" (default) or "keep" silent, doubled and conflicting utterances.

    Returns
    -------
    Corpus
        `table` is a DataFrame with one row per utterance: id, path, speaker, label, gender, text and more.

    Raises
    ------
    UnknownName
        For a corpus or an option that does not exist.
    CorpusError
        If the corpus is absent or empty, or its table breaks the rules.

    Examples
    --------
    >>> corpus = load_corpus("synthetic")
    >>> corpus.used, corpus.table["speaker"].nunique()
    (336, 8)
    >>> (corpus.table["label"] == "angry").sum().item()
    48
    """
    import platformdirs

    spec = corpus if isinstance(corpus, CorpusSpec) else (registry or build_registry()).get("corpus", corpus)
    data = os.environ.get("SERBENCH_DATA") or platformdirs.user_data_dir("serbench")
    store = cache or os.environ.get("SERBENCH_CACHE") or platformdirs.user_cache_dir("serbench")
    circumstances = Circumstances(
        data=Path(data).expanduser(),
        cache=Path(store).expanduser(),
        results=Path("results"),
        corpus_paths={} if path is None else {spec.name: Path(path)},
        strict=strict,
    )
    return open_corpus(spec, circumstances, options=options)
