"""What every protocol does to a task table: check it, find its groups, turn assigned folds into splits."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from numbers import Real

import numpy as np
import pandas as pd

from serbench.errors import ProtocolError
from serbench.specs import Split

EXAMPLES = 5


def prepare(table: pd.DataFrame, protocol: str) -> pd.DataFrame:
    """Return the table in the order of its ids, once it can be split at all.

    Raises
    ------
    ProtocolError
        If it is empty, names an utterance twice, or holds fewer than two classes.
    """
    if table.empty:
        raise ProtocolError("the table holds no utterance", where=protocol, hint="check the label map and the filters")
    ids = table["id"]
    if doubled := sorted(set(ids[ids.duplicated()])):
        raise ProtocolError(
            f"utterance ids appear twice: {enumerate_some(doubled)}", where=protocol, hint="give each utterance one id"
        )
    labels = sorted(set(table["label"]))
    if len(labels) < 2:
        raise ProtocolError(
            f"all {len(table)} utterances have the label '{labels[0]}'",
            where=protocol,
            hint="a classifier needs two classes: check the corpus and its label map",
        )
    return table.sort_values("id", kind="stable", ignore_index=True)


def need_known(table: pd.DataFrame, column: str, protocol: str, hint: str) -> None:
    """Raise a `ProtocolError` that counts the utterances whose `column` is unknown ("")."""
    unknown = table.loc[table[column].to_numpy() == "", "id"]
    if len(unknown):
        raise ProtocolError(
            f"{len(unknown)} of {len(table)} utterances have no {column}: {enumerate_some(unknown)}",
            where=protocol,
            hint=hint,
        )


def need_groups(count: int, required: int, noun: str, protocol: str, hint: str) -> None:
    """Raise a `ProtocolError` if there are fewer groups (speakers, sentences) than required."""
    if count < required:
        plural = "s" if count != 1 else ""
        raise ProtocolError(f"{count} {noun}{plural}, {required} needed", where=protocol, hint=hint)


def need_folds(k: int, protocol: str) -> int:
    """Return the number of folds as int; fewer than two raise."""
    if not isinstance(k, Real) or isinstance(k, bool) or not k >= 2 or k == math.inf or int(k) != k:
        raise ProtocolError(f"k is {k!r}", where=protocol, hint="k is a whole number, at least 2")
    return int(k)


def linked_groups(table: pd.DataFrame, column: str) -> np.ndarray:
    """Name the smallest groups that keep both a `column` value and equal audio on one side.

    Usually these are the values themselves. Where byte-equal audio is filed under two speakers (or
    two sentences), a split between them would put the same recording on both sides, so the two
    values become one group, named by the first.

    Parameters
    ----------
    table : DataFrame
        Task table, n rows.
    column : {"speaker", "text"}

    Returns
    -------
    ndarray of str, shape (n,)
    """
    values = table[column].astype(str)
    parent = {value: value for value in values.unique()}

    def root(value: str) -> str:
        while parent[value] != value:
            value = parent[value]
        return value

    for group in equal_audio(table):
        first, *others = sorted({root(value) for value in values.iloc[group]})
        for other in others:
            parent[other] = first
    return values.map({value: root(value) for value in parent}).to_numpy(dtype=object)


def equal_audio(table: pd.DataFrame) -> list[np.ndarray]:
    """Positions of utterances with equal decoded audio, one array per group of two or more."""
    content = table["content"].to_numpy()
    doubled = pd.Series(content).duplicated(keep=False).to_numpy() & (content != "")
    positions = pd.Series(np.flatnonzero(doubled))
    return [group.to_numpy() for _, group in positions.groupby(content[doubled])]


def splits_by_fold(table: pd.DataFrame, fold_of: Sequence, order: Iterable | None = None) -> list[Split]:
    """One split per fold: its utterances are the test part, all others train.

    Parameters
    ----------
    table : DataFrame
        Task table, n rows.
    fold_of : sequence, length n
        The fold in which each utterance is tested.
    order : iterable, optional
        Order of the folds; by default they are sorted.
    """
    ids, fold_of = table["id"].to_numpy(), np.asarray(fold_of)
    folds = sorted(set(fold_of.tolist())) if order is None else order
    return [Split(str(fold), tuple(ids[fold_of != fold]), tuple(ids[fold_of == fold])) for fold in folds]


def enumerate_some(names: Iterable, most: int = EXAMPLES) -> str:
    """The first few names, and how many more there are."""
    names = list(names)
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(map(str, names[:most])) + rest
