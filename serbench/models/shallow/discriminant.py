"""Linear discriminant analysis as the package uses it."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis


def make_discriminant(shrinkage: float | str, n_classes: int) -> Any:
    """Return an unfitted discriminant with equal priors: every class counts the same.

    Parameters
    ----------
    shrinkage : float or "auto"
        Of the covariance within classes towards a multiple of the identity; "auto" is Ledoit and Wolf's.
    """
    return LinearDiscriminantAnalysis(solver="lsqr", shrinkage=shrinkage, priors=np.full(n_classes, 1 / n_classes))
