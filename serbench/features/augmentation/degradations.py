"""What happens to speech on its way to a listener: a telephone line, a room."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from serbench.errors import FeatureError
from serbench.features.augmentation.transforms import need_number

# ITU-T G.712: the pass band of a telephone channel, in Hz.
BANDS = {"telephone": (300.0, 3400.0)}
ORDER = 4
ROOM_SEED = 20_240_229
DECAY_DB = 60.0


def limit_band(signal: np.ndarray, rate: int, name: str) -> np.ndarray:
    """Keep a band of frequencies (Butterworth, 24 dB per octave on each side).

    Parameters
    ----------
    name : {"telephone"}
        300 to 3400 Hz.
    """
    from scipy.signal import butter, sosfilt

    if name not in BANDS:
        raise FeatureError(f"unknown bandwidth {name!r}", hint=f"one of: {', '.join(BANDS)}")
    return sosfilt(butter(ORDER, BANDS[name], "bandpass", fs=rate, output="sos"), signal).astype(np.float32)


def add_reverb(signal: np.ndarray, rate: int, seconds: float) -> np.ndarray:
    """Speak in a room: the direct sound, and as much energy again in a tail of decaying noise (Polack 1988).

    The room is the same for every utterance; power and length stay, so that the echo after the last word is cut.

    Parameters
    ----------
    seconds : float
        Reverberation time RT60: until the tail has fallen by 60 dB.

    Raises
    ------
    FeatureError
        If the time is not a positive number.
    """
    from scipy.signal import fftconvolve

    if need_number(seconds, "seconds") <= 0:
        raise FeatureError(f"a reverberation time of {seconds!r} s", hint="give a positive number of seconds")
    heard = fftconvolve(signal.astype(np.float64), _room(float(seconds), rate))[: len(signal)]
    power, before = np.mean(np.square(heard)), np.mean(np.square(signal, dtype=np.float64))
    return (heard * np.sqrt(before / power) if power > 0 else heard).astype(np.float32)


@lru_cache(maxsize=8)
def _room(seconds: float, rate: int) -> np.ndarray:
    times = np.arange(max(2, round(seconds * rate))) / rate
    tail = np.random.default_rng(ROOM_SEED).standard_normal(len(times)) * 10 ** (-DECAY_DB / 20 * times / seconds)
    tail[0] = 0.0
    response = tail / np.sqrt(np.sum(np.square(tail)))
    response[0] = 1.0
    response.flags.writeable = False
    return response
