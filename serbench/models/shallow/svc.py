"""A support vector classifier with probabilities that agree with its predictions."""

from __future__ import annotations

import numpy as np
from scipy.special import expit, softmax
from sklearn.svm import SVC


class SoftmaxSVC(SVC):
    """`SVC` whose probabilities are the softmax of its one-vs-rest decision values.

    Platt scaling costs five further fits and can contradict `predict`. The softmax costs nothing and, with
    ``break_ties=True``, its largest value is the predicted class. The values are scores that sum to one,
    not calibrated probabilities.
    """

    def predict_proba(self, X) -> np.ndarray:
        """Return (n, n_classes) scores that sum to one."""
        decision = self.decision_function(X)
        if decision.ndim == 1:
            second = expit(decision)
            return np.column_stack([1 - second, second])
        return softmax(decision, axis=1)
