"""Many support vector classifiers on the same vectors: inner products once, each kernel from them."""

from __future__ import annotations

import numpy as np

from serbench.errors import ModelError
from serbench.models.shallow.svc import SoftmaxSVC


class KernelTrials:
    """Fits `SoftmaxSVC` with any kernel parameters to one training part and predicts one test part.

    libsvm computes kernels value by value and anew in each of the classifiers between two classes; from a product of
    matrices they come several times faster.

    Parameters
    ----------
    X : ndarray of shape (n, d)
        Scaled, like `Xv`.
    y : ndarray of int, shape (n,)
    Xv : ndarray of shape (m, d)
    seed : int
    """

    def __init__(self, X: np.ndarray, y: np.ndarray, Xv: np.ndarray, seed: int):
        X, Xv = (values.astype(np.float64) for values in (X, Xv))
        self._y, self._seed = y, seed
        self._scale = {"scale": 1 / (X.shape[1] * (X.var() or 1.0)), "auto": 1 / X.shape[1]}
        self._products = [values @ X.T for values in (X, Xv)]
        squares = np.square(X).sum(axis=1)
        own = [squares, np.square(Xv).sum(axis=1)]
        self._distances = [
            np.maximum(norms[:, None] + squares - 2 * products, 0)
            for norms, products in zip(own, self._products, strict=True)
        ]

    def predict_proba(self, *, kernel: str, C: float, gamma: float | str, class_weight: str | None) -> np.ndarray:
        """Return (m, n_classes) scores of the test part, as `SoftmaxSVC` with these parameters gives them.

        Raises
        ------
        ModelError
            For another kernel than ``rbf`` and ``linear``.
        """
        training, testing = self._kernels(kernel, gamma)
        model = SoftmaxSVC(
            kernel="precomputed", C=C, class_weight=class_weight, break_ties=True, random_state=self._seed
        )
        return model.fit(training, self._y).predict_proba(testing)

    def _kernels(self, kernel: str, gamma: float | str) -> list[np.ndarray]:
        if kernel == "linear":
            return self._products
        if kernel == "rbf":
            width = self._scale[gamma] if isinstance(gamma, str) else gamma
            return [np.exp(-width * distances) for distances in self._distances]
        raise ModelError(f"kernel '{kernel}' cannot be searched", hint="rbf or linear")
