"""Scores for emotion recognition, with speakers as the unit: scores, intervals, paired tests, calibration.

A small metric package over plain arrays that can be used alone; importing it imports numpy and nothing heavier.

Examples
--------
>>> from serbench import scoring
>>> truth, predicted = ["sad", "angry", "sad", "angry"] * 2, ["sad", "angry", "angry", "angry"] * 2
>>> scoring.uar(truth, predicted, labels=["angry", "sad"])
0.75
>>> scoring.interval(truth, predicted, labels=["angry", "sad"], groups=[1] * 4 + [2] * 4).unit
'speaker'
"""

from serbench.scoring.calibration import (
    CodedProbabilities,
    at_temperature,
    brier_scores,
    calibration,
    expected_calibration_error,
    fit_temperature,
    log_losses,
)
from serbench.scoring.coding import CodedPredictions, label_codes
from serbench.scoring.intervals import Interval
from serbench.scoring.paired import swap_test
from serbench.scoring.ranks import Ranking, optimism_of_best, pairwise_p, ranking
from serbench.scoring.scores import (
    accuracy,
    confusion_matrix,
    interval,
    macro_f1,
    paired_difference,
    score,
    uar,
    weighted_f1,
)

__all__ = [
    "CodedPredictions", "CodedProbabilities", "Interval", "Ranking", "accuracy", "at_temperature", "brier_scores",
    "calibration", "confusion_matrix", "expected_calibration_error", "fit_temperature", "interval", "label_codes",
    "log_losses", "macro_f1", "optimism_of_best", "paired_difference", "pairwise_p", "ranking", "score", "swap_test",
    "uar", "weighted_f1",
]  # fmt: skip
