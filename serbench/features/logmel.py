"""A log-mel spectrogram."""

import numpy as np

from serbench.features.spectral import HOP, RATE, Analysis, shared
from serbench.specs import FeatureSpec


@shared
def extract(analysis: Analysis) -> np.ndarray:
    """64 mel bands a frame in dB, cut 80 dB below the utterance's maximum: (frames, 64)."""
    return analysis.mel_db(64)


LOGMEL = FeatureSpec(
    name="logmel",
    version="1",
    kind="sequence",
    extract=extract,
    hop=HOP / RATE,
    description="64 mel bands a frame in dB, frames of 64 ms every 16 ms",
)
