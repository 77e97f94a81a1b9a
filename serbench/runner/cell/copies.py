"""Augmented copies in a task table: rows of their own that carry their parent's id and follow it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from serbench.features.augmentation import Alteration
from serbench.protocols.sharing import PARENT


def alterations(augment: Mapping[str, Any]) -> list[Alteration]:
    """One alteration for each copy that `Cell.augment` asks for; none where it is empty."""
    changes = {name: value for name, value in augment.items() if name != "copies"}
    return [Alteration(changes, copy) for copy in range(1, augment.get("copies", 0) + 1)]


def are_originals(table: pd.DataFrame) -> np.ndarray:
    """Whether each row is an utterance as it was spoken (n,), and no copy of one."""
    return (table["id"] == table[PARENT]).to_numpy() if PARENT in table else np.ones(len(table), dtype=bool)


def followed_by_copies(table: pd.DataFrame, rows: np.ndarray) -> np.ndarray:
    """Positions of some originals and of all their copies, where the table has any."""
    if PARENT not in table:
        return rows
    parents = table[PARENT].to_numpy()
    return np.flatnonzero(np.isin(parents, parents[rows]))


def with_permuted_labels(table: pd.DataFrame, train: np.ndarray, test: np.ndarray, seed: int) -> pd.DataFrame:
    """The table with the labels of the training rows permuted among them; copies carry their parent's new label.

    Test rows keep theirs, also those that a mistake has made of copies of training rows.
    """
    own = table["label"].to_numpy(dtype=object)
    labels = own.copy()
    labels[train] = np.random.default_rng(seed).permutation(labels[train])
    if PARENT in table:
        new = dict(zip(table["id"].to_numpy()[train], labels[train], strict=True))
        labels = np.array([new.get(parent, label) for parent, label in zip(table[PARENT], labels, strict=True)])
        labels[test] = own[test]
    return table.assign(label=labels)
