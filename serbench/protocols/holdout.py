"""One random part with equal class shares: what the random holdouts, honest and leaky, share."""

from __future__ import annotations

from numbers import Real

import pandas as pd

from serbench.errors import ProtocolError
from serbench.identity import seed_for
from serbench.protocols.balanced_folds import draw_stratified
from serbench.protocols.tables import prepare, splits_by_fold
from serbench.specs import Split


def draw_holdout(table: pd.DataFrame, seed: int, test_size: float, protocol: str) -> list[Split]:
    """Draw `test_size` of each class as the test part; all protocols draw the same one from the same table.

    Raises
    ------
    ProtocolError
        If `test_size` is no share, or a class has fewer than two utterances.
    """
    if not isinstance(test_size, Real) or not 0 < test_size < 1:
        raise ProtocolError(
            f"test_size is {test_size!r}", where=protocol, hint="give a share between 0 and 1, such as 0.2"
        )
    table = prepare(table, protocol)
    counts = table["label"].value_counts().sort_index()
    for label, count in counts[counts < 2].items():
        raise ProtocolError(
            f"class '{label}' has {count} utterance, train and test need one each",
            where=protocol,
            hint=f"drop or merge '{label}' in the suite",
        )
    drawn = draw_stratified(table, test_size, seed_for(seed, "stratified_holdout"))
    return splits_by_fold(table, drawn.astype(int), order=[1])
