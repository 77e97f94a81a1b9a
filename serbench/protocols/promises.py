"""The promise a protocol makes, checked on every split before anything trains."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd

from serbench.errors import BrokenPromise
from serbench.protocols.sharing import PROJECT, SharingTable
from serbench.protocols.tables import enumerate_some
from serbench.specs import Split

LEVELS = {"speaker": ("speaker",), "text": ("text",), "corpus": ("corpus", PROJECT)}


def check_split(
    table: pd.DataFrame | SharingTable, split: Split, independence: Collection[str], *, protocol: str
) -> None:
    """Raise unless the two parts are sound and share nothing of what the protocol promises apart.

    Any promise includes equal audio: a recording on both sides tests what was trained on, whatever
    its name says. A protocol without a promise may have it; the audit then calls it a leak.

    Parameters
    ----------
    table : DataFrame or SharingTable
        Task table; a `SharingTable` of it is faster for many folds.
    independence : collection of {"speaker", "text", "corpus"}
        "corpus" covers corpora and recording projects.
    protocol : str
        Its name, for the message.

    Raises
    ------
    BrokenPromise
        Naming the offenders: an empty part, unknown or repeated ids, an id on both sides, what is
        shared, or an utterance of which the promised thing is unknown.
    """
    where = f"{protocol}, fold {split.fold}"
    table = SharingTable.of(table)
    train, test = _sound_parts(table, split, where)
    for level in sorted(independence):
        for column in LEVELS[level]:
            _check_column(table, column, train, test, where)
    if independence:
        _check_audio(table, train, test, where)


def _sound_parts(table: SharingTable, split: Split, where: str) -> tuple[np.ndarray, np.ndarray]:
    hint = "the protocol's split function is wrong: nothing was trained"
    sides = []
    for side, ids in (("training", split.train), ("test", split.test)):
        if not ids:
            raise BrokenPromise(f"the {side} part is empty", where=where, hint=hint)
        if unknown := table.absent(ids):
            raise BrokenPromise(f"the {side} part names unknown {enumerate_some(unknown)}", where=where, hint=hint)
        positions = table.positions(ids)
        found, counts = np.unique(positions, return_counts=True)
        if (counts > 1).any():
            doubled = sorted(table.ids(found[counts > 1]))
            raise BrokenPromise(f"the {side} part repeats {enumerate_some(doubled)}", where=where, hint=hint)
        sides.append(positions)
    if len(both := np.intersect1d(*sides, assume_unique=True)):
        named = enumerate_some(sorted(table.ids(both)))
        raise BrokenPromise(f"{len(both)} utterances on both sides: {named}", where=where, hint=hint)
    return sides[0], sides[1]


def _check_column(table: SharingTable, column: str, train: np.ndarray, test: np.ndarray, where: str) -> None:
    if unknown := table.unknown(column, train) + table.unknown(column, test):
        raise BrokenPromise(
            f"{unknown} utterances have no known {column}: independence cannot be promised",
            where=where,
            hint=f"give every utterance its {column}, or use a protocol that promises none",
        )
    if shared := table.shared(column, train, test):
        raise BrokenPromise(
            f"{len(shared)} {column} values on both sides: {enumerate_some(shared)}",
            where=where,
            hint="use folds that keep them apart, or the protocol fixed, which promises nothing",
        )


def _check_audio(table: SharingTable, train: np.ndarray, test: np.ndarray, where: str) -> None:
    if shared := table.shared("content", train, test):
        offenders = sorted(name for part in (train, test) for name in table.ids(table.having("content", shared, part)))
        raise BrokenPromise(
            f"{len(shared)} recordings are on both sides under different names: {enumerate_some(offenders)}",
            where=where,
            hint="drop the doubled files (the default treatment of known defects does)",
        )
