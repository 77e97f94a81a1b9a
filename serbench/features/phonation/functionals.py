"""Functionals of descriptors over a part of the frames: voiced, unvoiced or all that sound."""

from __future__ import annotations

import numpy as np

from serbench.features.spectral.functionals import percentiles

LEVELS = (5, 25, 50, 75, 95)
FUNCTIONALS = (
    "mean",
    "deviation",
    *(f"percentile{share}" for share in LEVELS),
    "skewness",
    "kurtosis",
    "trend",
    "residual",
    "rise",
    "fall",
    "change_deviation",
    "peaks",
)


def describe(frames: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Functionals of each column, all 0 without frames: (15, d), float32, rows as in `FUNCTIONALS`.

    Moments and percentiles; `trend`: slope of the regression line from the part's first frame (0) to its last
    (1), and `residual`: the standard deviation around it; `rise` and `fall`: the mean of the positive and of the
    negative changes between adjoining frames, and the standard deviation of all; `peaks`: the share of frames that
    are higher than both neighbours.

    Parameters
    ----------
    frames : ndarray of shape (n, d)
        The frames of the part.
    positions : ndarray of shape (n,)
        Their numbers in the utterance, ascending: only neighbours there are neighbours here.
    """
    count, width = frames.shape
    if not count:
        return np.zeros((len(FUNCTIONALS), width), dtype=np.float32)
    mean = frames.mean(axis=0, dtype=np.float64).astype(np.float32)
    centred = frames - mean
    square = centred * centred
    variance = square.mean(axis=0)
    deviation = np.sqrt(variance)
    # A column that does not vary has no shape.
    varies = deviation > 1e-5 * (np.abs(mean) + 1e-5)
    scale = np.where(varies, deviation, np.float32(1.0))
    skewness = (square * centred).mean(axis=0) / scale**3
    kurtosis = (square * square).mean(axis=0) / scale**4
    position = (positions - positions.mean()) / max(positions[-1] - positions[0], 1)
    spread = float((position**2).mean())
    trend = (position.astype(np.float32) @ centred) / np.float32(count * spread if spread > 0 else 1.0)
    residual = np.sqrt(np.maximum(variance - trend**2 * np.float32(spread), 0.0))
    adjoining = np.diff(positions) == 1
    change = np.diff(frames, axis=0)[adjoining]
    steps = max(len(change), 1)
    rise, fall = np.maximum(change, 0.0).sum(axis=0) / steps, np.minimum(change, 0.0).sum(axis=0) / steps
    jumps = np.sqrt((change * change).sum(axis=0) / steps)
    higher = np.diff(frames, axis=0) > 0
    top = higher[:-1] & ~higher[1:] & (adjoining[:-1] & adjoining[1:])[:, None]
    rows = [mean, deviation, *percentiles(frames, LEVELS)]
    rows += [np.where(varies, skewness, 0.0), np.where(varies, kurtosis, 0.0), trend, residual]
    rows += [rise, fall, jumps, top.sum(axis=0) / count]
    return np.stack(rows).astype(np.float32)


def segments(member: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First frames and lengths, in frames, of the runs of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], member, [False]]).astype(np.int8)))
    return edges[::2], edges[1::2] - edges[::2]
