"""Fundamental frequency and voicing, by the autocorrelation of the frames and the cheapest path through its peaks.

After P. Boersma, Accurate short-term analysis of the fundamental frequency and the harmonics-to-noise ratio of a
sampled sound, Proceedings of the Institute of Phonetic Sciences 17, Amsterdam, 1993; with his costs, and with the
frames of the shared analysis, whose power spectrum is transformed back instead of a second pass over the samples.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from serbench.features.spectral import Analysis
from serbench.features.spectral.analysis import once

FLOOR_HZ, CEILING_HZ = 65.0, 650.0
CANDIDATES = 6
SILENCE, VOICING = 0.03, 0.45
OCTAVE_COST, JUMP_COST, VOICING_COST = 0.01, 0.35, 0.14
# Boersma gives the costs of a change for steps of 10 ms.
STEP_SECONDS = 0.01
# Hum and rumble below the lowest pitch correlate at every lag.
RUMBLE_HZ = 40.0


@once
def pitch(analysis: Analysis) -> np.ndarray:
    """Fundamental frequency and periodicity.

    Returns
    -------
    ndarray of shape (frames, 2), float32
        F0 in Hz, 0 where the frame is unvoiced; the normalised autocorrelation at its period (at the strongest
        candidate's where unvoiced), in [0, 1).
    """
    track = np.zeros((analysis.frames, 2), dtype=np.float32)
    peaks = _relative_peaks(analysis)
    # The strength of silence outgrows every candidate's below this level: such frames need no candidates.
    sounding = np.flatnonzero(peaks > SILENCE * (1 - VOICING) / (1 + VOICING))
    if not len(sounding):
        return track
    hertz, height = _candidates(_autocorrelation(analysis, sounding), analysis.rate)
    strength = height - OCTAVE_COST * np.log2(FLOOR_HZ / np.where(hertz > 0, hertz, FLOOR_HZ))
    strength[hertz == 0] = -np.inf
    quiet = VOICING + np.maximum(0.0, 2.0 - peaks[sounding] * (1 + VOICING) / SILENCE)
    hertz = np.concatenate([np.zeros_like(hertz[:, :1]), hertz], axis=1)
    strength = np.concatenate([quiet[:, None], strength], axis=1)
    scale = STEP_SECONDS * analysis.rate / analysis.hop
    path = _best_path(hertz, strength, np.diff(sounding) == 1, scale)
    rows = np.arange(len(sounding))
    track[sounding, 0] = hertz[rows, path]
    track[sounding, 1] = np.where(path > 0, height[rows, np.maximum(path - 1, 0)], height.max(axis=1))
    return track


def _relative_peaks(analysis: Analysis) -> np.ndarray:
    # The largest sample in the middle of each frame (one hop), relative to that of the utterance.
    hop = analysis.hop
    samples = np.abs(np.asarray(analysis.signal, dtype=np.float32) - np.float32(np.mean(analysis.signal)))
    padded = np.pad(samples, (hop // 2, hop - hop // 2 + (-len(samples)) % hop))
    peaks = padded[: analysis.frames * hop].reshape(-1, hop).max(axis=1)
    largest = peaks.max()
    return peaks / largest if largest > 1e-7 else np.zeros_like(peaks)


def _autocorrelation(analysis: Analysis, rows: np.ndarray) -> np.ndarray:
    # Of the windowed frames over that of the window, from lag 0 to just beyond the longest period: (rows, lags).
    # The frame is not padded with zeros: what wraps around weighs 2 % at the longest lags, since the window is small
    # at both ends.
    from scipy.fft import irfft

    power = analysis.power[rows]
    power[:, : int(np.ceil(RUMBLE_HZ * analysis.n_fft / analysis.rate))] = 0.0
    lags = int(analysis.rate / FLOOR_HZ) + 3
    correlation = irfft(power, axis=-1, overwrite_x=True)[:, :lags]
    energy = correlation[:, :1]
    return correlation / np.where(energy > 0, energy, np.float32(1.0)) / _window_autocorrelation(analysis.n_fft)[:lags]


@cache
def _window_autocorrelation(length: int) -> np.ndarray:
    # Of the Hann window, relative to lag 0 (Boersma's equation 8).
    share = np.arange(length // 2) / length
    angle = 2 * np.pi * share
    return ((1 - share) * (2 / 3 + np.cos(angle) / 3) + np.sin(angle) / (2 * np.pi)).astype(np.float32)


def _candidates(correlation: np.ndarray, rate: int) -> tuple[np.ndarray, np.ndarray]:
    # The highest peaks of each frame: Hz (0: there is no further peak) and height, both (rows, CANDIDATES).
    first = int(rate / CEILING_HZ)
    left, middle, right = correlation[:, first - 1 : -2], correlation[:, first:-1], correlation[:, first + 1 :]
    # Of a multiple of the period, whose peak is as high, the shorter one is wanted.
    bias = np.float32(OCTAVE_COST) * np.log2(np.arange(first, first + middle.shape[1], dtype=np.float32))
    score = np.where((middle > left) & (middle >= right) & (middle > VOICING / 2), middle - bias, -np.inf)
    rows = np.arange(len(score))
    hertz, height = np.zeros((2, len(score), CANDIDATES))
    for k in range(CANDIDATES):
        best = score.argmax(axis=1)
        found = np.isfinite(score[rows, best])
        below, at, above = left[rows, best], middle[rows, best], right[rows, best]
        bend = np.where(found, 2 * at - below - above, 1.0)
        shift = np.where(found, 0.5 * (above - below) / np.where(bend > 0, bend, 1.0), 0.0)
        hertz[:, k] = np.where(found, rate / (best + first + shift), 0.0)
        height[:, k] = np.where(found, at + 0.25 * (above - below) * shift, 0.0)
        score[rows, best] = -np.inf
    # A peak between two samples can rise above 1, which no correlation does.
    return hertz, np.where(height > 1, 1 / np.maximum(height, 1e-9), height)


def _best_path(hertz: np.ndarray, strength: np.ndarray, adjoining: np.ndarray, scale: float) -> np.ndarray:
    # Viterbi: the candidate of each frame on the path of greatest strength less the costs of its changes.
    voiced = hertz > 0
    octaves = np.log2(np.where(voiced, hertz, 1.0))
    jump = JUMP_COST * np.abs(octaves[1:, :, None] - octaves[:-1, None, :])
    both = voiced[1:, :, None] & voiced[:-1, None, :]
    cost = scale * np.where(both, jump, VOICING_COST * (voiced[1:, :, None] != voiced[:-1, None, :]))
    # Silence lies between frames that do not adjoin: what comes before it does not bind what comes after.
    cost[~adjoining] = 0.0
    total, columns = strength[0], np.arange(hertz.shape[1])
    origin = np.zeros(hertz.shape, dtype=np.intp)
    for t, change in enumerate(cost, start=1):
        score = total - change
        origin[t] = best = score.argmax(axis=1)
        total = score[columns, best] + strength[t]
    path = np.empty(len(hertz), dtype=np.intp)
    path[-1] = total.argmax()
    for t in range(len(path) - 1, 0, -1):
        path[t - 1] = origin[t, path[t]]
    return path
