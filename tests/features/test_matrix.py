"""The feature matrix: what it holds, gives out, joins and refuses."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serbench.errors import FeatureError
from serbench.features.matrix import FeatureMatrix, concatenate


def numbered(lengths, dimensions=3):
    """A sequence matrix in which every value tells its utterance."""
    arrays = [np.full((length, dimensions), i, dtype=np.float32) for i, length in enumerate(lengths)]
    return FeatureMatrix.from_arrays([f"c/{i}" for i in range(len(lengths))], arrays)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=12), st.data())
def test_sequences_come_back_whole_in_any_order(lengths, data):
    matrix = numbered(lengths)
    order = data.draw(st.permutations(range(len(lengths))))
    for position, frames in zip(order, matrix.take(order), strict=True):
        assert frames.shape == (lengths[position], 3)
        assert (frames == position).all()
    chosen = matrix.select([f"c/{i}" for i in order])
    assert chosen.kind == "sequence"
    assert [len(frames) for frames in chosen.take(range(len(order)))] == [lengths[i] for i in order]
    assert chosen.values[:, 0].tolist() == [i for i in order for _ in range(lengths[i])]


def test_vectors_are_taken_by_row():
    matrix = FeatureMatrix(("a", "b", "c"), np.arange(6, dtype=np.float32).reshape(3, 2))
    assert matrix.take([2, 0]).tolist() == [[4, 5], [0, 1]]
    assert matrix.select(["b"]).take([0]).tolist() == [[2, 3]]
    assert (matrix.kind, matrix.dimensions, len(matrix)) == ("vector", 2, 3)


def test_values_cannot_be_written():
    values = np.zeros((1, 2), dtype=np.float32)
    matrix = FeatureMatrix(("a",), values)
    with pytest.raises(ValueError, match="read-only"):
        matrix.values[0, 0] = 1
    values[0, 0] = 1  # the caller's own array stays as it was


def test_selecting_what_is_absent_names_it():
    with pytest.raises(FeatureError, match=r"2 of 3 utterances: c/8, c/9"):
        numbered([1, 2]).select(["c/8", "c/0", "c/9"])


def test_concatenated_vectors_stand_side_by_side():
    left = FeatureMatrix(("a", "b"), np.array([[1.0], [2.0]], dtype=np.float32))
    right = FeatureMatrix(("a", "b"), np.array([[3.0, 4.0], [5.0, 6.0]], dtype=np.float32))
    assert concatenate([left, right]).values.tolist() == [[1, 3, 4], [2, 5, 6]]
    assert concatenate([left]) is left


def test_what_cannot_be_concatenated_is_refused():
    vector = FeatureMatrix(("c/0",), np.zeros((1, 1), dtype=np.float32))
    with pytest.raises(FeatureError, match="only vectors"):
        concatenate([vector, numbered([2])])
    with pytest.raises(FeatureError, match="different utterances"):
        concatenate([vector, FeatureMatrix(("c/1",), np.zeros((1, 1), dtype=np.float32))])


@pytest.mark.parametrize(
    ("ids", "shape", "offsets"),
    [
        (("a",), (2, 3), None),
        (("a", "a"), (2, 3), None),
        (("a",), (2,), None),
        (("a",), (2, 3), [0, 1]),
        (("a", "b"), (2, 3), [0, 3, 2]),
        (("a",), (2, 3), [1, 2]),
    ],
)
def test_contradicting_shapes_are_refused(ids, shape, offsets):
    with pytest.raises(FeatureError):
        FeatureMatrix(ids, np.zeros(shape, dtype=np.float32), None if offsets is None else np.array(offsets))


def test_arrays_of_differing_width_are_refused():
    with pytest.raises(FeatureError, match="differ in the shape"):
        FeatureMatrix.from_arrays(["a", "b"], [np.zeros(2), np.zeros(3)])
    with pytest.raises(FeatureError, match="differ in the shape"):
        FeatureMatrix.from_arrays(["a", "b"], [np.zeros(2), np.zeros((1, 2))])
