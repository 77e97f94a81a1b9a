"""Frames of the voice: pitch, periods, formants, harmonics and spectral balance side by side."""

import numpy as np

from serbench.features.phonation.balance import auditory
from serbench.features.phonation.descriptors import spectral_descriptors, voiced_descriptors
from serbench.features.phonation.pitch import pitch
from serbench.features.spectral import HOP, RATE, Analysis, shared
from serbench.specs import FeatureSpec


@shared
def extract(analysis: Analysis) -> np.ndarray:
    """Periodicity, 14 descriptors of voiced frames (0 elsewhere), 26 of all frames, 26 auditory bands: (frames, 68).

    F0 is in semitones relative to the utterance's median, which leaves the speaker's own pitch to the last column.
    """
    voiced = np.array(voiced_descriptors(analysis))
    sounding = pitch(analysis)[:, 0] > 0
    median = np.float32(np.median(voiced[sounding, 0])) if sounding.any() else np.float32(0.0)
    voiced[sounding, 0] -= median
    level = np.where(sounding, median, np.float32(0.0))[:, None]
    return np.hstack([pitch(analysis)[:, 1:], voiced, spectral_descriptors(analysis), auditory(analysis), level])


VOICE_SEQUENCE = FeatureSpec(
    name="voice_sequence",
    version="1",
    kind="sequence",
    extract=extract,
    hop=HOP / RATE,
    description=(
        "periodicity, F0 (semitones around the utterance's median), HNR, jitter, shimmer, F1 to F3 with bandwidths, "
        "levels of harmonics, spectral balance, 16 MFCC and 26 auditory bands, frames of 64 ms every 16 ms"
    ),
)
