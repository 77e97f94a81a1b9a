"""How far probabilities can be believed: log-loss, Brier score, calibration error, reliability, temperature scaling."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from serbench.errors import ResultsError
from serbench.records import PROBABILITY
from serbench.reporting.intervals import intervals
from serbench.reporting.rows import factorise
from serbench.reporting.scores import ECE_BINS, brier_scores, equal_mass_bins, label_codes, log_losses

if TYPE_CHECKING:
    import pandas as pd

COLDEST, HOTTEST = 0.05, 20.0


@dataclass(frozen=True)
class Chances:
    """Probabilities of the test utterances of a row.

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


def chances_of(frames: Mapping[str, pd.DataFrame], labels: Sequence[str], *, scaled: bool = False) -> Chances:
    """Pool the test probabilities of a row's cells.

    Parameters
    ----------
    frames : mapping
        Cell id -> predictions, from `load_predictions`.
    labels : sequence of str
    scaled : bool
        Scale each cell by a temperature fitted on its own validation rows.

    Raises
    ------
    ResultsError
        If scaling is asked for and a cell has no validation rows.
    """
    parts, temperatures = [], []
    for cell_id, frame in frames.items():
        test = frame[frame["role"] == "test"]
        probabilities = _probabilities(test, labels)
        if scaled:
            validation = frame[frame["role"] == "validation"]
            if validation.empty:
                hint = "temperature scaling is fitted on them; only models with early stopping have some"
                raise ResultsError("no validation predictions", where=f"cell {cell_id}", hint=hint)
            truth = label_codes(validation["truth"].tolist(), labels)
            temperatures.append(fit_temperature(truth, _probabilities(validation, labels)))
            probabilities = at_temperature(probabilities, temperatures[-1])
        codes = [label_codes(test[name].tolist(), labels) for name in ("truth", "predicted")]
        parts.append((*codes, probabilities, test["speaker"].to_numpy(dtype=object)))
    truth, predicted, probabilities, speakers = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Chances(truth, predicted, probabilities, speakers, tuple(temperatures))


def calibration(chances: Chances, bins: int = ECE_BINS) -> dict[str, Any]:
    """Scores of probabilities with their intervals.

    Returns
    -------
    dict
        `log_loss` (nats), `brier` (0 to 2) and `ece`, each with `_low` and `_high`; `unit`, `method`; `reliability`:
        per equal-mass bin of the predicted class' probability `count`, `confidence` and `accuracy`. The bins of the
        calibration error stay those of all utterances in every resample; as it cannot be negative, resampling noise
        lifts its interval (it tells rows apart better than it tells whether one is calibrated).
    """
    truth, probabilities = chances.truth, chances.probabilities
    confidence = probabilities[np.arange(len(truth)), chances.predicted]
    right = (truth == chances.predicted).astype(np.float64)
    place = equal_mass_bins(confidence, bins)
    losses = [log_losses(truth, probabilities), brier_scores(truth, probabilities), np.ones(len(truth))]
    gaps = np.zeros((len(truth), bins))
    gaps[np.arange(len(truth)), place] = right - confidence
    unit, statistics = _by_unit(np.column_stack([*losses, gaps]), chances.speakers)
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


def at_temperature(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """``softmax(log p / T)``; T > 1 makes probabilities less sure, and none changes which class is the likeliest."""
    logits = np.log(np.maximum(probabilities, 1e-15)) / temperature
    scaled = np.exp(logits - logits.max(axis=1, keepdims=True))
    return scaled / scaled.sum(axis=1, keepdims=True)


def _probabilities(frame: pd.DataFrame, labels: Sequence[str]) -> np.ndarray:
    return frame[[PROBABILITY + label for label in labels]].to_numpy(dtype=np.float64)


def _by_unit(values: np.ndarray, speakers: np.ndarray) -> tuple[str, np.ndarray]:
    # (n, M) per utterance -> (1, units, M): summed per speaker where all are known, else left as they are.
    if (speakers == "").any() or len(set(speakers)) < 2:
        return "utterance", values[None]
    codes, names = factorise(speakers)
    summed = np.zeros((len(names), values.shape[1]))
    np.add.at(summed, codes, values)
    return "speaker", summed[None]
