"""95 % intervals over speakers, not utterances.

Utterances of one speaker resemble each other, so intervals over utterances are too narrow.
A *unit* is a speaker (or an utterance where speakers are unknown). Every score here is a function of sums
over units, so leaving out a unit is one subtraction, and ten thousand resamples of units are one matrix product.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from serbench.scoring.coding import CodedPredictions, factorise
from serbench.scoring.margins import grouped_confusion, margins

SPEAKER, UTTERANCE = "speaker", "utterance"
RESAMPLES = 10_000
FEWEST_RESAMPLES = 1_000
LEVEL = 0.95
SEED = 20_240_229
# Draws (resamples × distinct utterances) that stay well under half a second.
DRAWS = 4_000_000

Scores = Mapping[str, Callable[[np.ndarray], np.ndarray]]


@dataclass(frozen=True)
class Interval:
    """A 95 % interval, its unit (`speaker`, `utterance`) and how it was made; NaN where there is none."""

    low: float
    high: float
    unit: str
    method: str


def margins_by_unit(tested: Sequence[CodedPredictions], seeds: Sequence[int], n_classes: int) -> tuple[np.ndarray, str]:
    """Margins per seed and unit, shape (seeds, units, 3, K), and what the unit is.

    The unit is the speaker if every speaker is known and there are two or more, else the utterance.

    Parameters
    ----------
    tested : sequence of CodedPredictions
        Such as one per fold and seed.
    seeds : sequence of int
        The seed of each of them.
    """
    names = np.concatenate([item.speakers for item in tested])
    unit = unit_of(names)
    if unit == UTTERANCE:
        names = np.concatenate([item.utterances for item in tested])
    codes, units = factorise(names)
    by_seed = {seed: number for number, seed in enumerate(sorted(set(seeds)))}
    seed_of = np.concatenate(
        [np.full(len(item.truth), by_seed[seed]) for item, seed in zip(tested, seeds, strict=True)]
    )
    confusion = grouped_confusion(
        np.concatenate([item.truth for item in tested]),
        np.concatenate([item.predicted for item in tested]),
        seed_of * len(units) + codes,
        n_classes,
        len(by_seed) * len(units),
    )
    return margins(confusion).reshape(len(by_seed), len(units), 3, n_classes), unit


def sums_by_unit(values: np.ndarray, speakers: np.ndarray) -> tuple[np.ndarray, str]:
    """Values per utterance (n, M) summed per unit, shape (1, units, M), and what the unit is."""
    unit = unit_of(speakers)
    if unit == UTTERANCE:
        return values[None], unit
    codes, names = factorise(speakers)
    summed = np.zeros((len(names), values.shape[1]))
    np.add.at(summed, codes, values)
    return summed[None], unit


def unit_of(speakers: np.ndarray) -> str:
    """`speaker` if every speaker is known and there are two or more, else `utterance`."""
    return SPEAKER if (speakers != "").all() and len(set(speakers)) > 1 else UTTERANCE


def intervals(
    statistics: np.ndarray,
    scores: Scores,
    unit: str,
    *,
    upper: float | None = 1.0,
    more: Sequence[tuple[float, int]] = (),
) -> dict[str, Interval]:
    """Intervals of several scores.

    Speakers: estimate ± t × standard error of the delete-one-speaker jackknife (Efron & Tibshirani 1993, ch. 11), with
    n - 1 degrees of freedom; percentiles of resampled speakers are too narrow below some fifty of them. Utterances:
    percentile bootstrap with a fixed seed. A score averages the classes that are left, as it does on the data
    themselves.

    Several seeds: the estimate is the mean over seeds, and the interval covers both sources. The seeds' squared
    standard error is added, with the degrees of freedom of the sum (Satterthwaite 1946), n - 1 at most; the bootstrap
    draws seeds as well as utterances, with deviations widened by ``sqrt(R / (R - 1))`` for the spread that R draws
    from R seeds lose.

    Parameters
    ----------
    statistics : ndarray of shape (seeds, units, ...)
        Sums per unit, e.g. margins of the unit's confusion matrix, shape (seeds, units, 3, K).
    scores : mapping
        Name -> function of summed statistics (any leading shape) to scores.
    unit : {"speaker", "utterance"}
    upper : float or None
        Bounds are clipped to [0, upper]; None clips nothing.
    more : sequence of (float, int)
        Variances from elsewhere that speakers' are added to, such as that between seeds, and their degrees of freedom.
    """
    statistics = np.asarray(statistics, dtype=np.float64)
    if statistics.shape[1] < 2:
        return dict.fromkeys(scores, Interval(np.nan, np.nan, unit, "none: one unit"))
    if unit == SPEAKER:
        method, bounds = "jackknife with t", _jackknife(statistics, scores, more)
    else:
        totals = resampled_totals(statistics)
        method, bounds = "bootstrap", {name: _percentiles(function(totals)) for name, function in scores.items()}
    if len(statistics) > 1:
        method += f" over {unit}s and {len(statistics)} seeds"
    low_high = {name: _clip(pair, upper) for name, pair in bounds.items()}
    return {name: Interval(low, high, unit, method) for name, (low, high) in low_high.items()}


def resampled_totals(statistics: np.ndarray, *, seed: int = SEED) -> np.ndarray:
    """Sums of `statistics` (seeds, utterances, ...) over resampled utterances, shape (resamples, seeds, ...)."""
    seeds, units = statistics.shape[:2]
    totals = _utterance_totals(np.moveaxis(statistics, 1, -1).reshape(-1, units), seed)
    # Resamples stay innermost in memory: sums over a handful of classes are then fast.
    return np.moveaxis(totals.reshape(seeds, *statistics.shape[2:], -1), -1, 0)


def _utterance_totals(flat: np.ndarray, seed: int) -> np.ndarray:
    # Equal utterances are interchangeable: where kinds are few, draw how often each kind comes up.
    units = flat.shape[1]
    kinds, counts = np.unique(flat, axis=1, return_counts=True)
    resamples = affordable_resamples(len(counts))
    if len(counts) > units // 4:
        return flat @ unit_draws(units, resamples, seed).T
    return kinds @ np.random.default_rng(seed).multinomial(units, counts / units, size=resamples).T


def affordable_resamples(units: int) -> int:
    """How many resamples of so many units stay within `DRAWS`."""
    return int(np.clip(DRAWS / units, FEWEST_RESAMPLES, RESAMPLES))


def unit_draws(units: int, resamples: int = RESAMPLES, seed: int = SEED) -> np.ndarray:
    """How often each unit is drawn in each resample, shape (resamples, units)."""
    drawn = np.random.default_rng(seed).integers(0, units, size=(resamples, units))
    drawn += np.arange(resamples)[:, None] * units
    return np.bincount(drawn.ravel(), minlength=resamples * units).reshape(resamples, units).astype(np.float64)


def _percentiles(values: np.ndarray) -> tuple[float, float]:
    """Percentile bounds of resampled scores, shape (resamples, seeds)."""
    resamples, seeds = values.shape
    mean = values.mean(axis=1)
    if seeds > 1:
        drawn = np.random.default_rng(SEED + 1).multinomial(seeds, np.full(seeds, 1 / seeds), size=resamples)
        mean = mean + np.sqrt(seeds / (seeds - 1)) * ((values * drawn).sum(axis=1) / seeds - mean)
    defined = mean[np.isfinite(mean)]
    if not len(defined):
        return np.nan, np.nan
    low, high = np.quantile(defined, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def _jackknife(
    statistics: np.ndarray, scores: Scores, more: Sequence[tuple[float, int]]
) -> dict[str, tuple[float, float]]:
    from scipy.special import stdtrit

    seeds, units = statistics.shape[:2]
    total = statistics.sum(axis=1)
    bounds = {}
    for name, function in scores.items():
        by_seed = function(total)
        without = function(total[:, None] - statistics).mean(axis=0)
        parts = [((units - 1) / units * ((without - without.mean()) ** 2).sum(), units - 1), *more]
        if seeds > 1:
            parts.append((by_seed.var(ddof=1) / seeds, seeds - 1))
        variance = sum(part for part, _ in parts)
        # Nothing varies where a model gives every speaker the same score.
        freedom = variance**2 / sum(part**2 / count for part, count in parts) if variance > 0 else 1.0
        # Of two speakers, more degrees than one come from variances that are small by chance.
        freedom = min(freedom, units - 1)
        estimate, reach = float(by_seed.mean()), float(stdtrit(freedom, (1 + LEVEL) / 2) * np.sqrt(variance))
        bounds[name] = (estimate - reach, estimate + reach)
    return bounds


def _clip(bounds: tuple[float, float], upper: float | None) -> tuple[float, float]:
    if upper is None:
        return bounds
    return tuple(min(max(value, 0.0), upper) for value in bounds)
