"""The promise a protocol makes, checked on every split before anything trains."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd

from serbench.errors import BrokenPromise
from serbench.protocols.tables import enumerate_some
from serbench.specs import Split


def check_split(table: pd.DataFrame, split: Split, independence: Collection[str], *, protocol: str) -> None:
    """Raise unless the two parts are sound and share nothing of what the protocol promises apart.

    Any promise includes equal audio: a recording on both sides tests what was trained on, whatever
    its name says. A protocol without a promise may have it; the audit then calls it a leak.

    Parameters
    ----------
    table : DataFrame
        Task table.
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
    train, test = _parts(table, split, where)
    for level in sorted(independence):
        for noun, values in LEVELS[level].items():
            _check_level(values(train), values(test), noun, where)
    if independence:
        _check_audio(train, test, where)


LEVELS = {
    "speaker": {"speaker": lambda part: part["speaker"]},
    "text": {"text": lambda part: part["text"]},
    "corpus": {
        "corpus": lambda part: part["corpus"],
        "recording project": lambda part: part["speaker"].str.partition("/")[0],
    },
}


def shared_values(train: pd.Series, test: pd.Series) -> list[str]:
    """Known values that are in both parts, sorted."""
    return sorted((set(train) & set(test)) - {""})


def _parts(table: pd.DataFrame, split: Split, where: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    hint = "the protocol's split function is wrong: nothing was trained"
    for side, ids in (("training", split.train), ("test", split.test)):
        if not ids:
            raise BrokenPromise(f"the {side} part is empty", where=where, hint=hint)
        if len(set(ids)) < len(ids):
            doubled = sorted(name for name, count in zip(*np.unique(ids, return_counts=True), strict=True) if count > 1)
            raise BrokenPromise(f"the {side} part repeats {enumerate_some(doubled)}", where=where, hint=hint)
        if unknown := sorted(set(ids) - set(table["id"])):
            raise BrokenPromise(f"the {side} part names unknown {enumerate_some(unknown)}", where=where, hint=hint)
    if both := sorted(set(split.train) & set(split.test)):
        raise BrokenPromise(f"{len(both)} utterances on both sides: {enumerate_some(both)}", where=where, hint=hint)
    ids = table["id"]
    return table[ids.isin(split.train)], table[ids.isin(split.test)]


def _check_level(train: pd.Series, test: pd.Series, noun: str, where: str) -> None:
    unknown = int((train == "").sum() + (test == "").sum())
    if unknown:
        raise BrokenPromise(
            f"{unknown} utterances have no known {noun}: independence cannot be promised",
            where=where,
            hint=f"give every utterance its {noun}, or use a protocol that promises none",
        )
    if shared := shared_values(train, test):
        raise BrokenPromise(
            f"{len(shared)} {noun} values on both sides: {enumerate_some(shared)}",
            where=where,
            hint="use folds that keep them apart, or the protocol fixed, which promises nothing",
        )


def _check_audio(train: pd.DataFrame, test: pd.DataFrame, where: str) -> None:
    shared = set(shared_values(train["content"], test["content"]))
    if shared:
        offenders = sorted(pd.concat([part.loc[part["content"].isin(shared), "id"] for part in (train, test)]))
        raise BrokenPromise(
            f"{len(shared)} recordings are on both sides under different names: {enumerate_some(offenders)}",
            where=where,
            hint="drop the doubled files (the default treatment of known defects does)",
        )
