"""MFCC, chroma and spectral contrast: averaged over time for vectors, or frame by frame.

The features of several public systems on RAVDESS, among them the published claim P4.
"""

import numpy as np

from serbench.features.spectral import HOP, RATE, Analysis, shared
from serbench.specs import FeatureSpec


@shared
def extract_frames(analysis: Analysis) -> np.ndarray:
    """40 MFCC, 12 chroma and 7 spectral contrast a frame: (frames, 59)."""
    return np.hstack([analysis.mfcc(40), analysis.chroma(), analysis.contrast()])


@shared
def extract_means(analysis: Analysis) -> np.ndarray:
    """Their means over all frames: (59,)."""
    columns = (analysis.mfcc(40), analysis.chroma(), analysis.contrast())
    return np.concatenate([column.mean(axis=0) for column in columns])


MFCC_CHROMA_CONTRAST = FeatureSpec(
    name="mfcc_chroma_contrast",
    version="1",
    kind="vector",
    extract=extract_means,
    description="means over time of 40 MFCC, 12 chroma and 7 spectral contrast (59 values)",
)
MFCC_CHROMA_CONTRAST_SEQUENCE = FeatureSpec(
    name="mfcc_chroma_contrast_sequence",
    version="1",
    kind="sequence",
    extract=extract_frames,
    hop=HOP / RATE,
    description="40 MFCC, 12 chroma and 7 spectral contrast a frame of 64 ms, every 16 ms",
)
