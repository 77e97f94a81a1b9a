"""Frames of mel-frequency cepstral coefficients."""

import numpy as np

from serbench.features.spectral import HOP, RATE, Analysis, shared
from serbench.specs import FeatureSpec


@shared
def extract(analysis: Analysis) -> np.ndarray:
    """40 MFCC a frame, (frames, 40)."""
    return analysis.mfcc(40)


MFCC_SEQUENCE = FeatureSpec(
    name="mfcc_sequence",
    version="1",
    kind="sequence",
    extract=extract,
    hop=HOP / RATE,
    description="40 MFCC a frame of 64 ms, every 16 ms",
)
