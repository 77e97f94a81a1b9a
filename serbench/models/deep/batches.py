"""From ragged sequences to padded batches: crop, pool, standardise, bucket by length."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from serbench.errors import ModelError
from serbench.features.frames import average_frames

CROPS = ("center", "start", "end")
POOLED_BATCHES = 8


@dataclass(frozen=True)
class Preparation:
    """What turns a feature sequence into network input; fitted on training sequences.

    Attributes
    ----------
    max_frames : int
        Longer sequences are cropped to it (before pooling).
    crop : {"center", "start", "end"}
        Which part is kept.
    pool : int
        Neighbouring frames that are averaged into one.
    mean, scale : ndarray of shape (d,)
        Mean and standard deviation of the pooled training frames.
    """

    max_frames: int
    crop: str
    pool: int
    mean: np.ndarray
    scale: np.ndarray

    @classmethod
    def fit(cls, X: Sequence[np.ndarray], *, max_frames: int, crop: str, pool: int) -> Preparation:
        """Measure mean and standard deviation over all frames of the training sequences."""
        if crop not in CROPS:
            raise ModelError(f"unknown crop '{crop}'", hint=f"one of {', '.join(CROPS)}")
        frames = np.concatenate([shorten(x, max_frames, crop, pool) for x in X]).astype(np.float64)
        scale = frames.std(axis=0)
        # A constant dimension carries nothing; dividing by 1 leaves it at zero.
        scale[scale < 1e-8] = 1.0
        return cls(max_frames, crop, pool, frames.mean(axis=0).astype(np.float32), scale.astype(np.float32))

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return what `from_arrays` rebuilds this from, as arrays for an NPZ file."""
        return {name: np.asarray(value) for name, value in vars(self).items()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Preparation:
        """Rebuild from `to_arrays`."""
        plain = {name: arrays[name].item() for name in ("max_frames", "crop", "pool")}
        return cls(**plain, mean=arrays["mean"], scale=arrays["scale"])

    def apply(self, X: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Return cropped, pooled and standardised copies."""
        for x in X:
            if np.ndim(x) != 2 or x.shape[1] != len(self.mean) or not len(x):
                raise ModelError(f"a sequence of shape {np.shape(x)}, expected (frames, {len(self.mean)})")
        return [(shorten(x, self.max_frames, self.crop, self.pool) - self.mean) / self.scale for x in X]


def shorten(x: np.ndarray, max_frames: int, crop: str, pool: int) -> np.ndarray:
    """Crop (frames, d) to `max_frames` and average groups of `pool` frames; the last group may be smaller."""
    surplus = max(0, len(x) - max_frames)
    start = {"center": surplus // 2, "start": 0, "end": surplus}[crop]
    return average_frames(np.asarray(x[start : start + max_frames], dtype=np.float32), pool)


def pad(X: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Stack ragged sequences.

    Returns
    -------
    frames : float32 ndarray of shape (n, longest, d)
        Zeros behind each sequence's end.
    valid : float32 ndarray of shape (n, longest)
        1 for frames, 0 for padding.
    """
    lengths = np.array([len(x) for x in X])
    frames = np.zeros((len(X), lengths.max(), X[0].shape[1]), dtype=np.float32)
    for row, x in enumerate(X):
        frames[row, : len(x)] = x
    valid = (np.arange(lengths.max()) < lengths[:, None]).astype(np.float32)
    return frames, valid


def training_order(lengths: np.ndarray, batch_size: int, random: np.random.Generator) -> list[np.ndarray]:
    """Cut one epoch into batches of similar length, in random order.

    Sequences are shuffled, sorted by length within pools of a few batches, and cut: little padding,
    and still other company in every epoch. Each sequence comes once.
    """
    shuffled = random.permutation(len(lengths))
    pools = np.array_split(shuffled, max(1, round(len(shuffled) / (batch_size * POOLED_BATCHES))))
    batches = []
    for pool in pools:
        ordered = pool[np.argsort(lengths[pool], kind="stable")]
        batches += np.array_split(ordered, max(1, round(len(ordered) / batch_size)))
    return [batches[i] for i in random.permutation(len(batches))]


def inference_order(lengths: np.ndarray, batch_size: int) -> Iterator[np.ndarray]:
    """Batches of positions, sorted by length."""
    ordered = np.argsort(lengths, kind="stable")
    for start in range(0, len(ordered), batch_size):
        yield ordered[start : start + batch_size]
