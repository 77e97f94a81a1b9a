"""Changes to a voice or its recording that keep the emotion: noise, pitch, tempo, place in time."""

from __future__ import annotations

import numpy as np

from serbench.errors import FeatureError

SEMITONES_PER_OCTAVE = 12


def add_noise(signal: np.ndarray, snr_db: float, random: np.random.Generator) -> np.ndarray:
    """Add white Gaussian noise at a signal-to-noise ratio.

    Parameters
    ----------
    signal : ndarray of shape (samples,), float32
    snr_db : float
        Mean power of the whole signal over that of the noise, in dB; the noise is scaled to meet it exactly.

    Raises
    ------
    FeatureError
        If the ratio is not a finite number, or the signal is silent: it has no signal-to-noise ratio.
    """
    level = need_number(snr_db, "snr_db")
    power = float(np.mean(np.square(signal, dtype=np.float64)))
    if power == 0.0:
        raise FeatureError("a silent signal has no signal-to-noise ratio", hint="leave it out, or leave noise out")
    noise = random.standard_normal(len(signal))
    noise *= np.sqrt(power / 10 ** (level / 10) / np.mean(np.square(noise)))
    return (signal + noise).astype(np.float32)


def shift_pitch(signal: np.ndarray, rate: int, semitones: float) -> np.ndarray:
    """Raise (positive) or lower the pitch and the formants by semitones; the duration stays (phase vocoder)."""
    import librosa

    steps = need_number(semitones, "semitones")
    if steps == 0.0:
        return signal
    shifted = librosa.effects.pitch_shift(
        signal, sr=rate, n_steps=steps, bins_per_octave=SEMITONES_PER_OCTAVE, res_type="soxr_hq"
    )
    return shifted.astype(np.float32)


def stretch(signal: np.ndarray, rate: float) -> np.ndarray:
    """Speak `rate` times as fast at the same pitch (phase vocoder): 2 halves the duration.

    Raises
    ------
    FeatureError
        If the rate is not a positive number.
    """
    import librosa

    tempo = need_number(rate, "rate")
    if tempo <= 0:
        raise FeatureError(f"rate is {rate!r}", hint="give a positive number: 1 leaves the tempo as it is")
    return signal if tempo == 1.0 else librosa.effects.time_stretch(signal, rate=tempo).astype(np.float32)


def shift_time(signal: np.ndarray, rate: int, seconds: float) -> np.ndarray:
    """Begin later (positive; silence comes first) or earlier; what leaves the other end is cut, the length stays."""
    samples = round(need_number(seconds, "seconds") * rate)
    moved = np.zeros_like(signal)
    if samples >= 0:
        moved[samples:] = signal[: max(len(signal) - samples, 0)]
    else:
        moved[:samples] = signal[-samples:]
    return moved


def need_number(value: object, name: str) -> float:
    """Return a finite number as float.

    Raises
    ------
    FeatureError
        If it is none.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not np.isfinite(value):
        raise FeatureError(f"{name} is {value!r}", hint="give a finite number")
    return float(value)
