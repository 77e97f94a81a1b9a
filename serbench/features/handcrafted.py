"""Functionals of all hand-crafted features: the set for classifiers on vectors."""

import numpy as np

from serbench.features.spectral import Analysis, shared
from serbench.features.spectral.analysis import deltas
from serbench.features.spectral.functionals import mean_std, percentiles
from serbench.specs import FeatureSpec

SHARES = (10, 25, 50, 75, 90)


@shared
def extract(analysis: Analysis) -> np.ndarray:
    """Mean, standard deviation and percentiles of each feature; mean and standard deviation of the slopes."""
    mfcc = analysis.mfcc(40)
    columns = [
        mfcc,
        analysis.chroma(),
        analysis.contrast(),
        analysis.mel_db(64),
        analysis.zero_crossing_rate(),
        analysis.rms(),
    ]
    frames = np.hstack(columns)
    return np.concatenate([mean_std(frames), percentiles(frames, SHARES), mean_std(deltas(frames))], axis=None)


HANDCRAFTED = FeatureSpec(
    name="handcrafted",
    version="1",
    kind="vector",
    extract=extract,
    description="functionals of MFCC, chroma (A4 = 440 Hz), spectral contrast, log-mel, zero-crossing rate and RMS",
)
