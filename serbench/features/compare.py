"""ComParE 2016: the acoustic features of the Interspeech computational paralinguistics challenges, by openSMILE."""

import numpy as np

from serbench.features.smile import LICENCE, REQUIRES, functionals
from serbench.specs import FeatureSpec


def extract(signal: np.ndarray, rate: int) -> np.ndarray:
    """6373 functionals of 65 descriptors and their slopes: (6373,).

    B. Schuller et al., The Interspeech 2016 computational paralinguistics challenge, Interspeech 2016.
    """
    return functionals("ComParE_2016", signal, rate)


COMPARE = FeatureSpec(
    name="compare2016",
    version="1",
    kind="vector",
    extract=extract,
    description=f"ComParE 2016, 6373 functionals ({LICENCE}; extra `opensmile`)",
    requires=REQUIRES,
)
