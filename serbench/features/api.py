"""Features from Python: of a file or of samples."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from serbench.corpora.audio import RATE
from serbench.errors import FeatureError
from serbench.features.extract import Utterance, read_signal
from serbench.registry import Registry, build_registry
from serbench.specs import FeatureSpec


def extract(
    source: str | Path | np.ndarray,
    features: str | FeatureSpec = "handcrafted",
    *,
    rate: int | None = None,
    registry: Registry | None = None,
    **params: Any,
) -> np.ndarray:
    """Features of an audio file or of samples.

    Parameters
    ----------
    source : path, or ndarray of shape (samples,)
        A file in any readable format, or mono samples in [-1, 1] at `rate` Hz.
    features : str or FeatureSpec
        The name of a set (`serbench list features` shows them), or the set itself.
    rate : int, optional
        Sampling rate of the samples in Hz; the set's own rate (16,000 where it has none) unless told.
    registry : Registry, optional
        Where to look the name up; the package's own unless told.
    **params
        Parameters of the set, such as ``trim=40``.

    Returns
    -------
    ndarray, float32
        (d,) of a vector set, (frames, d) of a sequence set.

    Raises
    ------
    UnknownName
        For a set or a parameter that does not exist.
    AudioError, FeatureError
        If the file cannot be decoded, or the samples are empty or not finite.

    Examples
    --------
    >>> import numpy as np
    >>> tone = 0.1 * np.sin(2 * np.pi * 440 * np.arange(16_000) / 16_000)
    >>> extract(tone, "mfcc").shape
    (80,)
    >>> frames = extract(tone, "handcrafted_sequence")
    >>> frames.shape
    (63, 61)
    >>> int(frames[30, 40:52].argmax())  # the pitch class A, counted from C
    9
    """
    spec = (registry or build_registry()).features(features, params) if isinstance(features, str) else features
    if isinstance(source, (str, Path)):
        return Utterance(*read_signal(str(source), spec.rate), str(source)).describe(spec, params)
    samples = np.asarray(source)
    if samples.dtype.kind != "f":
        raise FeatureError(f"samples of type {samples.dtype}", hint="give floats in [-1, 1]")
    target = spec.rate or rate or RATE
    return Utterance(_resampled(samples, rate, target), target).describe(spec, params)


def _resampled(samples: np.ndarray, rate: int | None, target: int) -> np.ndarray:
    if rate is None or rate == target:
        return samples.astype(np.float32)
    import soxr

    return soxr.resample(samples.astype(np.float32), rate, target, quality="HQ")
