"""Folds that someone else prescribed: the shared base of `official` and `fixed`."""

from __future__ import annotations

import pandas as pd

from serbench.errors import ProtocolError
from serbench.protocols.tables import splits_by_fold
from serbench.specs import Split

TRAIN = "train"


def prescribed_splits(table: pd.DataFrame, folds: pd.Series, protocol: str) -> list[Split]:
    """One split per prescribed fold; utterances whose fold is "train" are never tested.

    Parameters
    ----------
    table : DataFrame
        Task table, n rows.
    folds : Series of str, length n
        The fold in which each utterance is tested; "" leaves the utterance out.

    Raises
    ------
    ProtocolError
        If a fold has an empty training or test part.
    """
    listed = (folds != "").to_numpy()
    table, folds = table[listed], folds[listed]
    names = sorted(set(folds) - {TRAIN}, key=_natural)
    if not names:
        raise ProtocolError("no utterance is in a test fold", where=protocol, hint="name the fold of each utterance")
    splits = splits_by_fold(table, folds.astype(str), order=names)
    for split in splits:
        if not split.train:
            raise ProtocolError(
                f"fold {split.fold} has an empty training part: all {len(split.test)} utterances are in its test part",
                where=protocol,
                hint="get the missing part of the corpus, or use another protocol",
            )
    return splits


def _natural(name: str) -> tuple:
    # Fold 10 comes after fold 9, names of other kinds after the numbers.
    return (0, int(name), name) if name.isdigit() else (1, 0, name)
