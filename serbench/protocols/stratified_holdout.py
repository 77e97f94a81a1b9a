"""One random split with equal class shares: speakers, sentences and takes are on both sides."""

from __future__ import annotations

import pandas as pd

from serbench.errors import ProtocolError
from serbench.identity import seed_for
from serbench.protocols.dealing import draw_stratified
from serbench.protocols.tables import prepare, splits_by_fold
from serbench.specs import ProtocolSpec, Split


def split(table: pd.DataFrame, seed: int, *, test_size: float = 0.2) -> list[Split]:
    """Draw `test_size` of each class as the test part.

    Raises
    ------
    ProtocolError
        If `test_size` is no share, or a class has fewer than two utterances.
    """
    name = "stratified_holdout"
    if not 0 < test_size < 1:
        raise ProtocolError(f"test_size is {test_size!r}", where=name, hint="give a share between 0 and 1, such as 0.2")
    table = prepare(table, name)
    counts = table["label"].value_counts().sort_index()
    for label, count in counts[counts < 2].items():
        raise ProtocolError(
            f"class '{label}' has {count} utterance, train and test need one each",
            where=name,
            hint=f"drop or merge '{label}' in the suite",
        )
    drawn = draw_stratified(table["label"].to_numpy(), table["id"].to_numpy(), test_size, seed_for(seed, name))
    return splits_by_fold(table, drawn.astype(int), order=[1])


STRATIFIED_HOLDOUT = ProtocolSpec(
    name="stratified_holdout",
    version="1",
    split=split,
    params={"test_size": 0.2},
    description="one random split with equal class shares; speakers are on both sides",
)
