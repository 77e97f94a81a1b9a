"""What the estimators of networks share, whichever library trains them; imports neither."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from serbench.errors import ModelError
from serbench.scoring import accuracy, uar


class NetworkClassifier:
    """An estimator over feature sequences with scikit-learn's contract: its `model` is the fitted network.

    Parameters
    ----------
    params : mapping
    n_classes : int
    seed : int

    Attributes
    ----------
    classes_ : ndarray
        The codes 0..n_classes-1.
    history : dict of str to list of float
        What was noted while it was trained.
    watch : callable or None
        ``watch(time, history) -> bool``, set by who wants to follow or stop the training.
    """

    def __init__(self, params: Mapping[str, Any], *, n_classes: int, seed: int):
        self.params, self.n_classes, self.seed = dict(params), int(n_classes), int(seed)
        self.classes_ = np.arange(n_classes)
        self.history: dict[str, list[float]] = {}
        self.watch: Callable[[int, dict], bool] | None = None

    def predict_proba(self, X: Sequence[np.ndarray]) -> np.ndarray:
        """Return (n, n_classes) probabilities."""
        if not hasattr(self, "model"):
            raise ModelError("the model has not been fitted")
        return self._probabilities(X)

    def predict(self, X: Sequence[np.ndarray]) -> np.ndarray:
        """Return the most probable codes."""
        return self.predict_proba(X).argmax(axis=1)

    def _probabilities(self, X: Sequence[np.ndarray]) -> np.ndarray:
        raise NotImplementedError


def softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities of logits (n, n_classes), float64."""
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def note_validation(
    history: dict[str, list[float]], probabilities: np.ndarray, y: np.ndarray, monitor: str = "uar"
) -> float:
    """Add loss (the mean cross-entropy), accuracy and UAR of the validation part to a history.

    Returns
    -------
    float
        The better, the higher: of UAR, or of the loss where `monitor` says ``loss``.
    """
    loss = float(-np.log(np.clip(probabilities[np.arange(len(y)), y], 1e-7, 1.0)).mean())
    note_scores(history, "val_", loss, y, probabilities.argmax(axis=1), probabilities.shape[1])
    # Few validation utterances make UAR coarse: the loss decides between equals.
    return -loss if monitor == "loss" else history["val_uar"][-1] - 1e-6 * loss


def note_scores(
    history: dict[str, list[float]], part: str, loss: float, truth: np.ndarray, guess: np.ndarray, n_classes: int
) -> None:
    """Add loss, accuracy and UAR of a part (`val_`, or none for training) to a history."""
    classes = range(n_classes)
    scores = {"accuracy": accuracy(truth, guess, labels=classes), "uar": uar(truth, guess, labels=classes)}
    for name, value in {"loss": loss, **scores}.items():
        history.setdefault(part + name, []).append(value)
