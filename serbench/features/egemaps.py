"""eGeMAPS: the extended Geneva minimalistic acoustic parameter set for voice research, by openSMILE."""

import numpy as np

from serbench.features.smile import LICENCE, REQUIRES, functionals
from serbench.specs import FeatureSpec


def extract(signal: np.ndarray, rate: int) -> np.ndarray:
    """88 functionals of pitch, loudness, formants, jitter, shimmer and spectrum: (88,).

    F. Eyben et al., The Geneva minimalistic acoustic parameter set (GeMAPS) for voice research and affective
    computing, IEEE Transactions on Affective Computing 7(2), 2016.
    """
    return functionals("eGeMAPSv02", signal, rate)


EGEMAPS = FeatureSpec(
    name="egemaps",
    version="1",
    kind="vector",
    extract=extract,
    description=f"eGeMAPS v02, 88 functionals for voice research ({LICENCE}; extra `opensmile`)",
    requires=REQUIRES,
)
