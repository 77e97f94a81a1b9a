"""Principal components, never more than the data have."""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.decomposition import PCA


class BoundedPCA(TransformerMixin, BaseEstimator):
    """Projection to ``min(n_components, d, n - 1)`` principal components.

    Parameters
    ----------
    n_components : int
        Components wanted; a small set or a short vector gives fewer.
    solver : {"full", "covariance_eigh"}
        How scikit-learn's `PCA` finds them: from the vectors, or from their covariance, which is faster where there are
        more vectors than dimensions.
    """

    def __init__(self, n_components: int = 200, solver: str = "full"):
        self.n_components = n_components
        self.solver = solver

    def fit(self, X, y=None) -> BoundedPCA:
        """Fit the projection to (n, d) vectors."""
        n, d = np.shape(X)
        self.pca_ = PCA(max(1, min(self.n_components, d, n - 1)), svd_solver=self.solver).fit(X)
        return self

    def transform(self, X) -> np.ndarray:
        """Project (n, d) vectors."""
        return self.pca_.transform(X)


def project_once(X: np.ndarray, Xv: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Project scaled (n, d) and (m, d) vectors to all components that the first have.

    The first k columns are what ``BoundedPCA(k)``, fitted on X, gives.
    """
    projection = BoundedPCA(min(np.shape(X))).fit(X)
    return projection.transform(X), projection.transform(Xv)
