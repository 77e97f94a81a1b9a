"""Scores from truth and predictions: confusion matrices and what follows from them, and scores of probabilities.

Confusion-based scores depend on a confusion matrix through its *margins* alone: per class the hits
(diagonal), the support (row sum) and the calls (column sum). Margins add up over speakers, folds and
resamples, so every score here takes margins of any leading shape and returns scores of that shape.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from serbench.errors import LabelError

ECE_BINS = 10
SMALLEST_PROBABILITY = 1e-15


def label_codes(values: Sequence[str], labels: Sequence[str]) -> np.ndarray:
    """Positions of `values` in the label list.

    Raises
    ------
    LabelError
        If a value is not in the list.
    """
    position = {label: code for code, label in enumerate(labels)}
    try:
        return np.fromiter((position[value] for value in values), dtype=np.int64, count=len(values))
    except KeyError:
        unknown = sorted({str(value) for value in values if value not in position})
        raise LabelError(
            f"not in the label list: {', '.join(unknown)}", hint=f"the label list is: {', '.join(labels)}"
        ) from None


def confusion_matrix(truth: np.ndarray, predicted: np.ndarray, n_classes: int) -> np.ndarray:
    """Counts of (true class, predicted class), shape (n_classes, n_classes), from class codes.

    Examples
    --------
    >>> confusion_matrix([0, 0, 1], [0, 1, 1], 2)
    array([[1, 1],
           [0, 1]])
    """
    return grouped_confusion(truth, predicted, np.zeros(len(truth), dtype=np.int64), n_classes, 1)[0]


def grouped_confusion(
    truth: np.ndarray, predicted: np.ndarray, groups: np.ndarray, n_classes: int, n_groups: int
) -> np.ndarray:
    """One confusion matrix per group (speaker, fold), shape (n_groups, n_classes, n_classes)."""
    cell = (np.asarray(groups) * n_classes + np.asarray(truth)) * n_classes + np.asarray(predicted)
    counts = np.bincount(cell, minlength=n_groups * n_classes * n_classes)
    return counts.reshape(n_groups, n_classes, n_classes)


def margins(confusion: np.ndarray) -> np.ndarray:
    """Hits, support and calls per class.

    Parameters
    ----------
    confusion : ndarray of shape (..., K, K)

    Returns
    -------
    ndarray of shape (..., 3, K)
    """
    hits = np.diagonal(confusion, axis1=-2, axis2=-1)
    return np.stack([hits, confusion.sum(axis=-1), confusion.sum(axis=-2)], axis=-2)


def recall(margin: np.ndarray) -> np.ndarray:
    """Recall per class, NaN for a class without support."""
    return _ratio(margin[..., 0, :], margin[..., 1, :])


def precision(margin: np.ndarray) -> np.ndarray:
    """Precision per class, NaN for a class that was never predicted."""
    return _ratio(margin[..., 0, :], margin[..., 2, :])


def f1(margin: np.ndarray) -> np.ndarray:
    """F1 per class, ``2 hits / (support + calls)``; NaN for a class neither present nor predicted."""
    return _ratio(2 * margin[..., 0, :], margin[..., 1, :] + margin[..., 2, :])


def uar(margin: np.ndarray) -> np.ndarray:
    """Unweighted average recall (balanced accuracy): the mean recall of the classes that have support.

    Examples
    --------
    >>> float(uar(margins(np.array([[3, 1], [1, 1]]))))
    0.625
    """
    return _mean_defined(recall(margin))


def accuracy(margin: np.ndarray) -> np.ndarray:
    """Share of utterances that are predicted rightly."""
    return _ratio(margin[..., 0, :].sum(axis=-1), margin[..., 1, :].sum(axis=-1))


def macro_f1(margin: np.ndarray) -> np.ndarray:
    """Mean F1 of the classes that are present or predicted (scikit-learn's default label set)."""
    return _mean_defined(f1(margin))


def weighted_f1(margin: np.ndarray) -> np.ndarray:
    """F1 weighted by support."""
    support = margin[..., 1, :]
    return _ratio((np.nan_to_num(f1(margin)) * support).sum(axis=-1), support.sum(axis=-1))


CONFUSION_SCORES: Mapping[str, Callable[[np.ndarray], np.ndarray]] = MappingProxyType(
    {"uar": uar, "accuracy": accuracy, "macro_f1": macro_f1, "weighted_f1": weighted_f1}
)


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


def score(
    truth: Sequence[str],
    predicted: Sequence[str],
    labels: Sequence[str],
    probabilities: np.ndarray | None = None,
) -> dict[str, Any]:
    """Score predictions over an explicit label list.

    Parameters
    ----------
    truth, predicted : sequences of str, length n
    labels : sequence of str
        The suite's label list, K of them; a class without support has no recall and is left out of the UAR.
    probabilities : ndarray of shape (n, K), optional
        Columns follow `labels`; adds `log_loss`, `brier` and `ece`.

    Returns
    -------
    dict
        `uar`, `accuracy`, `macro_f1`, `weighted_f1`, `classes` (scored of all, e.g. ``"6/7"``), `utterances`,
        `confusion` (rows are the truth) and `per_class`: precision, recall, F1 and support by label.

    Raises
    ------
    LabelError
        If a label is not in the list, or there is nothing to score.

    Examples
    --------
    >>> result = score(["sad", "sad", "angry", "angry"], ["sad", "angry", "angry", "angry"], ["angry", "sad"])
    >>> result["uar"], result["classes"]
    (0.75, '2/2')
    >>> result["per_class"]["sad"]["recall"]
    0.5
    """
    if len(truth) != len(predicted) or not len(truth):
        raise LabelError(f"{len(truth)} true labels against {len(predicted)} predicted ones: nothing to score")
    true, called = label_codes(truth, labels), label_codes(predicted, labels)
    confusion = confusion_matrix(true, called, len(labels))
    margin = margins(confusion)
    result: dict[str, Any] = {name: float(function(margin)) for name, function in CONFUSION_SCORES.items()}
    if probabilities is not None:
        result["log_loss"] = float(log_losses(true, probabilities).mean())
        result["brier"] = float(brier_scores(true, probabilities).mean())
        result["ece"] = expected_calibration_error(true, called, probabilities)
    result["classes"] = classes_scored(margin)
    result["utterances"] = len(true)
    result["per_class"] = per_class(margin, labels)
    result["confusion"] = confusion
    return result


def classes_scored(margin: np.ndarray) -> str:
    """How many classes have support, e.g. ``"6/7"``."""
    return f"{int((margin[1] > 0).sum())}/{margin.shape[-1]}"


def per_class(margin: np.ndarray, labels: Sequence[str]) -> dict[str, dict[str, float]]:
    """Precision, recall, F1 and support by label; undefined ones are NaN."""
    columns = {"precision": precision(margin), "recall": recall(margin), "f1": f1(margin)}
    return {
        label: {name: float(values[code]) for name, values in columns.items()} | {"support": int(margin[1, code])}
        for code, label in enumerate(labels)
    }


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    # What is divided is never more than what divides, so only 0 / 0 can come up: undefined, NaN.
    with np.errstate(invalid="ignore"):
        return np.divide(above, below, dtype=np.float64)


def _mean_defined(values: np.ndarray) -> np.ndarray:
    defined = np.isfinite(values)
    return _ratio(np.where(defined, values, 0.0).sum(axis=-1), defined.sum(axis=-1))
