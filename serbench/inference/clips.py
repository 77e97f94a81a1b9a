"""One recording on its way into several feature sets, each at its own sampling rate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from serbench.corpora.audio import RATE, read_native, to_mono, to_rate
from serbench.errors import AudioError
from serbench.features.extract import Utterance
from serbench.registry import Registry

FULL_SCALE = 0.999
LOWEST_RATE, HIGHEST_RATE = 2_000, 384_000


class Clip:
    """Mono samples at the rate that they were recorded with.

    Parameters
    ----------
    signal : ndarray of shape (samples,), float32
        In [-1, 1].
    rate : int
        Hz.
    name : str
        For messages.
    channels : int
        That were averaged.
    clipped : float
        Share of samples at full scale, before the channels were averaged.
    """

    def __init__(
        self, signal: np.ndarray, rate: int, name: str = "the signal", *, channels: int = 1, clipped: float = 0
    ):
        self.signal, self.rate, self.name = signal, int(rate), name
        self.channels, self.clipped = channels, clipped
        self._at: dict[int, Utterance] = {}

    @property
    def seconds(self) -> float:
        """Length."""
        return len(self.signal) / self.rate

    def at(self, rate: int = RATE) -> Utterance:
        """The recording at another rate.

        Raises
        ------
        AudioError, FeatureError
            If nothing is left of it, or a sample is not finite.
        """
        if rate not in self._at:
            self._at[rate] = Utterance(to_rate(self.signal, self.rate, rate, where=self.name), rate, self.name)
        return self._at[rate]

    def describe(self, sets: Sequence[Mapping[str, Any]], registry: Registry) -> np.ndarray:
        """Features of one set, or of several concatenated: (d,) or (frames, d)."""
        specs = [registry.features(entry["name"], entry["params"]) for entry in sets]
        parts = [self.at(spec.rate).describe(spec, entry["params"]) for spec, entry in zip(specs, sets, strict=True)]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)


def read_clip(source: str | Path | bytes, name: str | None = None, *, longest: float | None = None) -> Clip:
    """Decode a file, or its bytes; `longest` (s) refuses what is longer before it is decoded.

    Raises
    ------
    AudioError
        As `read_native`; also for a sampling rate that no microphone has.
    """
    samples, rate = read_native(source, name=name, longest=longest)
    return _clip(samples, rate, name or str(source))


def samples_clip(samples: Any, rate: int, name: str = "the signal") -> Clip:
    """A recording from samples: floats in [-1, 1], mono, or (samples, channels).

    Raises
    ------
    AudioError
        If they are of another type or shape, none, or not finite; or the rate is none.
    """
    values = np.asarray(samples)
    if values.dtype.kind != "f" or values.ndim not in (1, 2) or not values.size:
        raise AudioError(
            f"samples of type {values.dtype} and shape {values.shape}", where=name,
            hint="give floats in [-1, 1] of shape (samples,) or (samples, channels)",
        )  # fmt: skip
    if not np.isfinite(values).all():
        raise AudioError("holds samples that are not finite numbers", where=name)
    table = np.asarray(values if values.ndim == 2 else values[:, None], dtype=np.float32)
    return _clip(table, rate, name)


def _clip(samples: np.ndarray, rate: int, name: str) -> Clip:
    if not LOWEST_RATE <= rate <= HIGHEST_RATE:
        raise AudioError(f"a sampling rate of {rate} Hz", where=name, hint=f"{LOWEST_RATE} to {HIGHEST_RATE} Hz")
    clipped = float((np.abs(samples) >= FULL_SCALE).mean())
    return Clip(to_mono(samples), rate, name, channels=samples.shape[1], clipped=clipped)
