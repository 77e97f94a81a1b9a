"""The features of a set of utterances as one array: a row each, or a run of frames each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from serbench.errors import FeatureError


@dataclass(frozen=True, eq=False)
class FeatureMatrix:
    """Features by utterance, unscaled and read-only.

    Attributes
    ----------
    ids : tuple of str
        `corpus/utterance`, n of them.
    values : ndarray, float32
        (n, d) for vectors; (frames of all utterances, d) for sequences.
    offsets : ndarray of int64, shape (n + 1,), or None
        Utterance i owns the frames ``offsets[i]:offsets[i + 1]``; None for vectors.

    Raises
    ------
    FeatureError
        If the shapes contradict one another or an id comes twice.

    Examples
    --------
    >>> pitch = FeatureMatrix(("a/1", "a/2"), np.array([[110.0], [220.0]], dtype=np.float32))
    >>> pitch.kind, pitch.dimensions, len(pitch)
    ('vector', 1, 2)
    >>> pitch.select(["a/2"]).values.tolist()
    [[220.0]]
    """

    ids: tuple[str, ...]
    values: np.ndarray
    offsets: np.ndarray | None = None

    def __post_init__(self) -> None:
        if self.values.ndim != 2:
            raise FeatureError(f"feature values have {self.values.ndim} dimensions, expected 2")
        if self.offsets is None:
            rows = len(self.values)
        else:
            rows = len(self.offsets) - 1
            if self.offsets[0] != 0 or self.offsets[-1] != len(self.values) or (np.diff(self.offsets) < 0).any():
                raise FeatureError("the offsets of a sequence matrix do not cover its frames in order")
        if rows != len(self.ids):
            raise FeatureError(f"{len(self.ids)} ids for the features of {rows} utterances")
        if len(set(self.ids)) != len(self.ids):
            raise FeatureError("an utterance comes twice in a feature matrix")
        if self.values.flags.writeable:
            view = self.values.view()
            view.flags.writeable = False
            object.__setattr__(self, "values", view)

    @classmethod
    def from_arrays(cls, ids: Sequence[str], arrays: Sequence[np.ndarray]) -> FeatureMatrix:
        """Build a matrix from one array per utterance, each (d,) or (frames, d)."""
        arrays = [np.asarray(array, dtype=np.float32) for array in arrays]
        if len({(array.ndim, array.shape[-1]) for array in arrays}) != 1 or arrays[0].ndim not in (1, 2):
            shapes = sorted({str(array.shape) for array in arrays})
            raise FeatureError(f"utterances differ in the shape of their features: {', '.join(shapes[:5])}")
        if arrays[0].ndim == 1:
            return cls(tuple(ids), np.stack(arrays))
        offsets = np.concatenate([[0], np.cumsum([len(array) for array in arrays])]).astype(np.int64)
        return cls(tuple(ids), np.concatenate(arrays), offsets)

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def kind(self) -> Literal["vector", "sequence"]:
        """Which of the two shapes it has."""
        return "vector" if self.offsets is None else "sequence"

    @property
    def dimensions(self) -> int:
        """Values per utterance, or per frame."""
        return self.values.shape[1]

    @cached_property
    def positions(self) -> dict[str, int]:
        """Where each id lies."""
        return {name: position for position, name in enumerate(self.ids)}

    def take(self, positions: Iterable[int]) -> np.ndarray | list[np.ndarray]:
        """Features at `positions`: (len, d) of vectors, or a list of (frames, d) arrays."""
        positions = np.asarray(list(positions), dtype=np.int64)
        if self.offsets is None:
            return self.values[positions]
        return [self.values[self.offsets[i] : self.offsets[i + 1]] for i in positions]

    def select(self, ids: Sequence[str]) -> FeatureMatrix:
        """The features of `ids`, in that order.

        Raises
        ------
        FeatureError
            Naming the utterances that the matrix does not hold.
        """
        ids = tuple(ids)
        if ids == self.ids:
            return self
        absent = [name for name in ids if name not in self.positions]
        if absent:
            raise FeatureError(f"no features for {len(absent)} of {len(ids)} utterances: {_some(absent)}")
        taken = self.take(self.positions[name] for name in ids)
        if self.offsets is None:
            return FeatureMatrix(ids, taken)
        offsets = np.concatenate([[0], np.cumsum([len(frames) for frames in taken])]).astype(np.int64)
        values = np.concatenate(taken) if taken else self.values[:0]
        return FeatureMatrix(ids, values, offsets)


def concatenate(matrices: Sequence[FeatureMatrix]) -> FeatureMatrix:
    """Join several vector matrices over the same utterances side by side.

    Raises
    ------
    FeatureError
        If one of several is a sequence, or the utterances differ.
    """
    first = matrices[0]
    if len(matrices) == 1:
        return first
    if any(matrix.kind != "vector" for matrix in matrices):
        raise FeatureError("only vectors can be concatenated", hint="list sequence sets as separate features entries")
    if any(matrix.ids != first.ids for matrix in matrices):
        raise FeatureError("the matrices to concatenate hold different utterances")
    return FeatureMatrix(first.ids, np.hstack([matrix.values for matrix in matrices]))


def check_array(array: np.ndarray, kind: str, *, name: str, utterance: str) -> np.ndarray:
    """Return the features of one utterance as float32, or say what is wrong with them.

    Parameters
    ----------
    array : array-like
        What a feature set returned.
    kind : {"vector", "sequence"}
    name, utterance : str
        The feature set and the utterance, for the message.

    Raises
    ------
    FeatureError
        If the shape does not fit `kind`, there is nothing in it, or a value is not finite.
    """
    array = np.asarray(array)
    expected = "(d,)" if kind == "vector" else "(frames, d)"
    where = f"{name} of {utterance}"
    if array.ndim != (1 if kind == "vector" else 2) or array.size == 0:
        raise FeatureError(f"features of shape {array.shape}, expected {expected}", where=where)
    if array.dtype.kind not in "fiub":
        raise FeatureError(f"features of type {array.dtype}, expected numbers", where=where)
    with np.errstate(over="ignore"):
        array = np.ascontiguousarray(array, dtype=np.float32)
    if not np.isfinite(array).all():
        bad = int(array.size - np.isfinite(array).sum())
        raise FeatureError(f"{bad} of {array.size} feature values are not finite", where=where)
    return array


def _some(names: Sequence[str], count: int = 5) -> str:
    more = f", … ({len(names) - count} more)" if len(names) > count else ""
    return ", ".join(names[:count]) + more
