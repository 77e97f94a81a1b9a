"""Signals for the tests: speech-like sound made from pulses and formants, without any file."""

import numpy as np

RATE = 16_000


def speech_like(seconds: float, seed: int = 0) -> np.ndarray:
    """Voiced stretches (a gliding pulse train through three formants), noise bursts and near-silent pauses."""
    from scipy.signal import lfilter

    rng = np.random.default_rng(seed)
    count = max(1, int(seconds * RATE))
    time = np.arange(count) / RATE
    pitch = rng.uniform(90, 250) * (1 + 0.2 * np.sin(2 * np.pi * rng.uniform(1, 3) * time))
    phase = np.cumsum(pitch) / RATE
    source = np.diff(np.floor(phase), prepend=0.0) + 0.02 * rng.standard_normal(count)
    for centre in rng.uniform([300, 1000, 2200], [800, 2000, 3200]):
        radius, angle = np.exp(-np.pi * 90 / RATE), 2 * np.pi * centre / RATE
        source = lfilter([1.0], [1.0, -2 * radius * np.cos(angle), radius**2], source)
    envelope = np.clip(np.sin(2 * np.pi * 2.5 * time + rng.uniform(0, 6)), 0.0, 1.0) + 1e-4
    sound = source / np.abs(source).max() * envelope
    return (0.3 * sound + 1e-5 * rng.standard_normal(count)).astype(np.float32)
