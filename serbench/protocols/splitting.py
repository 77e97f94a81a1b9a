"""Splitting from Python: any protocol by name, with its promise checked, and splits as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from serbench.containment import contained
from serbench.errors import BrokenPlugin, ProtocolError, UnknownName
from serbench.protocols.promises import check_split
from serbench.protocols.sharing import SharingTable
from serbench.registry import build_registry
from serbench.specs import ProtocolSpec, Split

REQUIRED = ("id", "label")
OPTIONAL = ("speaker", "gender", "text", "official_fold", "content", "nickname")
SPLIT_COLUMNS = ("corpus", "protocol", "seed", "fold", "utterance", "speaker", "role")


def split(table: pd.DataFrame, protocol: str | ProtocolSpec, seed: int = 0, **params: Any) -> list[Split]:
    """Split a table of utterances and check that every fold keeps the protocol's promise.

    Parameters
    ----------
    table : DataFrame
        A task table, or any table with the columns `id` (``corpus/utterance``) and `label`, and those
        that the protocol needs: `speaker`, `text`, `official_fold`; `gender` balances, `content` (a
        hash of the audio) finds doubled recordings, `nickname` (the corpus' name, where it is the user's
        own) is kept out of chance.
    protocol : str or ProtocolSpec
        A name that `serbench list protocols` shows, or a spec of one's own.
    seed : int
    **params
        Parameters of the protocol, such as `k`.

    Returns
    -------
    list of Split
        With `fold`, `train` and `test`: names and ids.

    Raises
    ------
    ProtocolError
        If the table cannot be split this way.
    BrokenPromise
        If a fold shares what the protocol promises apart.
    UnknownName
        For an unknown protocol or parameter.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame(
    ...     {
    ...         "id": [f"demo/{speaker}{label}" for speaker in "abc" for label in ("joy", "anger")],
    ...         "speaker": [speaker for speaker in "abc" for label in ("joy", "anger")],
    ...         "label": ["joy", "anger"] * 3,
    ...     }
    ... )
    >>> [(fold.fold, fold.test) for fold in split(table, "loso")]  # doctest: +NORMALIZE_WHITESPACE
    [('a', ('demo/aanger', 'demo/ajoy')), ('b', ('demo/banger', 'demo/bjoy')),
     ('c', ('demo/canger', 'demo/cjoy'))]
    """
    spec = build_registry().get("protocol", protocol) if isinstance(protocol, str) else protocol
    if unknown := sorted(set(params) - set(spec.params)):
        raise UnknownName.among(f"parameter of protocol {spec.name}", unknown[0], spec.params)
    table = complete(table)
    splits = _split(spec, table, seed, {**spec.params, **params})
    sharing = SharingTable(table)
    for fold in splits:
        check_split(sharing, fold, spec.independence, protocol=spec.name)
    return splits


def _split(spec: ProtocolSpec, table: pd.DataFrame, seed: int, params: dict[str, Any]) -> list[Split]:
    # Protocols can be plug-ins: whatever they raise or return concerns them alone.
    given = ", ".join(f"{name}={value!r}" for name, value in params.items())
    try:
        with contained():
            splits = spec.split(table, seed, **params)
    except ProtocolError:
        raise
    except Exception as error:
        raise BrokenPlugin(f"cannot split: {type(error).__name__}: {error}", where=f"{spec.name}({given})") from error
    known = set(table["id"])
    folds = [fold.fold for fold in splits if isinstance(fold, Split)] if isinstance(splits, (list, tuple)) else []
    problems = {
        "no list of Split": not folds or len(folds) < len(splits),
        "folds without a name of their own": not all(isinstance(name, str) and name for name in folds)
        or len(set(folds)) < len(folds),
        "utterances that the corpus has not": folds and not all(known.issuperset([*s.train, *s.test]) for s in splits),
    }
    for problem, found in problems.items():
        if found:
            raise BrokenPlugin(f"returned {problem}", where=f"{spec.name}({given})", hint="see `serbench check`")
    return list(splits)


def complete(table: pd.DataFrame) -> pd.DataFrame:
    """Add the optional columns of a task table that are absent, as unknown ("").

    Raises
    ------
    ProtocolError
        If `id` or `label` is absent.
    """
    if absent := [name for name in REQUIRED if name not in table]:
        raise ProtocolError(
            f"the table has no column {', '.join(absent)}", hint="utterances need an id (corpus/utterance) and a label"
        )
    ids = table["id"].astype(str).str.partition("/")
    named = {"corpus": ids[0], "utterance": ids[2]}
    added = {name: named.get(name, "") for name in ("corpus", "utterance", *OPTIONAL) if name not in table}
    return table.assign(**added).fillna({name: "" for name in OPTIONAL})


def splits_table(corpus: str, protocol: str, seed: int, splits: Sequence[Split], table: pd.DataFrame) -> pd.DataFrame:
    """Write splits as one row per fold and utterance.

    Parameters
    ----------
    corpus, protocol : str
        As in the cell: merged corpora are joined by `+`.
    table : DataFrame
        Task table.

    Returns
    -------
    DataFrame
        Columns corpus, protocol, seed, fold, utterance (its id, ``corpus/utterance``), speaker and
        role ("train" or "test"). An utterance on neither side of a fold has no row there.
    """
    parts = [(fold.fold, role, getattr(fold, role)) for fold in splits for role in ("train", "test")]
    sizes = [len(ids) for _, _, ids in parts]
    utterances = pd.Series([name for _, _, ids in parts for name in ids], dtype="str")
    speakers = dict(zip(table["id"], table["speaker"], strict=True))
    return pd.DataFrame(
        {
            "corpus": corpus,
            "protocol": protocol,
            "seed": seed,
            "fold": np.repeat([fold for fold, _, _ in parts], sizes),
            "utterance": utterances,
            "speaker": utterances.map(speakers),
            "role": np.repeat([role for _, role, _ in parts], sizes),
        },
        columns=list(SPLIT_COLUMNS),
    )
