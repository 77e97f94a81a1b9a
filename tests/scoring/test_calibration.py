import numpy as np
import pytest
from sklearn.metrics import brier_score_loss, log_loss

from serbench import scoring
from serbench.scoring import CodedProbabilities, at_temperature, calibration, fit_temperature
from serbench.scoring.calibration import equal_mass_bins, lifted_by_noise


def calibrated(n=4000, classes=4, speakers=20, seed=0) -> CodedProbabilities:
    """Truth is drawn from the probabilities themselves."""
    generator = np.random.default_rng(seed)
    probabilities = generator.dirichlet(np.ones(classes), size=n)
    truth = (generator.random((n, 1)) > probabilities.cumsum(axis=1)).sum(axis=1)
    names = np.array([f"s/{number}" for number in np.arange(n) % speakers], dtype=object)
    return CodedProbabilities(truth, probabilities.argmax(axis=1), probabilities, names)


def test_scores_are_those_of_the_plain_functions():
    tested = calibrated()
    found = calibration(tested)
    assert found["log_loss"] == pytest.approx(log_loss(tested.truth, tested.probabilities, labels=range(4)))
    assert found["brier"] == pytest.approx(scoring.brier_scores(tested.truth, tested.probabilities).mean())
    ece = scoring.expected_calibration_error(tested.truth, tested.predicted, tested.probabilities)
    assert found["ece"] == pytest.approx(ece)
    assert found["log_loss_low"] < found["log_loss"] < found["log_loss_high"] and found["unit"] == "speaker"


def test_reliability_of_calibrated_probabilities_lies_on_the_diagonal():
    bins = calibration(calibrated(20_000))["reliability"]
    assert sum(item["count"] for item in bins) == 20_000 and len(bins) == 10
    assert all(item["accuracy"] == pytest.approx(item["confidence"], abs=0.04) for item in bins)


def test_log_loss_interval_against_a_loop():
    tested = calibrated(600, speakers=15, seed=3)
    losses = -np.log(tested.probabilities[np.arange(600), tested.truth])
    by_speaker = [losses[tested.speakers == name] for name in sorted(set(tested.speakers))]
    generator = np.random.default_rng(1)
    values = [
        np.concatenate([by_speaker[drawn] for drawn in generator.integers(0, 15, 15)]).mean() for _ in range(3000)
    ]
    found = calibration(tested)
    assert (found["log_loss_low"], found["log_loss_high"]) == pytest.approx(
        np.quantile(values, [0.025, 0.975]), abs=0.012
    )


def test_unknown_speakers_resample_utterances():
    tested = calibrated(300)
    unknown = CodedProbabilities(tested.truth, tested.predicted, tested.probabilities, np.full(300, "", dtype=object))
    found = calibration(unknown)
    losses = -np.log(tested.probabilities[np.arange(300), tested.truth])
    reach = 1.96 * losses.std() / np.sqrt(300)
    assert found["unit"] == "utterance"
    assert found["log_loss_high"] - found["log_loss_low"] == pytest.approx(2 * reach, rel=0.1)


def test_the_interval_of_the_calibration_error_holds_zero_only_where_it_may_be_zero():
    lows = [calibration(calibrated(600, speakers=12, seed=seed))["ece_low"] for seed in range(20)]
    assert lows.count(0.0) >= 19
    sure = calibrated(600, speakers=12)
    too_sure = CodedProbabilities(sure.truth, sure.predicted, at_temperature(sure.probabilities, 0.3), sure.speakers)
    found = calibration(too_sure)
    assert 0.05 < found["ece_low"] < found["ece"] < found["ece_high"]


def test_noise_of_one_bin_lifts_the_calibration_error_as_far_as_its_standard_error_says():
    gaps = np.random.default_rng(0).normal(size=(400, 1))
    sums = np.column_stack([np.ones(400), gaps])
    # |N(0, 1)| stays below 2.241 with 97.5 %.
    assert lifted_by_noise(sums) == pytest.approx(2.241 * gaps.std(ddof=1) / 20, rel=0.05)
    assert np.isnan(lifted_by_noise(sums[:1]))


def test_temperature_is_found_again():
    tested = calibrated(8000)
    overconfident = at_temperature(tested.probabilities, 0.5)
    assert fit_temperature(tested.truth, overconfident) == pytest.approx(2.0, rel=0.08)
    assert fit_temperature(tested.truth, tested.probabilities) == pytest.approx(1.0, rel=0.06)


def test_temperature_keeps_the_order_and_the_sum():
    probabilities = np.random.default_rng(0).dirichlet(np.ones(5), size=50)
    scaled = at_temperature(probabilities, 3.0)
    assert np.allclose(scaled.sum(axis=1), 1) and (scaled.argsort(axis=1) == probabilities.argsort(axis=1)).all()


def test_probability_scores_agree_with_scikit_learn():
    generator = np.random.default_rng(3)
    probabilities = generator.dirichlet(np.ones(4), size=80)
    truth = generator.integers(0, 4, 80)
    assert scoring.log_losses(truth, probabilities).mean() == pytest.approx(
        log_loss(truth, probabilities, labels=range(4))
    )
    brier = brier_score_loss(truth, probabilities, labels=range(4), scale_by_half=False)
    assert scoring.brier_scores(truth, probabilities).mean() == pytest.approx(brier)


def test_a_certain_mistake_costs_a_finite_log_loss():
    assert np.isfinite(scoring.log_losses(np.array([1]), np.array([[1.0, 0.0]]))).all()


def test_calibration_error_by_hand():
    # Two bins of two: confidences 0.6, 0.7 (one right) and 0.8, 0.9 (both right).
    confidence = np.array([0.6, 0.7, 0.8, 0.9])
    probabilities = np.column_stack([confidence, 1 - confidence])
    truth, predicted = np.array([0, 1, 0, 0]), np.zeros(4, dtype=int)
    expected = (abs(1 - 1.3) + abs(2 - 1.7)) / 4
    assert scoring.expected_calibration_error(truth, predicted, probabilities, bins=2) == pytest.approx(expected)


def test_calibration_error_against_a_loop():
    generator = np.random.default_rng(5)
    probabilities = generator.dirichlet(np.ones(3), size=200)
    truth, predicted = generator.integers(0, 3, 200), probabilities.argmax(axis=1)
    confidence = probabilities.max(axis=1)
    order = np.argsort(confidence)
    gaps = [abs((truth[part] == predicted[part]).sum() - confidence[part].sum()) for part in np.array_split(order, 10)]
    assert scoring.expected_calibration_error(truth, predicted, probabilities) == pytest.approx(
        sum(gaps) / 200, abs=1e-9
    )


def test_equal_confidences_share_a_bin():
    assert len(set(equal_mass_bins(np.full(50, 0.25)))) == 1
