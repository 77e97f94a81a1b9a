"""A support vector classifier whose probabilities agree with its predictions; kernels by products of matrices."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from scipy.special import expit, softmax
from sklearn.metrics.pairwise import linear_kernel, rbf_kernel
from sklearn.svm import SVC

# Beyond so many vectors their kernel would take more than 0.8 GB, and libsvm computes what it needs value by value.
MOST = 10_000


class SoftmaxSVC(SVC):
    """`SVC` whose probabilities are the softmax of its one-vs-rest decision values.

    Platt scaling costs five further fits and can contradict `predict`. The softmax costs nothing and, with
    ``break_ties=True``, its largest value is the predicted class. The values are scores that sum to one,
    not calibrated probabilities.

    libsvm computes a kernel value by value, and anew in each of the classifiers between two classes; from a product of
    matrices the same values come tens of times faster where vectors are long.
    """

    def predict_proba(self, X) -> np.ndarray:
        """Return (n, n_classes) scores that sum to one."""
        decision = self.decision_function(X)
        if decision.ndim == 1:
            second = expit(decision)
            return np.column_stack([1 - second, second])
        return softmax(decision, axis=1)

    # The steps below are those that `fit` and `decision_function` of the base class call for dense vectors.
    def _dense_fit(self, X, y, sample_weight, solver_type, kernel, random_seed):
        if kernel not in ("rbf", "linear") or len(X) > MOST:
            return super()._dense_fit(X, y, sample_weight, solver_type, kernel, random_seed)
        super()._dense_fit(self._values(X, X), y, sample_weight, solver_type, "precomputed", random_seed)
        self.support_vectors_ = X[self.support_]

    def _dense_decision_function(self, X):
        if self.kernel not in ("rbf", "linear"):
            return super()._dense_decision_function(X)
        values = self._values(np.asarray(X, dtype=np.float64), self.support_vectors_)
        ends = np.cumsum(self._n_support)
        own = [slice(end - count, end) for end, count in zip(ends, self._n_support, strict=True)]
        # scikit-learn's user guide, "Details on the dual coefficients": those of the vectors of a class against the
        # other classes lie in the rows, in the order of the classes without their own.
        decisions = [
            values[:, own[i]] @ self._dual_coef_[j - 1, own[i]] + values[:, own[j]] @ self._dual_coef_[i, own[j]]
            for i, j in combinations(range(len(own)), 2)
        ]
        return np.column_stack(decisions) + self._intercept_

    def _values(self, X, Y):
        return linear_kernel(X, Y) if self.kernel == "linear" else rbf_kernel(X, Y, gamma=self._gamma)
