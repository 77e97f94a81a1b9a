import pytest
from made_suites import LABELS, make_cell, make_table, predict, save

from serbench.errors import ResultsError
from serbench.records import make_predictions
from serbench.reporting.calibration import pooled_probabilities
from serbench.reporting.frozen import freeze
from serbench.reporting.loading import load_predictions, load_records
from serbench.scoring import at_temperature, calibration


def write_row(folder, *, validation):
    import pandas as pd

    table = make_table(8)
    for fold, seed in (("1", 1), ("2", 2)):
        parts = [make_predictions(table, LABELS, at_temperature(predict(table, skill=1.0, seed=seed), 0.3))]
        if validation:
            probabilities = at_temperature(predict(table, skill=1.0, seed=seed + 10), 0.3)
            parts.append(make_predictions(table, LABELS, probabilities, role="validation"))
        save(folder, make_cell(fold=fold), pd.concat(parts, ignore_index=True))
    return load_records(folder.parent, folder.name)


def test_scaling_is_fitted_on_validation_rows_and_helps_an_overconfident_model(tmp_path):
    frames = load_predictions(tmp_path, write_row(tmp_path / "toy", validation=True))
    plain, scaled = (pooled_probabilities(frames, LABELS, scaled=scaled) for scaled in (False, True))
    assert len(plain.truth) == 2 * 96 and len(scaled.temperatures) == 2
    assert all(2 < value < 6 for value in scaled.temperatures)
    assert calibration(scaled)["log_loss"] < calibration(plain)["log_loss"]
    assert (scaled.predicted == plain.predicted).all()


def test_scaling_without_validation_rows_is_an_error(tmp_path):
    frames = load_predictions(tmp_path, write_row(tmp_path / "toy", validation=False))
    with pytest.raises(ResultsError, match="no validation predictions"):
        pooled_probabilities(frames, LABELS, scaled=True)


def test_frozen_probabilities_give_nearly_the_same_scores(tmp_path):
    import shutil

    folder = tmp_path / "toy"
    before = calibration(pooled_probabilities(load_predictions(tmp_path, write_row(folder, validation=True)), LABELS))
    freeze(folder)
    shutil.rmtree(folder / "cells")
    after = calibration(pooled_probabilities(load_predictions(tmp_path, load_records(tmp_path, "toy")), LABELS))
    for name in ("log_loss", "brier", "ece"):
        assert after[name] == pytest.approx(before[name], rel=0.01, abs=0.002)
