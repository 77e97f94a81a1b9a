"""The classical baseline: mean and standard deviation of the mel-frequency cepstral coefficients."""

import numpy as np

from serbench.features.spectral import Analysis, shared
from serbench.features.spectral.functionals import mean_std
from serbench.specs import FeatureSpec


@shared
def extract(analysis: Analysis) -> np.ndarray:
    """Mean, then standard deviation, of 40 MFCC over the frames: (80,)."""
    return mean_std(analysis.mfcc(40)).ravel()


MFCC = FeatureSpec(
    name="mfcc",
    version="1",
    kind="vector",
    extract=extract,
    description="40 MFCC: mean and standard deviation over the utterance (80 values)",
)
