"""All descriptors of the voice side by side, frame by frame."""

from __future__ import annotations

import numpy as np

from serbench.features.phonation.balance import BALANCE, balance, harmonics
from serbench.features.phonation.formants import formants
from serbench.features.phonation.periods import periods
from serbench.features.phonation.pitch import pitch
from serbench.features.spectral import Analysis
from serbench.features.spectral.analysis import once

# Semitones are counted from A0.
REFERENCE_HZ = 27.5
MFCC = 16
# The harmonics of a perfectly periodic voice drown in the rounding noise: beyond this nothing is told apart.
HIGHEST_HNR = 40.0
VOICED = (
    "semitones",
    "hnr",
    "jitter",
    "shimmer",
    *(f"f{k}" for k in (1, 2, 3)),
    *(f"bandwidth{k}" for k in (1, 2, 3)),
    "h1_h2",
    *(f"h1_a{k}" for k in (1, 2, 3)),
)
SPECTRAL = (*BALANCE, *(f"mfcc{k}" for k in range(MFCC)))


@once
def voiced_descriptors(analysis: Analysis) -> np.ndarray:
    """What only a voiced frame has, columns as in `VOICED`, 0 where unvoiced: (frames, 14).

    F0 in semitones above 27.5 Hz; harmonics-to-noise ratio in dB, 10·log10(r / (1 - r)) of the autocorrelation r at
    the period; jitter and shimmer in per cent; formants and bandwidths in kHz; level differences in dB.
    """
    hertz, height = pitch(analysis).T
    voiced = hertz > 0
    semitones = 12 * np.log2(np.where(voiced, hertz, REFERENCE_HZ) / REFERENCE_HZ)
    limit = 10 ** (-HIGHEST_HNR / 10)
    height = height.clip(limit, 1 - limit)
    hnr = np.where(voiced, 10 * np.log10(height / (1 - height)), 0.0)
    columns = [
        semitones[:, None],
        hnr[:, None],
        100 * periods(analysis),
        formants(analysis) / 1000,
        harmonics(analysis),
    ]
    return np.hstack(columns).astype(np.float32)


@once
def spectral_descriptors(analysis: Analysis) -> np.ndarray:
    """What every frame has, columns as in `SPECTRAL`: (frames, 26)."""
    return np.hstack([balance(analysis), analysis.mfcc(40)[:, :MFCC]])
