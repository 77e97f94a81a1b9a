import numpy as np
import pytest
from scipy.optimize import minimize

from serbench.scoring import at_temperature, log_losses
from serbench.scoring.priors import fit_priors, try_priors

SPEAKERS = np.array([f"s/{number}" for number in np.arange(6000) % 20], dtype=object)


def drawn(bias, seed=0):
    """Probabilities (6000, 3), and truth drawn from them after the bias was added."""
    generator = np.random.default_rng(seed)
    probabilities = generator.dirichlet(np.ones(3), size=6000)
    true = at_temperature(probabilities, 1.6, bias)
    return (generator.random((6000, 1)) > true.cumsum(axis=1)).sum(axis=1), probabilities


def test_the_bias_that_truth_was_drawn_with_is_found_again():
    bias = np.array([1.0, -0.4, -0.6])
    temperature, found = fit_priors(*drawn(bias))
    assert temperature == pytest.approx(1.6, rel=0.1)
    np.testing.assert_allclose(found, bias, atol=0.1)


def test_nothing_near_it_has_less_loss():
    truth, probabilities = drawn(np.array([0.5, 0.0, -0.5]))

    def loss(point):
        return log_losses(truth, at_temperature(probabilities, point[0], np.append(point[1:], 0))).mean()

    temperature, bias = fit_priors(truth, probabilities)
    found = minimize(loss, [1.0, 0.0, 0.0], method="Nelder-Mead", options={"xatol": 1e-5, "fatol": 1e-10})
    assert loss([temperature, *(bias[:2] - bias[2])]) == pytest.approx(found.fun, abs=1e-6)


def test_held_out_speakers_tell_whether_it_helps():
    assert try_priors(*drawn(np.array([1.0, -0.4, -0.6])), SPEAKERS).helps
    # Each fifth of the speakers says another label more often than the rest: what is fitted on the others misleads.
    truth, probabilities = drawn(np.zeros(3))
    own = np.arange(6000) % 20 % 5
    kept = (truth == own % 3) | (np.random.default_rng(1).random(6000) < 0.3)
    assert not try_priors(truth[kept], probabilities[kept], SPEAKERS[kept]).helps


def test_a_speaker_is_answered_by_what_was_fitted_on_others():
    truth, probabilities = drawn(np.array([1.0, -0.4, -0.6]))
    before = try_priors(truth, probabilities, SPEAKERS).probabilities
    same = SPEAKERS == "s/0"
    truth[same] = (truth[same] + 1) % 3
    after = try_priors(truth, probabilities, SPEAKERS).probabilities
    np.testing.assert_array_equal(before[same], after[same])
    assert not np.allclose(before, after)


def test_where_speakers_are_unknown_utterances_are_held_out():
    truth, probabilities = drawn(np.array([1.0, -0.4, -0.6]))
    found = try_priors(truth[:50], probabilities[:50], np.full(50, "", dtype=object))
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1)
