"""One random split with equal class shares: speakers, sentences and takes are on both sides."""

from __future__ import annotations

import pandas as pd

from serbench.protocols.holdout import draw_holdout
from serbench.specs import ProtocolSpec, Split


def split(table: pd.DataFrame, seed: int, *, test_size: float = 0.2) -> list[Split]:
    """Draw `test_size` of each class as the test part."""
    return draw_holdout(table, seed, test_size, "stratified_holdout")


STRATIFIED_HOLDOUT = ProtocolSpec(
    name="stratified_holdout",
    version="1",
    split=split,
    params={"test_size": 0.2},
    description="one random split with equal class shares; speakers are on both sides",
)
