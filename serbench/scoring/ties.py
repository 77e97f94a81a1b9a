"""Which systems are not distinguishable from the best one: one test, one correction."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from serbench.scoring.paired import RowPredictions, same_utterances, speaker_contributions, swap_test

ALPHA = 0.05
# With five speakers the smallest p of a sign-flip test is 2/32: no difference could ever be shown.
FEWEST_TESTABLE = 6


def p_against_best(answers: Sequence[RowPredictions]) -> list[float | None]:
    """Corrected p value of each system against the first, which is the best.

    Each is compared with the best by the permutation test that swaps speakers, and the p values are corrected after
    Holm; that of the best itself is 1. None: not testable (fewer than six speakers, so few for so many systems that no
    difference could be shown, unknown speakers, or other utterances than those of the best).

    Parameters
    ----------
    answers : sequence of RowPredictions
        Best first.
    """
    if not answers or not _testable(answers[0]):
        return [None] * len(answers)
    best = answers[0]
    others = [number for number in range(1, len(answers)) if same_utterances(best, answers[number])]
    if _smallest_p(best) * len(others) >= ALPHA:
        return [None] * len(answers)
    corrected = holm([swap_test(speaker_contributions(best, answers[number])) for number in others])
    found = {0: 1.0, **dict(zip(others, corrected.tolist(), strict=True))}
    return [found.get(number) for number in range(len(answers))]


def tied_with_best(answers: Sequence[RowPredictions]) -> list[bool | None]:
    """Whether each system is tied with the first: unless its `p_against_best` is below 0.05; None: not testable."""
    return [None if p is None else p >= ALPHA for p in p_against_best(answers)]


def holm(p_values: Sequence[float]) -> np.ndarray:
    """Holm's step-down correction (1979), shape of `p_values`.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.06, 0.06]
    """
    # Six lines, held to statsmodels' by a test: importing that costs every leaderboard a second.
    values = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(values, kind="stable")
    stepped = np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1))
    corrected = np.empty_like(values)
    corrected[order] = np.minimum(stepped, 1.0)
    return corrected


def _smallest_p(answers: RowPredictions) -> float:
    # Of all sign flips only two, none and all, reach a difference that every speaker shares.
    return 2.0 / 2.0 ** len(set(answers.speakers))


def _testable(answers: RowPredictions) -> bool:
    return bool((answers.speakers != "").all()) and len(set(answers.speakers)) >= FEWEST_TESTABLE
