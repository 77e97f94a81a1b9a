"""Jitter and shimmer: how much neighbouring periods of the voice differ in length and height."""

from __future__ import annotations

import numpy as np

from serbench.features.phonation.pitch import pitch
from serbench.features.spectral import Analysis
from serbench.features.spectral.analysis import once

# The next period is looked for this far around its expected end, as in Praat (its largest period factor is 1.3).
TOLERANCE = 0.2


@once
def periods(analysis: Analysis) -> np.ndarray:
    """Jitter and shimmer of the three periods in the middle of each voiced frame, 0 where unvoiced.

    A period ends at the highest sample of the waveform, on the side of zero on which its pulses stand out, between
    0.8 and 1.2 periods after the last one, refined by a parabola.

    Returns
    -------
    ndarray of shape (frames, 2), float32
        Mean absolute difference of neighbouring periods over their mean (jitter, local), and of the heights of their
        pulses over their mean (shimmer, local).
    """
    hertz = pitch(analysis)[:, 0]
    found = np.zeros((len(hertz), 2), dtype=np.float32)
    voiced = np.flatnonzero(hertz)
    if not len(voiced):
        return found
    # The samples are those of the voice as it was, also where the analysis warps its frequencies.
    period = analysis.rate * analysis.warp / hertz[voiced].astype(np.float64)
    margin = int(2.5 * period.max()) + 4
    signal = np.asarray(analysis.signal, dtype=np.float32)
    # A hop more than the frames reach: the centre of the last one can lie at the very end.
    signal = np.pad(signal - signal.mean(), (margin, margin + analysis.hop))
    if np.dot(signal * signal, signal) < 0:
        signal = -signal
    middle = _highest(signal, voiced * analysis.hop + margin, period, 0.5)
    before = _highest(signal, middle - period, period, TOLERANCE)
    after = _highest(signal, middle + period, period, TOLERANCE)
    last = _highest(signal, after + period, period, TOLERANCE)
    marks = np.stack([before, middle, after, last])
    left, at, right = signal[marks - 1], signal[marks], signal[marks + 1]
    bend = 2 * at - left - right
    shift = np.where(bend > 0, 0.5 * (right - left) / np.where(bend > 0, bend, 1.0), 0.0).clip(-0.5, 0.5)
    found[voiced, 0] = _variation(np.diff(marks + shift, axis=0))
    found[voiced, 1] = _variation(np.maximum(at + 0.25 * (right - left) * shift, 0.0))
    return found


def _highest(signal: np.ndarray, centre: np.ndarray, period: np.ndarray, share: float) -> np.ndarray:
    # The highest sample within `share` of a period around each centre.
    reach = np.maximum(share * period, 1.0)
    offsets = np.arange(-int(reach.max()), int(reach.max()) + 1)
    places = np.rint(centre).astype(np.intp)[:, None] + offsets
    near = np.where(np.abs(offsets) <= reach[:, None], signal[places], -np.inf)
    return places[np.arange(len(places)), near.argmax(axis=1)]


def _variation(values: np.ndarray) -> np.ndarray:
    mean = values.mean(axis=0)
    return np.abs(np.diff(values, axis=0)).mean(axis=0) / np.where(mean > 0, mean, 1.0)
