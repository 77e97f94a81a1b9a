"""Scores of predicted labels against true ones, over an explicit label list."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from serbench.errors import LabelError, UnknownName
from serbench.scoring.calibration import brier_scores, expected_calibration_error, log_losses
from serbench.scoring.coding import CodedPredictions, label_codes
from serbench.scoring.intervals import Interval, intervals, margins_by_unit
from serbench.scoring.margins import CONFUSION_SCORES, classes_scored, confusion_counts, margins, per_class
from serbench.scoring.paired import difference_of, pooled_predictions

Labels = Sequence[Hashable]


def confusion_matrix(truth: Labels, predicted: Labels, *, labels: Labels) -> np.ndarray:
    """Counts of (true class, predicted class), shape (K, K), in the order of `labels`.

    Raises
    ------
    LabelError
        If a label is not in the list, or there is nothing to score; so does every function here.
    """
    return confusion_counts(*_coded(truth, predicted, labels), len(labels))


def uar(truth: Labels, predicted: Labels, *, labels: Labels) -> float:
    """Unweighted average recall (balanced accuracy) over the classes of `labels` that `truth` holds.

    Examples
    --------
    >>> uar(["sad", "sad", "angry", "angry"], ["sad", "angry", "angry", "angry"], labels=["angry", "calm", "sad"])
    0.75
    """
    return _scored("uar", truth, predicted, labels)


def accuracy(truth: Labels, predicted: Labels, *, labels: Labels) -> float:
    """Share of utterances that are predicted rightly."""
    return _scored("accuracy", truth, predicted, labels)


def macro_f1(truth: Labels, predicted: Labels, *, labels: Labels) -> float:
    """Mean F1 of the classes that are present or predicted (scikit-learn's default label set)."""
    return _scored("macro_f1", truth, predicted, labels)


def weighted_f1(truth: Labels, predicted: Labels, *, labels: Labels) -> float:
    """F1 weighted by support."""
    return _scored("weighted_f1", truth, predicted, labels)


def interval(
    truth: Labels,
    predicted: Labels,
    *,
    labels: Labels,
    groups: Sequence[Hashable] | None = None,
    score: str = "uar",
) -> Interval:
    """95 % interval of a score; see `serbench.scoring.intervals.intervals` for the method.

    Parameters
    ----------
    truth, predicted : sequences of length n
    labels : sequence of length K
    groups : sequence of length n, optional
        The speaker of each utterance: speakers are resampled. Without them, or where one is empty or there is but one,
        utterances are, and the interval says so.
    score : {"uar", "accuracy", "macro_f1", "weighted_f1"}

    Raises
    ------
    UnknownName
        For another score.

    Examples
    --------
    >>> truth, speakers = ["a", "b"] * 6, [1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3]
    >>> found = interval(truth, ["a", "b", "a", "a"] * 3, labels=["a", "b"], groups=speakers)
    >>> found.low, found.high, found.method
    (0.75, 0.75, 'jackknife with t')
    """
    if score not in CONFUSION_SCORES:
        raise UnknownName.among("score", score, CONFUSION_SCORES)
    tested = _tested(truth, predicted, labels, [""] * len(truth) if groups is None else groups)
    statistics, unit = margins_by_unit([tested], [0], len(labels))
    return intervals(statistics, {score: CONFUSION_SCORES[score]}, unit)[score]


def paired_difference(
    truth: Labels, a: Labels, b: Labels, *, labels: Labels, groups: Sequence[Hashable]
) -> dict[str, Any]:
    """Difference of the UARs of two systems on the same utterances, A − B.

    Parameters
    ----------
    truth, a, b : sequences of length n
        True labels, and what each system predicted.
    labels : sequence of length K
    groups : sequence of length n
        The speaker of each utterance, none of them empty.

    Returns
    -------
    dict
        See `serbench.scoring.paired.difference_of`.

    Raises
    ------
    ResultsError
        If a speaker is unknown, or there are fewer than two.

    Examples
    --------
    >>> truth, speakers = ["a", "b"] * 6, [1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3]
    >>> found = paired_difference(truth, truth, ["a", "b", "a", "a"] * 3, labels=["a", "b"], groups=speakers)
    >>> found["difference"], found["p"]
    (0.25, 0.25)
    """
    return difference_of(
        *(pooled_predictions([_tested(truth, predicted, labels, groups)], labels) for predicted in (a, b))
    )


def score(
    truth: Labels,
    predicted: Labels,
    labels: Labels,
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
    true, called = _coded(truth, predicted, labels)
    confusion = confusion_counts(true, called, len(labels))
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


def _scored(name: str, truth: Labels, predicted: Labels, labels: Labels) -> float:
    return float(CONFUSION_SCORES[name](margins(confusion_matrix(truth, predicted, labels=labels))))


def _coded(truth: Labels, predicted: Labels, labels: Labels) -> tuple[np.ndarray, np.ndarray]:
    if len(truth) != len(predicted) or not len(truth):
        raise LabelError(f"{len(truth)} true labels against {len(predicted)} predicted ones: nothing to score")
    return label_codes(truth, labels), label_codes(predicted, labels)


def _tested(truth: Labels, predicted: Labels, labels: Labels, groups: Sequence[Hashable]) -> CodedPredictions:
    codes = _coded(truth, predicted, labels)
    if len(groups) != len(truth):
        raise LabelError(f"{len(truth)} true labels against {len(groups)} groups: each utterance has one")
    return CodedPredictions(*codes, np.array(groups, dtype=object), np.arange(len(truth)))
