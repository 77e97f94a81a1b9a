"""Statistics of new speakers, shrunk towards the population's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serbench.errors import EnrolmentError
from serbench.features.enrolment import MEAN, MEAN_STD, METHODS, Adaptation, Population, adapted
from serbench.features.matrix import FeatureMatrix

ONES = np.array([1.0])


def matrix_of(*values):
    return FeatureMatrix(tuple(map(str, range(len(values)))), np.array(values, dtype=np.float32)[:, None])


def by_themselves(known):
    return {name: (own, own) for name, own in known.items()}


def test_by_hand():
    # Speakers at 0 ± 1 and at 10 ± 3: the population has mean 5 and variance 5.
    matrix = matrix_of(-1, 1, 7, 13, 20, 22, 30)
    known = {"a": np.array([0, 1]), "b": np.array([2, 3])}
    population = Population.of(matrix, known)
    assert [population.mean.item(), population.variance.item(), population.frames] == pytest.approx([5, 5, 1])
    known = by_themselves(known)
    new = {"c": (np.array([4, 5]), np.array([4, 5, 6]))}
    # Two utterances of mean 21 and two pseudo-utterances of mean 5.
    found = adapted(matrix, Adaptation(MEAN, 2.0, population), known, new)
    np.testing.assert_allclose(found.values.ravel(), [-1, 1, -3, 3, 7, 9, 17], rtol=1e-6)
    # Squared deviations 2, and 2 × 5 of the pseudo-utterances, over 1 + 2.
    found = adapted(matrix, Adaptation(MEAN_STD, 2.0, population), known, new)
    np.testing.assert_allclose(found.values.ravel(), [-1, 1, -1, 1, 3.5, 4.5, 8.5], rtol=1e-6)
    # Each by the others alone: of utterance 4 only 5 was heard.
    found = adapted(matrix, Adaptation(MEAN, 1.0, population), known, new, others=True)
    np.testing.assert_allclose(found.values.ravel()[4:], [20 - 13.5, 22 - 12.5, 30 - 47 / 3], rtol=1e-6)


def test_copies_are_normalised_by_what_their_speaker_said_himself():
    # Behind speakers at 0 ± 1 and at 10 ± 3, a copy of the first's that was altered to 4, and of the other's to 16.
    matrix = matrix_of(-1, 1, 7, 13, 4, 16)
    own = {"a": np.array([0, 1]), "b": np.array([2, 3])}
    known = {"a": (own["a"], np.array([0, 1, 4])), "b": (own["b"], np.array([2, 3, 5]))}
    population = Population.of(matrix, own)
    for method, expected in ((MEAN, [-1, 1, -3, 3, 4, 6]), (MEAN_STD, [-1, 1, -1, 1, 4, 2])):
        found = adapted(matrix, Adaptation(method, 2.0, population), known, {})
        np.testing.assert_allclose(found.values.ravel(), expected, rtol=1e-6)


@given(st.integers(0, 99), st.booleans(), st.sampled_from(METHODS), st.floats(0.5, 10))
def test_a_saved_model_finds_what_a_run_finds(seed, sequence, method, strength):
    rng = np.random.default_rng(seed)
    arrays = [rng.normal(50, 7, (rng.integers(1, 6), 2) if sequence else 2).astype(np.float32) for _ in range(12)]
    matrix = FeatureMatrix.from_arrays(list(map(str, range(12))), arrays)
    known = {"a": np.arange(4), "b": np.arange(4, 8)}
    adaptation = Adaptation(method, strength, Population.of(matrix, known))
    heard, everything = np.array([8, 9]), np.arange(8, 12)
    found = adapted(matrix, adaptation, by_themselves(known), {"c": (heard, everything)})
    mean, deviation = Adaptation.from_json(adaptation.to_json()).of_utterances([arrays[8], arrays[9]])
    for place in (10, 11):
        np.testing.assert_allclose(found.take([place])[0], (arrays[place] - mean) / deviation, rtol=1e-4, atol=1e-4)


def test_nothing_heard_is_the_population_and_much_is_the_speaker():
    population = Population(5 * ONES, 4 * ONES, 1.0)
    adaptation = Adaptation(MEAN_STD, 2.0, population)
    assert [value.item() for value in adaptation.of_utterances([])] == [5.0, 2.0]
    many = np.tile([[99.0], [101.0]], (5000, 1))
    mean, deviation = adaptation.of_utterances(list(many))
    assert mean.item() == pytest.approx(100, abs=0.05) and deviation.item() == pytest.approx(1, abs=0.5)


def test_a_dimension_that_never_varies_is_not_divided_by_nothing():
    matrix = matrix_of(3, 3, 3, 3, 3)
    known = {"a": np.array([0, 1]), "b": np.array([2, 3])}
    adaptation = Adaptation(MEAN_STD, 1.0, Population.of(matrix, known))
    found = adapted(matrix, adaptation, by_themselves(known), {"c": (np.array([4]), np.array([4]))})
    assert found.values.ravel().tolist() == [0] * 5


def test_one_training_speaker():
    with pytest.raises(EnrolmentError, match="1 training speaker"):
        Population.of(matrix_of(1, 2), {"a": np.array([0, 1])})
