"""Normalisation by speaker."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serbench.errors import FeatureError
from serbench.features.matrix import FeatureMatrix
from serbench.features.normalise import normalise_by_speaker


def test_by_hand():
    matrix = FeatureMatrix(("a", "b", "c", "d"), np.array([[1.0], [10.0], [3.0], [30.0]], dtype=np.float32))
    assert normalise_by_speaker(matrix, ["s", "t", "s", "t"]).values.ravel().tolist() == [-1.0, -1.0, 1.0, 1.0]


@given(st.lists(st.sampled_from("xyz"), min_size=2, max_size=30), st.integers(0, 99), st.booleans())
def test_every_speaker_ends_at_mean_0_and_deviation_1_or_0(speakers, seed, sequence):
    rng = np.random.default_rng(seed)
    arrays = [rng.normal(50, 7, (rng.integers(1, 6), 2) if sequence else 2).astype(np.float32) for _ in speakers]
    matrix = FeatureMatrix.from_arrays([str(i) for i in range(len(speakers))], arrays)
    result = normalise_by_speaker(matrix, speakers)
    assert result.kind == matrix.kind
    for speaker in set(speakers):
        own = result.take([i for i, name in enumerate(speakers) if name == speaker])
        frames = np.concatenate(own) if sequence else own
        np.testing.assert_allclose(frames.mean(axis=0), 0, atol=1e-5)
        np.testing.assert_allclose(frames.std(axis=0), 0.0 if len(frames) == 1 else 1.0, atol=1e-4)


def test_a_shift_and_scale_of_one_speaker_leaves_no_trace():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(20, 3)).astype(np.float32)
    other = values.copy()
    other[:10] = other[:10] * 5 + 100
    speakers = ["s"] * 10 + ["t"] * 10
    ids = tuple(map(str, range(20)))
    results = [normalise_by_speaker(FeatureMatrix(ids, array), speakers).values for array in (values, other)]
    np.testing.assert_allclose(results[0], results[1], atol=1e-4)


def test_a_constant_dimension_becomes_zero_not_noise():
    values = np.full((1000, 1), 0.1, dtype=np.float32)
    matrix = FeatureMatrix(tuple(map(str, range(1000))), values)
    assert not normalise_by_speaker(matrix, ["s"] * 1000).values.any()


def test_unknown_speakers_are_refused():
    matrix = FeatureMatrix(("a", "b"), np.zeros((2, 1), dtype=np.float32))
    with pytest.raises(FeatureError, match="1 of 2 utterances is unknown"):
        normalise_by_speaker(matrix, ["s", ""])
    with pytest.raises(FeatureError, match="1 speakers"):
        normalise_by_speaker(matrix, ["s"])
