"""Cutting silence at both ends of a signal."""

from __future__ import annotations

import numpy as np

FRAME = 2048
HOP = 512
FLOOR = 1e-10


def trim_silence(signal: np.ndarray, top_db: float) -> np.ndarray:
    """Cut what is more than `top_db` dB below the loudest frame, at both ends: `librosa.effects.trim`.

    Parameters
    ----------
    signal : ndarray of shape (samples,)
    top_db : float
        dB below the loudest frame's RMS (frames of 2048 samples, every 512).

    Returns
    -------
    ndarray
        A view of `signal`; all of it where there is no sound at all.
    """
    energy = np.concatenate([[0.0], np.cumsum(np.pad(np.asarray(signal, dtype=np.float64), FRAME // 2) ** 2)])
    starts = np.arange(1 + len(signal) // HOP) * HOP
    power = np.maximum((energy[starts + FRAME] - energy[starts]) / FRAME, FLOOR)
    loud = np.flatnonzero(10 * np.log10(power / power.max()) > -top_db)
    return signal[loud[0] * HOP : min(len(signal), (loud[-1] + 1) * HOP)]
