"""XGBoost on the values of a vector that say something of their own.

Its histogram method counts every value at every node, also those that `colsample_bytree` then leaves out. Functionals
of neighbouring bands are nearly the same as one another: of 1,400 values, two thirds repeat what others say.
"""

from __future__ import annotations

import warnings

import numpy as np
from sklearn.feature_selection import f_classif
from xgboost import XGBClassifier

# Absolute correlation from which on a value repeats another.
REPEATS = 0.8


def distinct_values(X: np.ndarray, y: np.ndarray, most: int) -> np.ndarray:
    """Positions of at most `most` values, the best by their F ratio between classes, none repeating a better one.

    The F ratio alone would take the same thing many times: it cost 20 points of UAR on inner speakers of RAVDESS.

    Parameters
    ----------
    X : ndarray of shape (n, d)
        Training vectors.
    y : ndarray of shape (n,)

    Returns
    -------
    ndarray of int
        Ascending.
    """
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        # Constant values, which have no ratio.
        warnings.simplefilter("ignore")
        ratios = np.nan_to_num(f_classif(X, y)[0])
    centred = (X - X.mean(axis=0, dtype=np.float64)).astype(np.float32)
    lengths = np.linalg.norm(centred, axis=0)
    unit = centred / np.where(lengths > 0, lengths, 1)
    alike = np.abs(unit.T @ unit) >= REPEATS
    open_, kept = lengths > 0, []
    for position in np.argsort(-ratios, kind="stable"):
        if open_[position] and len(kept) < most:
            kept.append(position)
            open_ &= ~alike[position]
    return np.sort(np.array(kept, dtype=int))


class ScreenedXGBClassifier(XGBClassifier):
    """XGBoost fitted to at most `screen` values that do not repeat one another, found in the training vectors.

    Values that are screened out are missing in training, so that no tree asks for them: what is fitted takes whole
    vectors, and is saved and exported as any `XGBClassifier`.
    """

    def __init__(self, *, screen: int, **params):
        self.screen = screen
        super().__init__(**params)

    def get_xgb_params(self) -> dict:
        """Parameters of the booster itself."""
        return {name: value for name, value in super().get_xgb_params().items() if name != "screen"}

    def fit(self, X, y, **options):
        """Screen by the training vectors alone, and fit."""
        chosen = distinct_values(X, y, self.screen)
        telling = np.full(X.shape, np.nan, dtype=np.float32)
        telling[:, chosen] = X[:, chosen]
        return super().fit(telling, y, **options)
