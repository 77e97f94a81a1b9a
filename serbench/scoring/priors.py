"""Class priors: a log-bias per class beside the temperature, worth keeping only where it helps on other speakers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from serbench.scoring.calibration import (
    COLDEST,
    HOTTEST,
    SMALLEST_PROBABILITY,
    at_temperature,
    fit_temperature,
    log_losses,
)
from serbench.scoring.coding import factorise
from serbench.scoring.intervals import UTTERANCE, unit_of

FOLDS = 5


@dataclass(frozen=True)
class PriorTrial:
    """What a log-bias per class brings, found by cross-validation over speakers.

    Attributes
    ----------
    without, with_bias : float
        Mean log-loss (nats) of held-out utterances with the temperature alone, and with the bias too.
    probabilities : ndarray of shape (n, K)
        The held-out ones with the bias.
    """

    without: float
    with_bias: float
    probabilities: np.ndarray

    @property
    def helps(self) -> bool:
        """Whether the bias lowers the log-loss."""
        return self.with_bias < self.without


def fit_priors(truth: np.ndarray, probabilities: np.ndarray) -> tuple[float, np.ndarray]:
    """Temperature T and log-bias b (K,), summing to 0, of least log-loss of ``softmax(log p / T + b)``.

    Bias-corrected temperature scaling (A. Alexandari et al., Maximum likelihood with bias-corrected calibration is
    hard-to-beat at label shift adaptation, ICML 2020); convex in 1/T and b. T lies between 0.05 and 20.

    Parameters
    ----------
    truth : ndarray of int, shape (n,)
    probabilities : ndarray of shape (n, K)
    """
    from scipy.optimize import minimize

    logs = np.log(np.maximum(probabilities, SMALLEST_PROBABILITY))
    rows, classes = logs.shape
    right = np.zeros_like(logs)
    right[np.arange(rows), truth] = 1

    def loss(point: np.ndarray) -> tuple[float, np.ndarray]:
        answered = at_temperature(probabilities, 1 / point[0], point[1:])
        excess = (answered - right) / rows
        slope = np.concatenate([[(excess * logs).sum()], excess.sum(axis=0)])
        return float(log_losses(truth, answered).mean()), slope

    start = np.concatenate([[1.0], np.zeros(classes)])
    # A class that nobody says has no finite bias.
    bounds = [(1 / HOTTEST, 1 / COLDEST), *[(-10.0, 10.0)] * classes]
    found = minimize(loss, start, jac=True, bounds=bounds, method="L-BFGS-B").x
    return float(1 / found[0]), found[1:] - found[1:].mean()


def try_priors(truth: np.ndarray, probabilities: np.ndarray, speakers: np.ndarray) -> PriorTrial:
    """Fit on four fifths of the speakers and answer for the others, in turn; utterances where speakers are unknown."""
    units = np.arange(len(truth)) if unit_of(speakers) == UTTERANCE else factorise(speakers)[0]
    plain, biased = np.zeros_like(probabilities), np.zeros_like(probabilities)
    for fold in range(FOLDS):
        held = units % FOLDS == fold
        if not held.any():
            continue
        known, given = truth[~held], probabilities[~held]
        plain[held] = at_temperature(probabilities[held], fit_temperature(known, given))
        biased[held] = at_temperature(probabilities[held], *fit_priors(known, given))
    without, with_bias = (float(log_losses(truth, item).mean()) for item in (plain, biased))
    return PriorTrial(without, with_bias, biased)
