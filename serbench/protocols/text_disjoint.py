"""Folds of whole sentences: no sentence is on both sides, speakers are."""

from __future__ import annotations

import numpy as np
import pandas as pd

from serbench.identity import seed_for
from serbench.protocols.balanced_folds import assign_groups
from serbench.protocols.tables import linked_groups, need_folds, need_groups, need_known, prepare, splits_by_fold
from serbench.specs import ProtocolSpec, Split


def split(table: pd.DataFrame, seed: int, *, k: int = 5) -> list[Split]:
    """Assign whole sentences to k folds; sentences filed with equal audio stay together.

    Raises
    ------
    ProtocolError
        If a sentence is unknown, or there are fewer sentences than folds.
    """
    name = "text_disjoint"
    k = need_folds(k, name)
    table = prepare(table, name)
    need_known(table, "text", name, "give every utterance its text, or use another protocol")
    groups = linked_groups(table, "text")
    count = len(set(groups))
    need_groups(count, k, "sentence", name, f"choose k of at most {count}" if count > 1 else "use another protocol")
    return splits_by_fold(table, assign_groups(table, groups, np.full(k, 1 / k), seed_for(seed, name)) + 1)


TEXT_DISJOINT = ProtocolSpec(
    name="text_disjoint",
    version="1",
    split=split,
    independence=frozenset({"text"}),
    params={"k": 5},
    description="k folds of whole sentences: none is on both sides, speakers are",
)
