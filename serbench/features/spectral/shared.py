"""A feature set computed from an `Analysis`, which several sets of one utterance can share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from serbench.features.spectral.analysis import Analysis


@dataclass(frozen=True)
class SharedExtract:
    """The `extract` of a spec whose features are read from an analysis.

    Called with a signal and a rate, as any `extract`; whoever has analysed the utterance already calls `describe`.

    Attributes
    ----------
    describe : callable
        ``describe(analysis, **params) -> array``.
    """

    describe: Callable[..., np.ndarray]

    def __call__(self, signal: np.ndarray, rate: int, **params: Any) -> np.ndarray:
        """Analyse `signal` (mono, `rate` Hz) and describe it."""
        return self.describe(Analysis(signal, rate), **params)


def shared(describe: Callable[..., np.ndarray]) -> SharedExtract:
    """Decorator: make ``describe(analysis, **params)`` the `extract` of a feature set."""
    return SharedExtract(describe)
