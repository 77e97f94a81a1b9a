"""Fewer frames: the means of neighbouring ones."""

from __future__ import annotations

import numpy as np


def average_frames(frames: np.ndarray, count: int) -> np.ndarray:
    """Means of `count` neighbouring frames each, (ceil(n / count), d) of (n, d); the last is of those that are left."""
    if count == 1:
        return frames
    starts = np.arange(0, len(frames), count)
    counts = np.diff([*starts, len(frames)])
    return np.add.reduceat(frames, starts, axis=0) / counts[:, None].astype(np.float32)
