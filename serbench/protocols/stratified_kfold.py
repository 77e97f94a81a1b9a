"""Random folds with equal class shares: speakers, sentences and takes are on both sides."""

from __future__ import annotations

import pandas as pd

from serbench.errors import ProtocolError
from serbench.identity import seed_for
from serbench.protocols.balanced_folds import assign_stratified
from serbench.protocols.tables import need_folds, prepare, splits_by_fold
from serbench.specs import EPOCH_ON_TEST, ProtocolSpec, Split


def split(table: pd.DataFrame, seed: int, *, k: int = 5) -> list[Split]:
    """Assign the utterances of each class to k folds.

    Raises
    ------
    ProtocolError
        If a class has fewer utterances than there are folds.
    """
    name = "stratified_kfold"
    k = need_folds(k, name)
    table = prepare(table, name)
    counts = table["label"].value_counts().sort_index()
    for label, count in counts[counts < k].items():
        raise ProtocolError(
            f"class '{label}' has {count} utterances, fewer than the {k} folds",
            where=name,
            hint=f"drop or merge '{label}' in the suite, or choose k of at most {counts.min()}"
            if counts.min() > 1
            else f"drop or merge '{label}' in the suite",
        )
    return splits_by_fold(table, assign_stratified(table, k, seed_for(seed, name)) + 1)


STRATIFIED_KFOLD = ProtocolSpec(
    name="stratified_kfold",
    version="1",
    split=split,
    params={"k": 5},
    description="k random folds with equal class shares; speakers are on both sides",
)

LEAKY_SELECT_ON_TEST_KFOLD = ProtocolSpec(
    name="leaky_select_on_test_kfold",
    version="1",
    split=split,
    params={"k": 5},
    mistake=EPOCH_ON_TEST,
    description="WRONG on purpose: the folds of stratified_kfold, the epoch of each chosen on its test part",
)
