"""95 % intervals that resample speakers, not utterances.

Utterances of one speaker resemble each other, so intervals from resampled utterances are too narrow.
A *unit* is a speaker (or an utterance where speakers are unknown). Every score here is a function of sums
over units, so a resample of units is one row of counts times the units' statistics, and ten thousand
resamples are one matrix product.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from serbench.scoring.coding import CodedPredictions, factorise
from serbench.scoring.margins import grouped_confusion, margins

SPEAKER, UTTERANCE = "speaker", "utterance"
RESAMPLES = 10_000
FEWEST_RESAMPLES = 1_000
FEWEST_SPEAKERS = 10
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


def intervals(statistics: np.ndarray, scores: Scores, unit: str, *, upper: float | None = 1.0) -> dict[str, Interval]:
    """Intervals of several scores from the same resamples.

    Ten or more speakers, or utterances: percentile bootstrap with a fixed seed. Two to nine speakers: delete-one
    jackknife with the quantile of t(n - 1), since a bootstrap of so few units is too narrow. In a resample that lacks
    a class altogether, a score averages the classes that are there, as it does on the data themselves.

    Several seeds: the estimate is the mean over seeds, and the interval covers both sources. The bootstrap draws seeds
    as well as speakers, with deviations widened by ``sqrt(R / (R - 1))`` for the spread that R draws from R seeds lose;
    the jackknife adds the seeds' squared standard error.

    Parameters
    ----------
    statistics : ndarray of shape (seeds, units, ...)
        Sums per unit, e.g. margins of the unit's confusion matrix, shape (seeds, units, 3, K).
    scores : mapping
        Name -> function of summed statistics (any leading shape) to scores.
    unit : {"speaker", "utterance"}
    upper : float or None
        Bounds are clipped to [0, upper]; None clips nothing.
    """
    statistics = np.asarray(statistics, dtype=np.float64)
    units = statistics.shape[1]
    if units < 2:
        return dict.fromkeys(scores, Interval(np.nan, np.nan, unit, "none: one unit"))
    if unit == SPEAKER and units < FEWEST_SPEAKERS:
        method, bounds = "jackknife", _jackknife(statistics, scores)
    else:
        totals = resampled_totals(statistics, unit)
        method, bounds = "bootstrap", {name: _percentiles(function(totals)) for name, function in scores.items()}
    if len(statistics) > 1:
        method += f" of {unit}s and {len(statistics)} seeds"
    low_high = {name: _clip(pair, upper) for name, pair in bounds.items()}
    return {name: Interval(low, high, unit, method) for name, (low, high) in low_high.items()}


def resampled_totals(statistics: np.ndarray, unit: str, *, seed: int = SEED) -> np.ndarray:
    """Sums of `statistics` (seeds, units, ...) over resampled units, shape (resamples, seeds, ...)."""
    seeds, units = statistics.shape[:2]
    flat = np.moveaxis(statistics, 1, -1).reshape(-1, units)
    totals = flat @ unit_draws(units, seed=seed).T if unit == SPEAKER else _utterance_totals(flat, seed)
    # Resamples stay innermost in memory: sums over a handful of classes are then fast.
    return np.moveaxis(totals.reshape(seeds, *statistics.shape[2:], -1), -1, 0)


def _utterance_totals(flat: np.ndarray, seed: int) -> np.ndarray:
    # Equal utterances are interchangeable: where kinds are few, draw how often each kind comes up.
    units = flat.shape[1]
    kinds, counts = np.unique(flat, axis=1, return_counts=True)
    resamples = int(np.clip(DRAWS / len(counts), FEWEST_RESAMPLES, RESAMPLES))
    if len(counts) > units // 4:
        # Not remembered: these are large, and few rows have unknown speakers.
        return flat @ unit_draws.__wrapped__(units, resamples, seed).T
    return kinds @ np.random.default_rng(seed).multinomial(units, counts / units, size=resamples).T


@lru_cache(maxsize=8)
def unit_draws(units: int, resamples: int = RESAMPLES, seed: int = SEED) -> np.ndarray:
    """How often each unit is drawn in each resample, shape (resamples, units), read-only.

    Remembered, since all rows of a leaderboard share it.
    """
    drawn = np.random.default_rng(seed).integers(0, units, size=(resamples, units))
    drawn += np.arange(resamples)[:, None] * units
    counts = np.bincount(drawn.ravel(), minlength=resamples * units).reshape(resamples, units).astype(np.float64)
    counts.flags.writeable = False
    return counts


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


def _jackknife(statistics: np.ndarray, scores: Scores) -> dict[str, tuple[float, float]]:
    """Delete-one bounds: estimate ± t(n - 1) × standard error (Efron & Tibshirani 1993, ch. 11)."""
    from scipy.special import stdtrit

    seeds, units = statistics.shape[:2]
    total = statistics.sum(axis=1)
    reach = float(stdtrit(units - 1, (1 + LEVEL) / 2))
    bounds = {}
    for name, function in scores.items():
        by_seed = function(total)
        without = function(total[:, None] - statistics).mean(axis=0)
        variance = (units - 1) / units * ((without - without.mean()) ** 2).sum()
        if seeds > 1:
            variance += by_seed.var(ddof=1) / seeds
        estimate, error = float(by_seed.mean()), float(np.sqrt(variance))
        bounds[name] = (estimate - reach * error, estimate + reach * error)
    return bounds


def _clip(bounds: tuple[float, float], upper: float | None) -> tuple[float, float]:
    if upper is None:
        return bounds
    return tuple(min(max(value, 0.0), upper) for value in bounds)
