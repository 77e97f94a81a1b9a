"""Augmentation of standardised frames, in training only: each strength is a parameter, zero is none.

Masking follows Park et al. (2019), SpecAugment, Interspeech; mixup Zhang et al. (2018), ICLR.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np


def augment(X: Sequence[np.ndarray], random: np.random.Generator, params: Mapping[str, Any]) -> list[np.ndarray]:
    """Return altered copies of standardised sequences.

    Parameters
    ----------
    X : sequence of (frames, d) float32 arrays
    params : mapping
        `stretch` (largest relative change of tempo), `shift` (standard deviation of an offset per utterance
        and dimension: another voice or channel), `noise` (standard deviation per value), `time_mask` and
        `feature_mask` (largest share of frames and of dimensions set to the mean).
    """
    return [_augment_one(x, random, params) for x in X]


def _augment_one(x: np.ndarray, random: np.random.Generator, params: Mapping[str, Any]) -> np.ndarray:
    x = stretched(x, random.uniform(-params["stretch"], params["stretch"])) if params["stretch"] else x.copy()
    frames, dimensions = x.shape
    if params["shift"]:
        x += params["shift"] * random.standard_normal(dimensions, dtype=np.float32)
    if params["noise"]:
        x += params["noise"] * random.standard_normal(x.shape, dtype=np.float32)
    if params["time_mask"]:
        start, width = _mask(frames, params["time_mask"], random)
        x[start : start + width] = 0
    if params["feature_mask"]:
        start, width = _mask(dimensions, params["feature_mask"], random)
        x[:, start : start + width] = 0
    return x


def stretched(x: np.ndarray, change: float) -> np.ndarray:
    """Resample (frames, d) in time by linear interpolation: `change` 0.1 makes it 10 % longer."""
    length = max(1, round(len(x) * (1 + change)))
    position = np.linspace(0, len(x) - 1, length)
    left = np.minimum(position.astype(int), max(len(x) - 2, 0))
    right = np.minimum(left + 1, len(x) - 1)
    weight = (position - left).astype(np.float32)[:, None]
    return x[left] * (1 - weight) + x[right] * weight


def mixup(frames, valid, targets, random: np.random.Generator, strength: float):
    """Blend each utterance of a padded batch with another one, targets alike.

    Parameters
    ----------
    strength : float
        Parameter of the symmetric Beta distribution that weights are drawn from.
    """
    weight = random.beta(strength, strength, size=len(frames)).astype(np.float32)
    weight = np.maximum(weight, 1 - weight)
    partner = random.permutation(len(frames))
    mixed = weight[:, None, None] * frames + (1 - weight)[:, None, None] * frames[partner]
    soft = weight[:, None] * targets + (1 - weight)[:, None] * targets[partner]
    # The stronger one keeps its length: what the weaker has behind it is not heard.
    return mixed * valid[..., None], soft


def _mask(length: int, share: float, random: np.random.Generator) -> tuple[int, int]:
    width = int(random.integers(0, int(length * share) + 1))
    return int(random.integers(0, length - width + 1)), width
