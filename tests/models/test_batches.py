import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serbench.errors import ModelError
from serbench.models.deep.batches import Preparation, inference_order, pad, shorten, training_order

LENGTHS = st.lists(st.integers(1, 300), min_size=1, max_size=200)


@given(LENGTHS, st.integers(1, 64), st.integers(0, 3))
def test_every_sequence_comes_once_an_epoch(lengths, batch_size, seed):
    batches = training_order(np.array(lengths), batch_size, np.random.default_rng(seed))
    assert sorted(np.concatenate(batches)) == list(range(len(lengths)))
    assert all(len(batch) for batch in batches)
    in_order = list(inference_order(np.array(lengths), batch_size))
    assert sorted(np.concatenate(in_order)) == list(range(len(lengths)))
    assert max(map(len, in_order)) <= batch_size


@given(LENGTHS, st.integers(1, 64))
def test_number_of_batches_is_the_same_in_every_epoch(lengths, batch_size):
    # The learning-rate schedule counts steps before the first epoch.
    counts = {len(training_order(np.array(lengths), batch_size, np.random.default_rng(seed))) for seed in range(4)}
    assert len(counts) == 1


def test_batches_hold_similar_lengths():
    lengths = np.random.default_rng(0).integers(20, 300, size=512)
    batches = training_order(lengths, 32, np.random.default_rng(1))
    padded = sum(len(batch) * lengths[batch].max() for batch in batches)
    assert padded < 1.25 * lengths.sum()


@given(st.integers(1, 50), st.integers(1, 60), st.integers(1, 5), st.sampled_from(["center", "start", "end"]))
def test_shorten_against_a_plain_loop(frames, max_frames, pool, crop):
    x = np.random.default_rng(frames).normal(size=(frames, 2)).astype(np.float32)
    surplus = max(0, frames - max_frames)
    start = {"start": 0, "end": surplus, "center": surplus // 2}[crop]
    kept = x[start : start + min(frames, max_frames)]
    wanted = [kept[i : i + pool].mean(0) for i in range(0, len(kept), pool)]
    np.testing.assert_allclose(shorten(x, max_frames, crop, pool), wanted, atol=1e-5)


def test_standardisation_comes_from_the_training_frames_alone():
    train = [np.full((4, 2), 1.0, np.float32), np.full((2, 2), 4.0, np.float32)]
    fitted = Preparation.fit(train, max_frames=100, crop="center", pool=1)
    # Frames count, not utterances: four ones and two fours.
    np.testing.assert_allclose(fitted.mean, [2.0, 2.0])
    np.testing.assert_allclose(fitted.scale, np.sqrt([2.0, 2.0]))
    np.testing.assert_allclose(fitted.apply([np.full((1, 2), 4.0)])[0], np.full((1, 2), 2 / np.sqrt(2.0)), rtol=1e-6)


def test_a_constant_dimension_becomes_zero():
    fitted = Preparation.fit([np.full((5, 1), 7.0, np.float32)], max_frames=9, crop="center", pool=1)
    assert not fitted.apply([np.full((3, 1), 7.0)])[0].any()


def test_preparation_survives_its_arrays():
    fitted = Preparation.fit([np.ones((5, 3), np.float32)], max_frames=9, crop="end", pool=2)
    again = Preparation.from_arrays(fitted.to_arrays())
    assert (again.max_frames, again.crop, again.pool) == (9, "end", 2)
    np.testing.assert_array_equal(again.mean, fitted.mean)


@pytest.mark.parametrize("shape", [(4,), (0, 3), (5, 2)])
def test_sequences_of_another_shape_are_refused(shape):
    fitted = Preparation.fit([np.ones((5, 3), np.float32)], max_frames=9, crop="center", pool=1)
    with pytest.raises(ModelError, match="expected"):
        fitted.apply([np.zeros(shape, np.float32)])


def test_unknown_crop_is_refused():
    with pytest.raises(ModelError, match="unknown crop 'middle'"):
        Preparation.fit([np.ones((5, 3), np.float32)], max_frames=9, crop="middle", pool=1)


def test_pad():
    frames, valid = pad([np.ones((2, 1), np.float32), np.ones((3, 1), np.float32)])
    np.testing.assert_array_equal(frames[..., 0], [[1, 1, 0], [1, 1, 1]])
    np.testing.assert_array_equal(valid, [[1, 1, 0], [1, 1, 1]])
