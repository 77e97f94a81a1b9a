"""A source-filter voice: glottal pulses and noise, shaped frame by frame by formants.

The glottal flow is the cubic pulse of Klatt & Klatt (1990, JASA 87(2), 820-857); formants are second-order
resonators (Klatt 1980, JASA 67(3), 971-995), applied in the spectrum of overlapping frames, which lets them glide.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

RATE = 16_000
HOP = 128  # 8 ms between control frames
_WINDOW = 4 * HOP
_FFT = 8 * HOP
_FREQUENCIES = np.fft.rfftfreq(_FFT, 1 / RATE)
BANDWIDTHS = np.array([70.0, 100.0, 150.0, 220.0])  # Hz
_TILT_CORNER = 500.0  # Hz
_HISS = np.exp(-0.5 * ((_FREQUENCIES - 5000) / 1200) ** 2).astype(np.float32)


@dataclass(frozen=True)
class Controls:
    """What the voice does, one value a frame of `HOP` samples.

    Attributes
    ----------
    f0 : ndarray of shape (n,)
        Hz.
    voicing, frication : ndarray of shape (n,)
        Amplitudes of pulses and of hiss, 0 to 1.
    level : ndarray of shape (n,)
        Gain in dB.
    formants : ndarray of shape (n, 4)
        Hz.
    tilt : float
        Extra fall of the spectrum above 500 Hz, dB per octave.
    breath : float
        Aspiration relative to the pulses, dB.
    jitter, shimmer : float
        Standard deviation of period and amplitude from cycle to cycle, relative.
    open_quotient : float
        Share of a cycle in which the glottis is open.
    """

    f0: np.ndarray
    voicing: np.ndarray
    frication: np.ndarray
    level: np.ndarray
    formants: np.ndarray
    tilt: float
    breath: float
    jitter: float
    shimmer: float
    open_quotient: float


def speak(controls: Controls, rng: np.random.Generator) -> np.ndarray:
    """Render controls of n frames.

    Returns
    -------
    ndarray of shape (n * HOP,), float64
        At `RATE`; the level follows the controls.
    """
    frames = len(controls.f0)
    at_frames = np.arange(frames)
    at_samples = np.arange(frames * HOP) / HOP

    def per_sample(values: np.ndarray) -> np.ndarray:
        return np.interp(at_samples, at_frames, values)

    pulses = _pulses(per_sample(controls.f0), controls, rng)
    aspiration = rng.standard_normal(len(pulses)) * 10 ** (controls.breath / 20) * (0.4 + np.abs(pulses))
    hiss = 0.3 * rng.standard_normal(len(pulses))
    voiced = (pulses + aspiration) * per_sample(controls.voicing)
    tract = _formant_response(controls.formants) * _tilt_response(controls.tilt)
    hissing = _spectra(hiss * per_sample(controls.frication), frames) * _HISS
    signal = _overlap_add(_spectra(voiced, frames) * tract + hissing)
    return signal * 10 ** (per_sample(controls.level) / 20)


def _pulses(f0: np.ndarray, controls: Controls, rng: np.random.Generator) -> np.ndarray:
    # Cycles are counted on the undisturbed phase, then every cycle gets a period and an amplitude of its own.
    cycle = np.cumsum(f0 / RATE).astype(int)
    period_noise = 1 + controls.jitter * rng.standard_normal(cycle[-1] + 1)
    phase = np.cumsum(f0 * period_noise[cycle] / RATE)
    amplitude = 1 + controls.shimmer * rng.standard_normal(int(phase[-1]) + 1)
    position = (phase % 1) / controls.open_quotient
    flow_derivative = np.where(position < 1, 2 * position - 3 * position**2, 0.0)
    return flow_derivative * amplitude[phase.astype(int)]


def _formant_response(formants: np.ndarray) -> np.ndarray:
    # (n, bins): product of resonators with unit gain at 0 Hz
    delay = np.exp(-2j * np.pi * _FREQUENCIES / RATE).astype(np.complex64)
    radius = np.exp(-np.pi * BANDWIDTHS / RATE)
    response = np.ones((len(formants), len(delay)), dtype=np.complex64)
    for column, r in enumerate(radius):
        first = (2 * r * np.cos(2 * np.pi * formants[:, column] / RATE)).astype(np.float32)[:, None]
        response *= (1 - first + np.float32(r**2)) / (1 - first * delay + np.float32(r**2) * delay**2)
    return response


def _tilt_response(tilt: float) -> np.ndarray:
    return 10 ** (-tilt * np.log2(1 + _FREQUENCIES / _TILT_CORNER) / 20).astype(np.float32)


def _spectra(source: np.ndarray, frames: int) -> np.ndarray:
    # Hann windows a quarter apart sum to two.
    from scipy.fft import rfft

    padded = np.concatenate([np.zeros(_WINDOW // 2), source, np.zeros(_WINDOW)]).astype(np.float32)
    pieces = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[: frames * HOP : HOP]
    return rfft(pieces * (np.hanning(_WINDOW + 1)[:-1] / 2).astype(np.float32), _FFT)


def _overlap_add(spectra: np.ndarray) -> np.ndarray:
    from scipy.fft import irfft

    frames, parts = len(spectra), _FFT // HOP
    shaped = irfft(spectra, _FFT).reshape(frames, parts, HOP)
    summed = np.zeros((frames + parts, HOP))
    for part in range(parts):
        summed[part : part + frames] += shaped[:, part]
    return summed.reshape(-1)[_WINDOW // 2 :][: frames * HOP]
