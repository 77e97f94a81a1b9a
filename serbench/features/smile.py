"""The openSMILE toolkit: what the sets computed by it share. It is optional: the extra `opensmile` installs it.

Features are extracted in spawned workers: in a process forked after TensorFlow was loaded, openSMILE aborts.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from serbench.errors import FeatureError

LICENCE = "openSMILE, licence: research and private use only, commercial use by agreement with audEERING"

REQUIRES = ("opensmile",)


def functionals(name: str, signal: np.ndarray, rate: int) -> np.ndarray:
    """Functionals of a whole utterance.

    Parameters
    ----------
    name : str
        A set of the Python package `opensmile`, such as ``eGeMAPSv02``.
    signal : ndarray of shape (samples,), float32
    rate : int
        Hz.

    Raises
    ------
    FeatureError
        If the package is absent, or the utterance is too short for the set.
    """
    values = _extractor(name).process_signal(signal, rate).to_numpy(dtype=np.float64)[0]
    if not np.isfinite(values).all():
        raise FeatureError(
            f"{np.count_nonzero(~np.isfinite(values))} of {len(values)} values of {name} are undefined for "
            f"{len(signal) / rate:.2f} s of sound",
            hint="leave utterances out that are this short, or choose another feature set",
        )
    return values.astype(np.float32)


@lru_cache(maxsize=2)
def _extractor(name: str):
    # Reading its configuration takes openSMILE longer than an utterance.
    try:
        import opensmile
    except ImportError as error:
        raise FeatureError(
            "the package opensmile is not installed", where=name, hint="pip install 'serbench[opensmile]'"
        ) from error
    return opensmile.Smile(
        feature_set=opensmile.FeatureSet[name], feature_level=opensmile.FeatureLevel.Functionals, num_workers=1
    )
