"""What is concluded of a sealed fold: PASS, FAIL or undecided, each by a stated test."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from serbench.scoring.margins import confusion_counts

# Sums in another order differ in the last bits; this is far above them and far below anything that matters.
TOLERANCE = 1e-3
DRAWS = 20_000
# Over all folds of a row: one honest row in a hundred may fail by chance.
ALPHA = 0.01
MOST_FOLDS = 100


@dataclass(frozen=True)
class Check:
    """The outcome of one test of one fold.

    Attributes
    ----------
    passed : bool or None
        None: nothing can be said.
    detail : str
        What was seen.
    """

    passed: bool | None
    detail: str = ""

    def to_json(self) -> dict[str, object]:
        """Plain data."""
        return {"outcome": {True: "PASS", False: "FAIL", None: "undecided"}[self.passed], "detail": self.detail}


def permutations_needed(classes: int) -> int:
    """How often training labels have to be permuted so that the test can tell at all.

    With `classes` classes, chance alone gets every class right with probability 1/classes! each time.

    Examples
    --------
    >>> [permutations_needed(classes) for classes in (2, 3, 4, 7)]
    [14, 6, 3, 2]
    """
    return max(2, math.ceil(math.log(MOST_FOLDS / ALPHA) / math.log(math.factorial(classes))))


def judge_permuted(truth: np.ndarray, answers: np.ndarray, *, folds: int) -> Check:
    """Whether models of permuted training labels know the labels of the test part.

    Exchangeable under the null hypothesis are the names of the classes, not the utterances: a model of permuted labels
    still answers alike what sounds alike. The statistic is the UAR, averaged over the models; its null distribution
    comes from renaming the classes of each model's answers at random (20,000 draws). FAIL below 0.01 over all folds.

    Parameters
    ----------
    truth : ndarray of int, shape (n,)
    answers : ndarray of shape (models, n, K)
        Probabilities.
    folds : int
        Folds of the row, over which the level is divided.
    """
    classes = answers.shape[2]
    counts = np.array([confusion_counts(truth, answer.argmax(axis=1), classes) for answer in answers])
    # Share of each true class (row) that is answered by each class (column).
    tables = counts / np.maximum(counts.sum(axis=2, keepdims=True), 1)
    supported = np.flatnonzero(np.bincount(truth, minlength=classes))
    score = tables[:, supported, supported].mean()
    random = np.random.default_rng(0)
    drawn = np.zeros(DRAWS)
    for table in tables:
        names = random.permuted(np.tile(np.arange(classes), (DRAWS, 1)), axis=1)
        drawn += table[supported, names[:, supported]].mean(axis=1)
    p = (1 + np.count_nonzero(drawn / len(tables) >= score - 1e-12)) / (1 + DRAWS)
    said = f"UAR {score:.2f} with permuted training labels (chance {1 / len(supported):.2f}, p = {p:.2g})"
    return Check(bool(p >= ALPHA / folds), said)


def judge_answers(recorded: np.ndarray, sealed: np.ndarray) -> Check:
    """Whether the sealed process answers as the record does; both are probabilities (n, K)."""
    moved = float(np.abs(recorded - sealed).max())
    differing = int((recorded.argmax(axis=1) != sealed.argmax(axis=1)).sum())
    if moved <= TOLERANCE:
        return Check(True, f"as recorded (largest change {moved:.1g})")
    return Check(False, f"{differing} of {len(sealed)} answers are others than recorded (largest change {moved:.2g})")


def judge_weights(first: str, second: str) -> Check:
    """Whether two fits with different noise for the test part are the same."""
    if not (first and second):
        return Check(None, "the fitted model cannot be serialised")
    return Check(first == second, "the same" if first == second else "depend on the audio of the test part")
