"""Normalisation by speaker, which uses all of a speaker's utterances together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from serbench.errors import FeatureError
from serbench.features.matrix import FeatureMatrix


def normalise_by_speaker(matrix: FeatureMatrix, speakers: Sequence[str]) -> FeatureMatrix:
    """Bring each dimension to mean 0 and standard deviation 1 within each speaker.

    The statistics of a test speaker come from the test utterances themselves (never from their labels), so what is
    built on it is transductive. Of sequences, all frames of a speaker count alike. A dimension that is constant
    within a speaker becomes 0.

    Parameters
    ----------
    matrix : FeatureMatrix
        n utterances.
    speakers : sequence of str
        The speaker of each, n of them.

    Raises
    ------
    FeatureError
        If a speaker is unknown (empty) or the lengths differ.
    """
    speakers = np.asarray(list(speakers), dtype=object)
    if len(speakers) != len(matrix):
        raise FeatureError(f"{len(speakers)} speakers for the features of {len(matrix)} utterances")
    if unknown := int((speakers == "").sum()):
        raise FeatureError(
            f"the speaker of {unknown} of {len(speakers)} utterances is unknown",
            hint="speaker normalisation needs every speaker: use `normalise: none`",
        )
    names, codes = np.unique(speakers.astype(str), return_inverse=True)
    rows = codes if matrix.offsets is None else np.repeat(codes, np.diff(matrix.offsets))
    values = np.empty(matrix.values.shape, dtype=np.float32)
    for code in range(len(names)):
        own = np.flatnonzero(rows == code)
        values[own] = _standardised(matrix.values[own].astype(np.float64))
    return FeatureMatrix(matrix.ids, values, matrix.offsets)


def _standardised(values: np.ndarray) -> np.ndarray:
    if not len(values):
        return values
    deviation = values.std(axis=0)
    # Equal float32 values add up without rounding in float64, so a constant deviates by exactly zero.
    return (values - values.mean(axis=0)) / np.where(deviation == 0.0, 1.0, deviation)
