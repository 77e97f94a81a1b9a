"""Modulation of the voice's bands: how fast and how deep their envelopes move, 2 to 16 Hz."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import numpy as np

from serbench.features.spectral import HOP, RATE

BANDS = 8
EDGES_HZ = (2.0, 4.0, 8.0, 16.0)
# An utterance shorter than this is filled up with its mean, so that every range holds some of the frequencies.
SHORTEST = 128


def modulation(bands: np.ndarray, sounding: np.ndarray) -> np.ndarray:
    """Depth of the modulation of band envelopes at 2–4, 4–8 and 8–16 Hz: (8, 3).

    The envelopes of neighbouring auditory bands are added to eight; between the first and the last sounding frame,
    the root of the power of each range is taken relative to the band's mean.

    Parameters
    ----------
    bands : ndarray of shape (frames, d)
        Auditory spectrum, d ≥ 8.
    sounding : ndarray of bool, (frames,)
        At least one is True.
    """
    first, last = np.flatnonzero(sounding)[[0, -1]]
    parts = np.array_split(bands[first : last + 1], BANDS, axis=1)
    envelopes = np.stack([part.mean(axis=1) for part in parts], axis=1)
    mean = envelopes.mean(axis=0)
    length = max(len(envelopes), SHORTEST)
    spectrum = np.abs(np.fft.rfft(envelopes - mean, n=length, axis=0)) ** 2
    depth = np.sqrt(2 * (_ranges(length) @ spectrum)) / len(envelopes)
    return (depth / np.where(mean > 0, mean, 1.0)).T


@cache
def _ranges(length: int) -> np.ndarray:
    hertz = np.fft.rfftfreq(length, HOP / RATE)
    return np.stack([(hertz >= low) & (hertz < high) for low, high in pairwise(EDGES_HZ)]).astype(np.float64)
