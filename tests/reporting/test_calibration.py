import numpy as np
import pytest
from made_suites import LABELS, make_cell, make_table, predict, save
from sklearn.metrics import log_loss

from serbench.errors import ResultsError
from serbench.records import make_predictions
from serbench.reporting.calibration import Chances, at_temperature, calibration, chances_of, fit_temperature
from serbench.reporting.frozen import freeze
from serbench.reporting.loading import load_predictions, load_records
from serbench.reporting.scores import brier_scores, expected_calibration_error


def calibrated(n=4000, classes=4, speakers=20, seed=0) -> Chances:
    """Truth is drawn from the probabilities themselves."""
    generator = np.random.default_rng(seed)
    probabilities = generator.dirichlet(np.ones(classes), size=n)
    truth = (generator.random((n, 1)) > probabilities.cumsum(axis=1)).sum(axis=1)
    names = np.array([f"s/{number}" for number in np.arange(n) % speakers], dtype=object)
    return Chances(truth, probabilities.argmax(axis=1), probabilities, names)


def test_scores_are_those_of_the_plain_functions():
    chances = calibrated()
    found = calibration(chances)
    assert found["log_loss"] == pytest.approx(log_loss(chances.truth, chances.probabilities, labels=range(4)))
    assert found["brier"] == pytest.approx(brier_scores(chances.truth, chances.probabilities).mean())
    ece = expected_calibration_error(chances.truth, chances.predicted, chances.probabilities)
    assert found["ece"] == pytest.approx(ece)
    assert found["log_loss_low"] < found["log_loss"] < found["log_loss_high"] and found["unit"] == "speaker"


def test_reliability_of_calibrated_probabilities_lies_on_the_diagonal():
    bins = calibration(calibrated(20_000))["reliability"]
    assert sum(item["count"] for item in bins) == 20_000 and len(bins) == 10
    assert all(item["accuracy"] == pytest.approx(item["confidence"], abs=0.04) for item in bins)


def test_log_loss_interval_against_a_loop():
    chances = calibrated(600, speakers=15, seed=3)
    losses = -np.log(chances.probabilities[np.arange(600), chances.truth])
    by_speaker = [losses[chances.speakers == name] for name in sorted(set(chances.speakers))]
    generator = np.random.default_rng(1)
    values = [
        np.concatenate([by_speaker[drawn] for drawn in generator.integers(0, 15, 15)]).mean() for _ in range(3000)
    ]
    found = calibration(chances)
    assert (found["log_loss_low"], found["log_loss_high"]) == pytest.approx(
        np.quantile(values, [0.025, 0.975]), abs=0.012
    )


def test_unknown_speakers_resample_utterances():
    chances = calibrated(300)
    unknown = Chances(chances.truth, chances.predicted, chances.probabilities, np.full(300, "", dtype=object))
    found = calibration(unknown)
    losses = -np.log(chances.probabilities[np.arange(300), chances.truth])
    reach = 1.96 * losses.std() / np.sqrt(300)
    assert found["unit"] == "utterance"
    assert found["log_loss_high"] - found["log_loss_low"] == pytest.approx(2 * reach, rel=0.1)


def test_temperature_is_found_again():
    chances = calibrated(8000)
    overconfident = at_temperature(chances.probabilities, 0.5)
    assert fit_temperature(chances.truth, overconfident) == pytest.approx(2.0, rel=0.08)
    assert fit_temperature(chances.truth, chances.probabilities) == pytest.approx(1.0, rel=0.06)


def test_temperature_keeps_the_order_and_the_sum():
    probabilities = np.random.default_rng(0).dirichlet(np.ones(5), size=50)
    scaled = at_temperature(probabilities, 3.0)
    assert np.allclose(scaled.sum(axis=1), 1) and (scaled.argsort(axis=1) == probabilities.argsort(axis=1)).all()


def write_row(folder, *, validation):
    import pandas as pd

    table = make_table(8)
    for fold, seed in (("1", 1), ("2", 2)):
        parts = [make_predictions(table, LABELS, at_temperature(predict(table, skill=1.0, seed=seed), 0.3))]
        if validation:
            chances = at_temperature(predict(table, skill=1.0, seed=seed + 10), 0.3)
            parts.append(make_predictions(table, LABELS, chances, role="validation"))
        save(folder, make_cell(fold=fold), pd.concat(parts, ignore_index=True))
    return load_records(folder.parent, folder.name)


def test_scaling_is_fitted_on_validation_rows_and_helps_an_overconfident_model(tmp_path):
    frames = load_predictions(tmp_path, write_row(tmp_path / "toy", validation=True))
    plain, scaled = (chances_of(frames, LABELS, scaled=scaled) for scaled in (False, True))
    assert len(plain.truth) == 2 * 96 and len(scaled.temperatures) == 2
    assert all(2 < value < 6 for value in scaled.temperatures)
    assert calibration(scaled)["log_loss"] < calibration(plain)["log_loss"]
    assert (scaled.predicted == plain.predicted).all()


def test_scaling_without_validation_rows_is_an_error(tmp_path):
    frames = load_predictions(tmp_path, write_row(tmp_path / "toy", validation=False))
    with pytest.raises(ResultsError, match="no validation predictions"):
        chances_of(frames, LABELS, scaled=True)


def test_frozen_probabilities_give_nearly_the_same_scores(tmp_path):
    import shutil

    folder = tmp_path / "toy"
    before = calibration(chances_of(load_predictions(tmp_path, write_row(folder, validation=True)), LABELS))
    freeze(folder)
    shutil.rmtree(folder / "cells")
    after = calibration(chances_of(load_predictions(tmp_path, load_records(tmp_path, "toy")), LABELS))
    for name in ("log_loss", "brier", "ece"):
        assert after[name] == pytest.approx(before[name], rel=0.01, abs=0.002)
