"""Which of many systems differ, on which ranks each may stand, and what the best one owes to being chosen.

The best of a board is the maximum of noisy scores. A test that takes it for a reference named in advance finds some row
different on every third board of equal rows; so all pairs are judged together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from serbench.scoring.margins import margin_uar
from serbench.scoring.paired import RowPredictions, per_speaker, same_utterances

ALPHA = 0.05
# With five speakers the smallest p of a sign-flip test is 2/32: no difference could ever be shown.
FEWEST_TESTABLE = 6
FLIPS = 9_999
EXACT_UP_TO = 13
# Flips × pairs held at once.
MOST_STATISTICS = 20_000_000
HALVES = 2_000
SEED = 11


@dataclass(frozen=True)
class Ranking:
    """What is known of systems beside their order, best first; None where it is not testable.

    Attributes
    ----------
    p : list of float or None
        Adjusted p of the difference from the best; 1 for the best itself.
    rank_low, rank_high : list of int or None
        Simultaneous 95 % intervals of the ranks, 1 is best.
    optimism : float
        Of the best system's UAR (`optimism_of_best`); NaN for one system alone and where speakers are unknown.
    """

    p: list[float | None]
    rank_low: list[int | None]
    rank_high: list[int | None]
    optimism: float


def ranking(answers: Sequence[RowPredictions]) -> Ranking:
    """Judge systems that answered the same utterances.

    A system is told from another by `pairwise_p`; its rank interval runs from one more than the number of systems that
    are told to be better to the number of those that are not told to be worse (Mogstad et al. 2024). Tied with the best
    is a system whose interval begins at 1. Not testable: fewer than six speakers, unknown speakers, or other utterances
    than those of the best.

    Parameters
    ----------
    answers : sequence of RowPredictions
        Best first.
    """
    none = [None] * len(answers)
    known = bool(answers) and bool((answers[0].speakers != "").all())
    same = [number for number, item in enumerate(answers) if known and same_utterances(answers[0], item)]
    if not same:
        return Ranking(none, none, none, np.nan)
    trials = per_speaker(answers[0])[1]
    hits = np.stack([per_speaker(answers[number])[0] for number in same])
    optimism = optimism_of_best(hits, trials)
    if len(trials) < FEWEST_TESTABLE:
        return Ranking(none, none, none, optimism)
    contributions = uar_contributions(hits, trials)
    p = pairwise_p(contributions)
    ahead = contributions.sum(axis=1)[:, None] > contributions.sum(axis=1)
    better = (p < ALPHA) & ahead
    first, last = 1 + better.sum(axis=0), len(same) - better.sum(axis=1)
    columns = [{number: values[place].item() for place, number in enumerate(same)} for values in (p[0], first, last)]
    return Ranking(*([column.get(number) for number in range(len(answers))] for column in columns), optimism)


def uar_contributions(hits: np.ndarray, trials: np.ndarray) -> np.ndarray:
    """What each speaker adds to the pooled UAR, shape (systems, speakers).

    Parameters
    ----------
    hits : ndarray of shape (systems, speakers, K)
    trials : ndarray of shape (speakers, K)
        The same for all systems.
    """
    support = trials.sum(axis=0)
    defined = support > 0
    return (hits[..., defined] / support[defined]).sum(axis=-1) / defined.sum()


def pairwise_p(contributions: np.ndarray, *, flips: int = FLIPS, seed: int = SEED) -> np.ndarray:
    """Adjusted p of the difference of each pair of systems, shape (systems, systems).

    Step-down max-type permutation test (Westfall & Young 1993; Romano & Wolf 2005): the two systems of every pair are
    swapped speaker by speaker, the same speakers in all pairs, so that the pairs keep their dependence; a difference is
    set against the largest one that swapping makes among all pairs that are no further apart. Whatever the true scores
    are, the chance that any two equal systems are told apart is at most 5 %, if a speaker's difference is as likely to
    have either sign. Up to 13 speakers all swaps are counted, beyond 9,999 are drawn.

    Parameters
    ----------
    contributions : ndarray of shape (systems, speakers)
        See `uar_contributions`.

    Examples
    --------
    >>> pairwise_p(np.array([[0.1] * 6, [0.05] * 6, [0.05] * 6]))[0].tolist()
    [1.0, 0.03125, 0.03125]
    """
    systems, speakers = contributions.shape
    one, two = np.triu_indices(systems, 1)
    gaps = contributions[one] - contributions[two]
    observed = np.abs(gaps.sum(axis=1))
    order = np.argsort(observed, kind="stable")
    signs = _signs(speakers, int(min(flips, max(MOST_STATISTICS // max(len(one), 1), 999))), seed)
    # The observed order is one of the swaps (Phipson & Smyth 2010). Sums equal in exact arithmetic may differ slightly.
    largest = np.abs(gaps[order].astype(np.float32) @ signs)
    np.maximum.accumulate(largest, axis=0, out=largest)
    stepped = (largest >= observed[order, None] - 1e-6).mean(axis=1)
    adjusted = np.empty(len(one))
    # From the largest gap down, no p is below the one before.
    adjusted[order] = np.maximum.accumulate(stepped[::-1])[::-1]
    p = np.ones((systems, systems))
    p[one, two] = p[two, one] = adjusted
    return p


def optimism_of_best(hits: np.ndarray, trials: np.ndarray) -> float:
    """How much the best system's pooled UAR owes to its having been chosen on these speakers.

    The system that is best on a random half of the speakers is scored on the other half: on average its UAR falls by
    this times the square root of two, since half the speakers make twice the variance. Exact for equal systems, and a
    little too much where they differ (`benchmarks/statistics/board.py`). Parameters as of `uar_contributions`.
    """
    speakers = len(trials)
    if len(hits) < 2 or speakers < 2:
        return np.nan
    order = np.random.default_rng(SEED).random((HALVES, speakers)).argsort(axis=1)
    half = (order < speakers // 2).astype(np.float64)
    chosen_on, scored_on = (_uars(part, hits, trials) for part in (half, 1 - half))
    # Nothing can be chosen where a half holds no utterance.
    best = np.nan_to_num(chosen_on, nan=-1.0).argmax(axis=0)
    fall = (chosen_on - scored_on)[best, np.arange(HALVES)]
    return max(0.0, float(np.nanmean(fall) / np.sqrt(2)))


def _uars(weights: np.ndarray, hits: np.ndarray, trials: np.ndarray) -> np.ndarray:
    """UARs over weighted speakers, shape (systems, weightings)."""
    return np.stack([margin_uar(np.stack([weights @ own, weights @ trials], axis=-2)) for own in hits])


def _signs(speakers: int, flips: int, seed: int) -> np.ndarray:
    """Signs of the speakers in each swap, shape (speakers, swaps); the first swaps nobody."""
    if speakers <= EXACT_UP_TO:
        # A swap of all others has the same absolute sums: the last speaker stays.
        bits = (np.arange(2 ** (speakers - 1)) >> np.arange(speakers)[:, None]) & 1
    else:
        bits = np.random.default_rng(seed).integers(0, 2, size=(speakers, flips + 1))
        bits[:, 0] = 0
    return (1 - 2 * bits).astype(np.float32)
