"""A mistake, for demonstration: augmented copies are made first, then originals and copies are split at random.

Copies of an utterance then train the model that is tested on it, and copies are tested too. Published systems do this
when they augment a folder of files and split the enlarged folder.
"""

from __future__ import annotations

import pandas as pd

from serbench.protocols.holdout import draw_holdout
from serbench.specs import Mistake, ProtocolSpec, Split


def split(table: pd.DataFrame, seed: int, *, test_size: float = 0.2) -> list[Split]:
    """Draw `test_size` of each class as the test part; the table holds originals and copies."""
    return draw_holdout(table, seed, test_size, "leaky_augment_before_split")


LEAKY_AUGMENT_BEFORE_SPLIT = ProtocolSpec(
    name="leaky_augment_before_split",
    version="1",
    split=split,
    params={"test_size": 0.2},
    mistake=Mistake("augmented before the split", "copies before split", splits_copies=True),
    description="WRONG on purpose: originals and augmented copies are split together; for augmented rows only",
)
