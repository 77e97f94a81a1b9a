"""Confusion matrices of class codes and what follows from them.

Confusion-based scores depend on a confusion matrix through its *margins* alone: per class the hits
(diagonal), the support (row sum) and the calls (column sum). Margins add up over speakers, folds and
resamples, so every score here takes margins of any leading shape and returns scores of that shape.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType

import numpy as np

from serbench.scoring.coding import CodedPredictions


def confusion_counts(truth: np.ndarray, predicted: np.ndarray, n_classes: int) -> np.ndarray:
    """Counts of (true class, predicted class), shape (n_classes, n_classes), from class codes.

    Examples
    --------
    >>> confusion_counts([0, 0, 1], [0, 1, 1], 2)
    array([[1, 1],
           [0, 1]])
    """
    return grouped_confusion(truth, predicted, np.zeros(len(truth), dtype=np.int64), n_classes, 1)[0]


def summed_confusion(tested: Iterable[CodedPredictions], n_classes: int) -> np.ndarray:
    """Confusion matrix (K, K) over several folds and seeds."""
    nothing = np.zeros((n_classes, n_classes), dtype=np.int64)
    return sum((confusion_counts(item.truth, item.predicted, n_classes) for item in tested), nothing)


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


def margin_uar(margin: np.ndarray) -> np.ndarray:
    """Unweighted average recall (balanced accuracy): the mean recall of the classes that have support.

    The calls are not looked at: hits and support, shape (..., 2, K), are enough.

    Examples
    --------
    >>> float(margin_uar(margins(np.array([[3, 1], [1, 1]]))))
    0.625
    """
    return _mean_defined(recall(margin))


def margin_accuracy(margin: np.ndarray) -> np.ndarray:
    """Share of utterances that are predicted rightly."""
    return _ratio(margin[..., 0, :].sum(axis=-1), margin[..., 1, :].sum(axis=-1))


def margin_macro_f1(margin: np.ndarray) -> np.ndarray:
    """Mean F1 of the classes that are present or predicted (scikit-learn's default label set)."""
    return _mean_defined(f1(margin))


def margin_weighted_f1(margin: np.ndarray) -> np.ndarray:
    """F1 weighted by support."""
    support = margin[..., 1, :]
    return _ratio((np.nan_to_num(f1(margin)) * support).sum(axis=-1), support.sum(axis=-1))


CONFUSION_SCORES: Mapping[str, Callable[[np.ndarray], np.ndarray]] = MappingProxyType(
    {
        "uar": margin_uar,
        "accuracy": margin_accuracy,
        "macro_f1": margin_macro_f1,
        "weighted_f1": margin_weighted_f1,
    }
)


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
