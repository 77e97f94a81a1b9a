"""Folds of whole speakers, balanced in labels and gender: the speakers tested are unseen in training."""

from __future__ import annotations

import numpy as np
import pandas as pd

from serbench.identity import seed_for
from serbench.protocols.balanced_folds import assign_groups
from serbench.protocols.tables import linked_groups, need_folds, need_groups, need_known, prepare, splits_by_fold
from serbench.specs import EPOCH_ON_TEST, ProtocolSpec, Split


def split(table: pd.DataFrame, seed: int, *, k: int = 5) -> list[Split]:
    """Assign whole speakers to k folds; speakers filed with equal audio stay together.

    Raises
    ------
    ProtocolError
        If a speaker is unknown, or there are fewer speakers than folds.
    """
    name = "speaker_kfold"
    k = need_folds(k, name)
    table = prepare(table, name)
    need_known(table, "speaker", name, "give every utterance its speaker, or use a protocol that promises none")
    groups = linked_groups(table, "speaker")
    count = len(set(groups))
    need_groups(
        count, k, "speaker", name, f"choose k of at most {count}" if count > 1 else "only random protocols are possible"
    )
    return splits_by_fold(table, assign_groups(table, groups, np.full(k, 1 / k), seed_for(seed, name)) + 1)


SPEAKER_KFOLD = ProtocolSpec(
    name="speaker_kfold",
    version="1",
    split=split,
    independence=frozenset({"speaker"}),
    params={"k": 5},
    description="k folds of whole speakers, balanced in labels and gender",
)

LEAKY_SELECT_ON_TEST_SPEAKER_KFOLD = ProtocolSpec(
    name="leaky_select_on_test_speaker_kfold",
    version="1",
    split=split,
    params={"k": 5},
    mistake=EPOCH_ON_TEST,
    description="WRONG on purpose: the folds of speaker_kfold, the epoch of each chosen on its test speakers",
)
