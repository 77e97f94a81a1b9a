"""Emotion from who speaks alone: a floor for splits that share speakers."""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


class SpeakerIdentity(ClassifierMixin, BaseEstimator):
    """Recognises the speaker from the features and answers with the label shares of the recognised speakers.

    P(label | x) = sum over speakers of P(speaker | x) P(label | speaker). Where speakers are on both sides of a split
    and differ in what they say, this alone is above chance; on unseen speakers it is not.

    Parameters
    ----------
    C : float
        Inverse regularisation of the recogniser, a logistic regression.
    """

    def __init__(self, C: float = 0.1):
        self.C = C

    def fit(self, X: np.ndarray, y: np.ndarray, groups: np.ndarray) -> SpeakerIdentity:
        """Fit to vectors (n, d), codes, and the speaker of each."""
        names, who = np.unique(np.asarray(groups).astype(str), return_inverse=True)
        self.classes_, codes = np.unique(y, return_inverse=True)
        counts = np.zeros((len(names), len(self.classes_)))
        np.add.at(counts, (who, codes), 1)
        self.shares_ = counts / counts.sum(axis=1, keepdims=True)
        self.recogniser_ = None
        if len(names) > 1:
            self.recogniser_ = make_pipeline(StandardScaler(), LogisticRegression(C=self.C, max_iter=300)).fit(X, who)
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Return (n, n_classes) probabilities."""
        if self.recogniser_ is None:
            return np.tile(self.shares_[0], (len(X), 1))
        return self.recogniser_.predict_proba(X) @ self.shares_

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the most probable codes."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]
