"""Windows and filter banks, built once per process.

They equal librosa's (`librosa.filters.mel`, `librosa.filters.chroma`), which is tested; written here because
importing librosa costs every worker more time than it then needs for a hundred utterances.
"""

from __future__ import annotations

from functools import cache

import numpy as np

A440 = 440.0


@cache
def hann(length: int) -> np.ndarray:
    """Periodic Hann window of `length` samples, float64."""
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)


@cache
def mel_bank(rate: int, n_fft: int, n_mels: int) -> np.ndarray:
    """Slaney's mel filter bank from 0 Hz to Nyquist, area-normalised.

    Parameters
    ----------
    rate : int
        Hz.
    n_fft, n_mels : int
        Samples in a frame; number of filters.

    Returns
    -------
    ndarray of shape (n_mels, n_fft // 2 + 1), float64

    References
    ----------
    M. Slaney, Auditory Toolbox, Technical Report 1998-010, Interval Research Corporation, 1998.
    """
    centres = _mel_to_hz(np.linspace(0.0, _hz_to_mel(rate / 2), n_mels + 2))
    slopes = centres[:, None] - np.fft.rfftfreq(n_fft, 1 / rate)[None, :]
    widths = np.diff(centres)[:, None]
    rising, falling = -slopes[:-2] / widths[:-1], slopes[2:] / widths[1:]
    weights = np.maximum(0.0, np.minimum(rising, falling))
    return weights * (2.0 / (centres[2:] - centres[:-2]))[:, None]


@cache
def chroma_bank(rate: int, n_fft: int, n_chroma: int = 12) -> np.ndarray:
    """Pitch-class filter bank, starting at C, tuned to A4 = 440 Hz.

    Each bin spreads as a Gaussian over the pitch classes, weighted by another over the octaves (centre: octave 5 above
    27.5 Hz; width: 2 octaves).

    Returns
    -------
    ndarray of shape (n_fft // 2 + 1, n_chroma), float32

    References
    ----------
    D. Ellis, Chroma feature analysis and synthesis, LabROSA, Columbia University, 2007.
    """
    frequencies = np.linspace(0, rate, n_fft, endpoint=False)[1:]
    octaves = np.log2(frequencies / (A440 / 16))
    # 0 Hz has no pitch class: it is put one and a half octaves below the first bin.
    bins = n_chroma * np.concatenate([[octaves[0] - 1.5], octaves])
    widths = np.concatenate([np.maximum(np.diff(bins), 1.0), [1.0]])
    distance = bins[None, :] - np.arange(n_chroma)[:, None]
    half = np.round(n_chroma / 2)
    distance = np.remainder(distance + half + 10 * n_chroma, n_chroma) - half
    weights = np.exp(-0.5 * (2 * distance / widths) ** 2)
    weights /= np.sqrt((weights**2).sum(axis=0, keepdims=True))
    weights *= np.exp(-0.5 * ((bins / n_chroma - 5.0) / 2.0) ** 2)
    rotated = np.roll(weights, -3 * (n_chroma // 12), axis=0)
    return np.ascontiguousarray(rotated[:, : n_fft // 2 + 1].T, dtype=np.float32)


@cache
def mel_bands(rate: int, n_fft: int, n_mels: int, block: int = 16) -> tuple[tuple[slice, slice, np.ndarray], ...]:
    """The mel bank cut into blocks of neighbouring filters, without the bins in which a block is zero.

    Returns
    -------
    tuple of (filters, bins, weights of shape (bins, filters), float32)
    """
    bank = mel_bank(rate, n_fft, n_mels)
    bands = []
    for start in range(0, n_mels, block):
        rows = bank[start : start + block]
        used = np.flatnonzero(rows.any(axis=0))
        bins = slice(int(used[0]), int(used[-1]) + 1) if len(used) else slice(0, 1)
        weights = np.ascontiguousarray(rows[:, bins].T, dtype=np.float32)
        bands.append((slice(start, start + len(rows)), bins, weights))
    return tuple(bands)


@cache
def cosine_bank(n_mels: int, n_mfcc: int) -> np.ndarray:
    """The first `n_mfcc` rows of the orthonormal DCT-II, transposed: (n_mels, n_mfcc), float32."""
    angle = np.pi / n_mels * np.outer(np.arange(n_mels) + 0.5, np.arange(n_mfcc))
    scale = np.full(n_mfcc, np.sqrt(2.0 / n_mels))
    scale[0] = np.sqrt(1.0 / n_mels)
    return (np.cos(angle) * scale).astype(np.float32)


@cache
def contrast_bands(rate: int, n_fft: int, fmin: float, n_bands: int, quantile: float) -> tuple[tuple[slice, int], ...]:
    """Octave bands of spectral contrast: the bins of each, and how many count as its peak and as its valley."""
    frequencies = np.fft.rfftfreq(n_fft, 1 / rate)
    edges = np.concatenate([[0.0], fmin * 2.0 ** np.arange(n_bands + 1)])
    bands = []
    for k in range(n_bands + 1):
        inside = np.flatnonzero((frequencies >= edges[k]) & (frequencies <= edges[k + 1]))
        first, last = int(inside[0]), int(inside[-1]) + 1
        if k > 0:
            first -= 1
        if k == n_bands:
            last = len(frequencies)
        count = max(int(np.rint(quantile * (last - first))), 1)
        # Neighbouring bands share an edge: every band but the highest gives up its top bin.
        bands.append((slice(first, last if k == n_bands else last - 1), count))
    return tuple(bands)


def _hz_to_mel(hz: float) -> float:
    return hz / (200 / 3) if hz < 1000.0 else 15.0 + np.log(hz / 1000.0) / (np.log(6.4) / 27.0)


def _mel_to_hz(mel: np.ndarray) -> np.ndarray:
    return np.where(mel < 15.0, mel * (200 / 3), 1000.0 * np.exp((np.log(6.4) / 27.0) * (mel - 15.0)))
