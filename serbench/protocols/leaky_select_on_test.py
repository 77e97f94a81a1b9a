"""A mistake, for demonstration: the training is stopped, and the epoch chosen, by the score on the test part.

Published systems do this when they hand the test part to early stopping or to a model checkpoint as validation data.
The split is that of `stratified_holdout`, so that the two can be compared.
"""

from __future__ import annotations

import pandas as pd

from serbench.protocols.holdout import draw_holdout
from serbench.specs import EPOCH_ON_TEST, ProtocolSpec, Split


def split(table: pd.DataFrame, seed: int, *, test_size: float = 0.2) -> list[Split]:
    """Draw `test_size` of each class as the test part."""
    return draw_holdout(table, seed, test_size, "leaky_select_on_test")


LEAKY_SELECT_ON_TEST = ProtocolSpec(
    name="leaky_select_on_test",
    version="1",
    split=split,
    params={"test_size": 0.2},
    mistake=EPOCH_ON_TEST,
    description="WRONG on purpose: the epoch is chosen on the test part; for models with early stopping only",
)
