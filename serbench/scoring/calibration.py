"""How far probabilities can be believed: log-loss, Brier score, calibration error, reliability, temperature scaling.

Truth and predictions are class codes here: positions of the columns of `probabilities`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from serbench.scoring.intervals import LEVEL, SEED, affordable_resamples, intervals, sums_by_unit

ECE_BINS = 10
SMALLEST_PROBABILITY = 1e-15
COLDEST, HOTTEST = 0.05, 20.0


@dataclass(frozen=True)
class CodedProbabilities:
    """Probabilities of utterances, such as the test utterances of a row.

    Attributes
    ----------
    truth, predicted : ndarray of int, shape (n,)
    probabilities : ndarray of shape (n, K)
    speakers : ndarray of str, shape (n,)
    temperatures : tuple of float
        One per cell where temperature scaling was applied.
    """

    truth: np.ndarray
    predicted: np.ndarray
    probabilities: np.ndarray
    speakers: np.ndarray
    temperatures: tuple[float, ...] = ()


def log_losses(truth: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Negative log-probability (nats) of the true class of each utterance, shape (n,)."""
    chosen = probabilities[np.arange(len(truth)), truth]
    return -np.log(np.clip(chosen, SMALLEST_PROBABILITY, 1.0))


def brier_scores(truth: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Squared distance between probabilities and the true class of each utterance, in [0, 2], shape (n,).

    Brier's own multi-class definition (Monthly Weather Review 78, 1950), not halved.
    """
    chosen = probabilities[np.arange(len(truth)), truth]
    return (probabilities**2).sum(axis=1) - 2 * chosen + 1


def equal_mass_bins(confidence: np.ndarray, bins: int = ECE_BINS) -> np.ndarray:
    """Bin number of each confidence, such that bins hold equally many; equal confidences share a bin."""
    edges = np.quantile(confidence, np.arange(1, bins) / bins)
    return np.searchsorted(edges, confidence, side="left")


def expected_calibration_error(
    truth: np.ndarray, predicted: np.ndarray, probabilities: np.ndarray, bins: int = ECE_BINS
) -> float:
    """Expected calibration error of the predicted class with equal-mass bins.

    ``sum over bins of |hits - summed confidence| / n`` (Nguyen & O'Connor 2015, adaptive binning).
    """
    confidence = probabilities[np.arange(len(truth)), predicted]
    gap = (np.asarray(truth) == np.asarray(predicted)) - confidence
    return float(np.abs(np.bincount(equal_mass_bins(confidence, bins), gap)).sum() / len(truth))


def calibration(tested: CodedProbabilities, bins: int = ECE_BINS) -> dict[str, Any]:
    """Scores of probabilities with their intervals.

    Returns
    -------
    dict
        `log_loss` (nats), `brier` (0 to 2) and `ece`, each with `_low` and `_high`; `unit`, `method`; `reliability`:
        per equal-mass bin of the predicted class' probability `count`, `confidence` and `accuracy`. The bins of the
        calibration error stay those of all utterances in every resample. As it cannot be negative, noise lifts the
        error: its interval reaches down as far as noise alone may have lifted it (`lifted_by_noise`).
    """
    truth, probabilities = tested.truth, tested.probabilities
    confidence = probabilities[np.arange(len(truth)), tested.predicted]
    right = (truth == tested.predicted).astype(np.float64)
    place = equal_mass_bins(confidence, bins)
    losses = [log_losses(truth, probabilities), brier_scores(truth, probabilities), np.ones(len(truth))]
    gaps = np.zeros((len(truth), bins))
    gaps[np.arange(len(truth)), place] = right - confidence
    statistics, unit = sums_by_unit(np.column_stack([*losses, gaps]), tested.speakers)
    scores = {
        "log_loss": lambda totals: totals[..., 0] / totals[..., 2],
        "brier": lambda totals: totals[..., 1] / totals[..., 2],
        "ece": lambda totals: np.abs(totals[..., 3:]).sum(axis=-1) / totals[..., 2],
    }
    total = statistics.sum(axis=1)[0]
    found: dict[str, Any] = {}
    for name, bounds in intervals(statistics, scores, unit, upper=None).items():
        found |= {name: float(scores[name](total)), f"{name}_low": max(bounds.low, 0.0), f"{name}_high": bounds.high}
        found |= {"unit": bounds.unit, "method": bounds.method}
    found["ece_low"] = max(min(found["ece_low"], found["ece"] - lifted_by_noise(statistics[0, :, 2:])), 0.0)
    counts = np.bincount(place, minlength=bins)
    filled = np.flatnonzero(counts)
    found["reliability"] = [
        {
            "count": int(counts[number]),
            "confidence": float(confidence[place == number].mean()),
            "accuracy": float(right[place == number].mean()),
        }
        for number in filled
    ]
    return found


def lifted_by_noise(sums: np.ndarray) -> float:
    """How far an ECE may lie above the true one: the largest ``sum |g - true g|`` over bins but 2.5 % of all.

    By the triangle inequality ``sum |g| - sum |true g|`` is no larger, whatever the true gaps are. Units vary as these
    do (normal multipliers), in the tails as t with their number.

    Parameters
    ----------
    sums : ndarray of shape (units, 1 + bins)
        Number of utterances of each unit, and its sum of hits - confidence in each bin.
    """
    from scipy.special import ndtri, stdtrit

    units, total = len(sums), sums[:, 0].sum()
    if units < 2:
        return np.nan
    deviations = sums[:, 1:] - sums[:, :1] * sums[:, 1:].sum(axis=0) / total
    draws = (affordable_resamples(units), units)
    multipliers = np.random.default_rng(SEED).normal(scale=np.sqrt(units / (units - 1)), size=draws)
    reach = np.quantile(np.abs(multipliers @ deviations).sum(axis=1) / total, (1 + LEVEL) / 2)
    return float(reach * stdtrit(units - 1, (1 + LEVEL) / 2) / ndtri((1 + LEVEL) / 2))


def fit_temperature(truth: np.ndarray, probabilities: np.ndarray) -> float:
    """The temperature that minimises the log-loss (Guo et al. 2017), between 0.05 and 20.

    Parameters
    ----------
    truth : ndarray of int, shape (n,)
    probabilities : ndarray of shape (n, K)
    """
    from scipy.optimize import minimize_scalar

    def loss(log_temperature: float) -> float:
        return float(log_losses(truth, at_temperature(probabilities, float(np.exp(log_temperature)))).mean())

    bounds = (np.log(COLDEST), np.log(HOTTEST))
    return float(np.exp(minimize_scalar(loss, bounds=bounds, method="bounded").x))


def at_temperature(probabilities: np.ndarray, temperature: float, bias: np.ndarray | float = 0.0) -> np.ndarray:
    """``softmax(log p / T + b)``.

    T > 1 makes probabilities less sure, and none changes which class is the likeliest; a bias (K,) does.
    """
    logits = np.log(np.maximum(probabilities, SMALLEST_PROBABILITY)) / temperature + bias
    scaled = np.exp(logits - logits.max(axis=1, keepdims=True))
    return scaled / scaled.sum(axis=1, keepdims=True)
