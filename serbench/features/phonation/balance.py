"""Spectral balance: how the power is spread over frequency, frame by frame."""

from __future__ import annotations

from functools import cache

import numpy as np

from serbench.features.phonation.formants import formants
from serbench.features.phonation.pitch import pitch
from serbench.features.spectral import Analysis
from serbench.features.spectral.analysis import once

AUDITORY_BANDS = 26
COMPRESSION = 0.33
ROLL_OFF = 0.85
FLOOR = 1e-10
# A harmonic lies within a bin of its multiple of F0; a formant's strongest one within 156 Hz of the formant.
HARMONIC_BINS, FORMANT_BINS = 1, 10
BALANCE = (
    "loudness",
    "alpha_ratio",
    "hammarberg",
    "slope_0_500",
    "slope_500_1500",
    "flux",
    "entropy",
    "roll_off",
    "centroid",
    "spread",
)


@once
def auditory(analysis: Analysis) -> np.ndarray:
    """Auditory spectrum: mel bands weighted by the ear's sensitivity and compressed, (frames, 26).

    H. Hermansky, Perceptual linear predictive (PLP) analysis of speech, JASA 87(4), 1990: the curve of equal loudness
    and the power 0.33 of intensity.
    """
    weighted = analysis.mel(AUDITORY_BANDS) * _sensitivity(analysis.rate, analysis.n_fft)
    return np.power(weighted, np.float32(COMPRESSION))


@once
def balance(analysis: Analysis) -> np.ndarray:
    """Loudness and the shape of the spectrum, columns as in `BALANCE`: (frames, 10).

    Loudness: the sum of the auditory spectrum. Alpha ratio: dB of 50–1000 Hz over 1–5 kHz; Hammarberg index: dB of the
    strongest bin below 2 kHz over that of 2–5 kHz; slopes: dB a kHz of a straight line through the bins
    (F. Eyben et al., GeMAPS, 2016). Flux: distance of the magnitude spectra, each of sum 1, of neighbouring frames.
    Entropy: of the power over bins, 0 to 1. Roll-off (kHz): what lies below holds 85 % of the power. Centroid and
    spread (kHz): mean and standard deviation of frequency, weighted by power.
    """
    power = analysis.power + np.float32(FLOOR)
    rate, n_fft = analysis.rate, analysis.n_fft
    # Some of numpy's logarithms are faster than others.
    decibel = np.log(power)
    decibel *= np.float32(10 / np.log(10))
    sums = power @ _moments(rate, n_fft)
    total, low, high = sums[:, 0], sums[:, 1], sums[:, 2]
    centroid = sums[:, 3] / total
    spread = np.sqrt(np.maximum(sums[:, 4] / total - centroid**2, 0.0))
    first, middle, last = (round(hertz * n_fft / rate) for hertz in (0, 2000, 5000))
    hammarberg = decibel[:, first:middle].max(axis=1) - decibel[:, middle:last].max(axis=1)
    slopes = decibel[:, : len(_lines(rate, n_fft))] @ _lines(rate, n_fft)
    # The mean of the shares' logarithm, weighted by the shares, from the decibels that are there already.
    log_power = np.einsum("ij,ij->i", power, decibel) / total * (np.log(10) / 10)
    entropy = (np.log(total) - log_power) / np.log(power.shape[1])
    columns = [
        auditory(analysis).sum(axis=1),
        10 * np.log10(low / high),
        hammarberg,
        slopes[:, 0],
        slopes[:, 1],
        _flux(power),
        entropy,
        _roll_off(power) * rate / n_fft / 1000,
        centroid,
        spread,
    ]
    return np.stack(columns, axis=1).astype(np.float32)


@once
def harmonics(analysis: Analysis) -> np.ndarray:
    """Levels of harmonics and formants in the voiced frames, 0 where unvoiced: (frames, 4).

    dB of the first harmonic over the second (H1–H2) and over the strongest bin near F1, F2 and F3 (H1–A1 to H1–A3).
    """
    found = np.zeros((analysis.frames, 4), dtype=np.float32)
    hertz = pitch(analysis)[:, 0]
    voiced = np.flatnonzero(hertz)
    if not len(voiced):
        return found
    bins = analysis.n_fft / analysis.rate
    power = analysis.power[voiced]
    first = _strongest(power, hertz[voiced] * bins, HARMONIC_BINS)
    second = _strongest(power, 2 * hertz[voiced] * bins, HARMONIC_BINS)
    peaks = [_strongest(power, centre * bins, FORMANT_BINS) for centre in formants(analysis)[voiced, :3].T]
    found[voiced] = np.stack([first - level for level in (second, *peaks)], axis=1)
    return found


def _strongest(power: np.ndarray, centre: np.ndarray, reach: int) -> np.ndarray:
    places = np.rint(centre).astype(np.intp)[:, None] + np.arange(-reach, reach + 1)
    places = places.clip(0, power.shape[1] - 1)
    return 10 * np.log10(np.take_along_axis(power, places, axis=1).max(axis=1) + np.float32(FLOOR))


def _flux(power: np.ndarray) -> np.ndarray:
    magnitude = np.sqrt(power)
    magnitude /= magnitude @ np.ones((power.shape[1], 1), dtype=np.float32)
    step = magnitude[1:] - magnitude[:-1]
    return np.concatenate([[0.0], np.sqrt(np.einsum("ij,ij->i", step, step))])


def _roll_off(power: np.ndarray) -> np.ndarray:
    # The first bin at which the running sum reaches its share of the total: first among sums of 16 bins, then in them.
    whole = power.shape[1] // 16
    running = np.cumsum(np.add.reduceat(power, np.arange(whole) * 16, axis=1), axis=1)
    threshold = ROLL_OFF * running[:, -1:]
    block = np.minimum((running < threshold).sum(axis=1), whole - 1)[:, None]
    before = np.where(block > 0, np.take_along_axis(running, np.maximum(block - 1, 0), axis=1), 0.0)
    inside = np.cumsum(np.take_along_axis(power, block * 16 + np.arange(16), axis=1), axis=1) + before
    return block[:, 0] * 16 + (inside < threshold).sum(axis=1)


@cache
def _moments(rate: int, n_fft: int) -> np.ndarray:
    # Total, 50–1000 Hz, 1–5 kHz, and the power times frequency and times its square (kHz): (bins, 5).
    kilohertz = np.fft.rfftfreq(n_fft, 1 / rate) / 1000
    low, high = (kilohertz >= 0.05) & (kilohertz < 1), (kilohertz >= 1) & (kilohertz < 5)
    return np.stack([np.ones_like(kilohertz), low, high, kilohertz, kilohertz**2], axis=1).astype(np.float32)


@cache
def _lines(rate: int, n_fft: int) -> np.ndarray:
    # Least-squares slope over 0–500 Hz and over 500–1500 Hz, as weights of the bins: (bins, 2).
    kilohertz = np.fft.rfftfreq(n_fft, 1 / rate) / 1000
    kilohertz = kilohertz[kilohertz <= 1.5]
    lines = []
    for low, high in ((0.0, 0.5), (0.5, 1.5)):
        inside = (kilohertz >= low) & (kilohertz <= high)
        centred = np.where(inside, kilohertz - kilohertz[inside].mean(), 0.0)
        lines.append(centred / (centred**2).sum())
    return np.stack(lines, axis=1).astype(np.float32)


@cache
def _sensitivity(rate: int, n_fft: int) -> np.ndarray:
    from serbench.features.spectral.filters import mel_bank

    bank = mel_bank(rate, n_fft, AUDITORY_BANDS)
    square = (2 * np.pi * (bank @ np.fft.rfftfreq(n_fft, 1 / rate)) / bank.sum(axis=1)) ** 2
    return ((square + 56.8e6) * square**2 / ((square + 6.3e6) ** 2 * (square + 0.38e9))).astype(np.float32)
