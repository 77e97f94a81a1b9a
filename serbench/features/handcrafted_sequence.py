"""Frames of all hand-crafted features side by side."""

import numpy as np

from serbench.features.spectral import HOP, RATE, Analysis, shared
from serbench.specs import FeatureSpec


@shared
def extract(analysis: Analysis) -> np.ndarray:
    """MFCC (40), chroma (12), spectral contrast (7), zero-crossing rate and RMS a frame: (frames, 61)."""
    columns = [
        analysis.mfcc(40),
        analysis.chroma(),
        analysis.contrast(),
        analysis.zero_crossing_rate(),
        analysis.rms(),
    ]
    return np.hstack(columns)


HANDCRAFTED_SEQUENCE = FeatureSpec(
    name="handcrafted_sequence",
    version="1",
    kind="sequence",
    extract=extract,
    hop=HOP / RATE,
    description=(
        "40 MFCC, 12 chroma (tuning fixed at A4 = 440 Hz), 7 spectral contrast, zero-crossing rate and RMS (of the "
        "windowed frame), frames of 64 ms every 16 ms"
    ),
)
