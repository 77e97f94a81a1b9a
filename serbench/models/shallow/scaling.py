"""How the values of vectors are scaled before a model sees them; fitted on training vectors."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.preprocessing import QuantileTransformer, RobustScaler, StandardScaler

from serbench.errors import UnknownName

SCALERS = ("standard", "robust", "quantile", "none")


def make_scaler(name: str) -> Any:
    """Return a step of a scikit-learn pipeline.

    Parameters
    ----------
    name : {"standard", "robust", "quantile", "none"}
        Zero mean and unit variance; median and interquartile range; ranks turned into a normal distribution; as it is.

    Raises
    ------
    UnknownName
        For another name.
    """
    if name not in SCALERS:
        raise UnknownName.among("scaler", name, SCALERS)
    if name == "quantile":
        return QuantileTransformer(n_quantiles=100, output_distribution="normal", subsample=None)
    return {"standard": StandardScaler(), "robust": RobustScaler(), "none": "passthrough"}[name]


def scale_both(name: str, X: np.ndarray, Xv: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fit a scaler to (n, d) vectors and apply it to them and to (m, d) others."""
    if name == "none":
        return X, Xv
    scaler = make_scaler(name).fit(X)
    return scaler.transform(X), scaler.transform(Xv)
