import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from serbench.models.deep.augment import augment, mixup, stretched
from serbench.models.deep.defaults import TRAINING

NONE = {name: 0.0 for name in ("noise", "shift", "stretch", "time_mask", "feature_mask")}


def sequences(*lengths):
    return [np.random.default_rng(n).normal(size=(n, 4)).astype(np.float32) for n in lengths]


def test_no_strength_changes_nothing():
    X = sequences(1, 5, 30)
    for x, altered in zip(X, augment(X, np.random.default_rng(0), NONE), strict=True):
        np.testing.assert_array_equal(altered, x)


def test_input_is_never_written_to():
    X = sequences(10, 20)
    kept = [x.copy() for x in X]
    augment(X, np.random.default_rng(0), {**TRAINING, **dict.fromkeys(NONE, 0.3)})
    for x, before in zip(X, kept, strict=True):
        np.testing.assert_array_equal(x, before)


@given(st.integers(0, 500), st.integers(1, 60), st.sampled_from([0.1, 0.3, 0.9]))
def test_masks_are_one_stretch_of_at_most_their_share(seed, frames, share):
    x = np.ones((frames, 12), np.float32)
    masked = augment([x], np.random.default_rng(seed), {**NONE, "time_mask": share})[0]
    silent = np.flatnonzero(~masked.any(axis=1))
    assert len(silent) <= share * frames
    assert not len(silent) or np.ptp(silent) == len(silent) - 1
    banded = augment([x], np.random.default_rng(seed), {**NONE, "feature_mask": share})[0]
    assert (~banded.any(axis=0)).sum() <= share * 12


def test_shift_is_one_offset_for_a_whole_utterance():
    x = sequences(50)[0]
    offset = augment([x], np.random.default_rng(0), {**NONE, "shift": 1.0})[0] - x
    np.testing.assert_allclose(offset, np.broadcast_to(offset[0], offset.shape), atol=1e-5)
    assert np.abs(offset[0]).max() > 0.1


def test_stretching_resamples_linearly():
    x = np.arange(5, dtype=np.float32)[:, None]
    np.testing.assert_allclose(stretched(x, 0.8)[:, 0], np.linspace(0, 4, 9), atol=1e-6)
    np.testing.assert_array_equal(stretched(x, 0.0), x)
    assert stretched(x[:1], 0.5).shape[0] >= 1


def test_mixup_blends_frames_and_targets_alike():
    frames, valid = np.zeros((3, 2, 1), np.float32), np.ones((3, 2), np.float32)
    frames[:] = np.array([1.0, 2.0, 4.0])[:, None, None]
    targets = np.eye(3, dtype=np.float32)
    mixed, soft = mixup(frames, valid, targets, np.random.default_rng(0), 0.4)
    np.testing.assert_allclose(soft.sum(axis=1), 1, rtol=1e-6)
    # With one value a class, a blend of frames is the same blend of targets.
    np.testing.assert_allclose(mixed[:, 0, 0], soft @ [1.0, 2.0, 4.0], rtol=1e-6)
    assert (soft.max(axis=1) >= 0.5).all()


def test_mixup_leaves_padding_empty():
    frames, valid = np.ones((2, 4, 1), np.float32), np.array([[1, 1, 0, 0], [1, 1, 1, 1]], np.float32)
    mixed, _ = mixup(frames * valid[..., None], valid, np.eye(2, dtype=np.float32), np.random.default_rng(3), 1.0)
    assert not mixed[0, 2:].any()
