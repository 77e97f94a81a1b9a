"""Means over time of five features side by side, as many public notebooks stack them; the features of claim P5."""

import numpy as np

from serbench.features.spectral import Analysis, shared
from serbench.specs import FeatureSpec


@shared
def extract(analysis: Analysis) -> np.ndarray:
    """Means of the zero-crossing rate, 12 chroma, 20 MFCC, RMS and 128 mel bands (power): (162,)."""
    columns = (
        analysis.zero_crossing_rate(),
        analysis.chroma(),
        analysis.mfcc(20),
        analysis.rms(),
        analysis.mel(128),
    )
    return np.concatenate([column.mean(axis=0) for column in columns])


ZCR_CHROMA_MFCC_RMS_MEL = FeatureSpec(
    name="zcr_chroma_mfcc_rms_mel",
    version="1",
    kind="vector",
    extract=extract,
    description="means over time of zero-crossing rate, 12 chroma, 20 MFCC, RMS and 128 mel bands (162 values)",
)
