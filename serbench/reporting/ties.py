"""Which rows of a group are not distinguishable from the best one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from serbench.reporting.pairing import Answers, answers_of, same_utterances, speaker_contributions, swap_test

if TYPE_CHECKING:
    import pandas as pd

ALPHA = 0.05
# With five speakers the smallest p of a sign-flip test is 2/32: no difference could ever be shown.
FEWEST_TESTABLE = 6


def tied_with_best(rows: Sequence[pd.DataFrame]) -> list[bool | None]:
    """Whether each row is tied with the first, which is the best.

    Each row is compared with the best by the permutation test that swaps speakers, the p values are corrected after
    Holm, and a row is tied unless its corrected p is below 0.05. None: not testable (fewer than six speakers, so few
    for so many rows that no difference could be shown, unknown speakers, or other utterances than those of the best).

    Parameters
    ----------
    rows : sequence of DataFrame
        Finished cells of each row, best first.
    """
    if not rows:
        return []
    answers = [answers_of(cells) for cells in rows]
    best = answers[0]
    if not _testable(best):
        return [None] * len(rows)
    p_values = {
        number: swap_test(speaker_contributions(best, other))
        for number, other in enumerate(answers)
        if number and same_utterances(best, other)
    }
    if _smallest_p(best) * len(p_values) >= ALPHA:
        return [None] * len(rows)
    corrected = dict(zip(p_values, holm(list(p_values.values())), strict=True))
    verdicts = {number: bool(p >= ALPHA) for number, p in corrected.items()} | {0: True}
    return [verdicts.get(number) for number in range(len(rows))]


def holm(p_values: Sequence[float]) -> np.ndarray:
    """Holm's step-down correction (1979).

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.06, 0.06]
    """
    values = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(values, kind="stable")
    stepped = values[order] * np.arange(len(values), 0, -1)
    corrected = np.empty_like(values)
    corrected[order] = np.minimum(np.maximum.accumulate(stepped), 1.0) if len(values) else stepped
    return corrected


def _smallest_p(answers: Answers) -> float:
    # Of all sign flips only two, none and all, reach a difference that every speaker shares.
    return 2.0 / 2.0 ** len(set(answers.speakers))


def _testable(answers: Answers) -> bool:
    return bool((answers.speakers != "").all()) and len(set(answers.speakers)) >= FEWEST_TESTABLE
