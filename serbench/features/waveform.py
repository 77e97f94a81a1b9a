"""The signal itself, cut into frames: for models that start from it."""

import numpy as np

from serbench.specs import FeatureSpec

RATE = 16_000
FRAME = 320


def extract(signal: np.ndarray, rate: int) -> np.ndarray:
    """Samples in frames of 20 ms that do not overlap, (frames, 320); zeros fill the last one up."""
    return np.pad(signal, (0, -len(signal) % FRAME)).reshape(-1, FRAME).astype(np.float32)


WAVEFORM = FeatureSpec(
    name="waveform",
    version="1",
    kind="sequence",
    extract=extract,
    rate=RATE,
    hop=FRAME / RATE,
    description="the samples themselves, 320 a frame of 20 ms, for `fine_tuned`",
)
