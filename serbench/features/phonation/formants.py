"""Formants by linear prediction, from the part of the power spectrum in which they lie."""

from __future__ import annotations

from functools import cache

import numpy as np

from serbench.features.phonation.pitch import pitch
from serbench.features.spectral import Analysis
from serbench.features.spectral.analysis import once

CEILING_HZ = 5500.0
ORDER = 10
PREEMPHASIS_HZ = 50.0
EDGE_HZ = 50.0
COUNT = 3
# White noise of this share is added: without it, the prediction of a pure tone is singular.
NOISE = 1e-6


@once
def formants(analysis: Analysis) -> np.ndarray:
    """F1 to F3 and their bandwidths in the voiced frames, 0 where unvoiced.

    The autocorrelation of the signal below 5.5 kHz is a cosine transform of that part of its power spectrum (selective
    linear prediction), with a pre-emphasis of 6 dB an octave; ten coefficients give five poles. As in Praat, the
    lowest three between 50 Hz and 5.45 kHz are the formants. Where a pole is lost or two merge, all those above change
    their number: the median of three neighbouring frames mends it.

    Returns
    -------
    ndarray of shape (frames, 6), float32
        F1, F2, F3, then their bandwidths, Hz.

    References
    ----------
    J. Makhoul, Spectral linear prediction: properties and applications, IEEE Transactions on Acoustics, Speech, and
    Signal Processing 23(3), 1975.
    """
    found = np.zeros((analysis.frames, 2 * COUNT), dtype=np.float32)
    voiced = np.flatnonzero(pitch(analysis)[:, 0])
    if not len(voiced):
        return found
    bank = _cosines(analysis.rate, analysis.n_fft)
    correlation = analysis.power[voiced, : len(bank)] @ bank
    correlation = correlation.astype(np.float64) / correlation[:, :1]
    correlation[:, 0] += NOISE
    found[voiced] = _smoothed(_resonances(_predict(correlation)), voiced)
    return found


@cache
def _cosines(rate: int, n_fft: int) -> np.ndarray:
    # From power by bin to the autocorrelation at lags 0 to ORDER of the pre-emphasised signal: (bins, lags).
    hertz = np.arange(int(CEILING_HZ * n_fft / rate) + 1) * rate / n_fft
    angle = np.pi * hertz / CEILING_HZ
    emphasis = np.abs(1 - np.exp(-np.pi * PREEMPHASIS_HZ / CEILING_HZ - 1j * angle)) ** 2
    return (emphasis[:, None] * np.cos(np.outer(angle, np.arange(ORDER + 1)))).astype(np.float32)


def _predict(correlation: np.ndarray) -> np.ndarray:
    # Levinson's and Durbin's recursion, all frames at once: coefficients 1, a1 … a_ORDER of the inverse filter.
    frames = len(correlation)
    filters = np.zeros((frames, ORDER + 1))
    filters[:, 0] = 1.0
    error = correlation[:, 0].copy()
    for order in range(1, ORDER + 1):
        reflection = -(filters[:, :order] * correlation[:, order:0:-1]).sum(axis=1) / error
        # Rounding aside it lies within ±1 as the power is positive; kept there, the filter is stable.
        reflection = reflection.clip(-1 + 1e-6, 1 - 1e-6)
        filters[:, 1 : order + 1] += reflection[:, None] * filters[:, order - 1 :: -1][:, :order]
        error *= 1 - reflection**2
    return filters


def _resonances(filters: np.ndarray) -> np.ndarray:
    companion = np.zeros((len(filters), ORDER, ORDER))
    companion[:, 0] = -filters[:, 1:]
    companion[:, np.arange(1, ORDER), np.arange(ORDER - 1)] = 1.0
    poles = np.linalg.eigvals(companion)
    hertz = np.abs(np.angle(poles)) * CEILING_HZ / np.pi
    width = -np.log(np.maximum(np.abs(poles), 1e-6)) * 2 * CEILING_HZ / np.pi
    # One of each conjugate pair; what is no resonance goes to the end.
    valid = (poles.imag > 0) & (hertz > EDGE_HZ) & (hertz < CEILING_HZ - EDGE_HZ)
    order = np.argsort(np.where(valid, hertz, np.inf), axis=1)[:, :COUNT]
    valid, hertz, width = (np.take_along_axis(values, order, axis=1) for values in (valid, hertz, width))
    # A frame of fewer resonances than formants: the absent ones at their places in a uniform tube of 17.5 cm.
    neutral = CEILING_HZ / (2 * 5) * (2 * np.arange(COUNT) + 1) * (5000 / CEILING_HZ)
    return np.hstack([np.where(valid, hertz, neutral), np.where(valid, width, CEILING_HZ / 5)])


def _smoothed(values: np.ndarray, places: np.ndarray) -> np.ndarray:
    # The median of each row and its two neighbours, where both adjoin.
    if len(values) < 3:
        return values
    before, at, after = values[:-2], values[1:-1], values[2:]
    median = np.maximum(np.minimum(before, at), np.minimum(np.maximum(before, at), after))
    inside = (places[2:] - places[:-2] == 2)[:, None]
    return np.concatenate([values[:1], np.where(inside, median, at), values[-1:]])
