"""Models that cannot take any number of rows: fitted to a stated, seeded draw over speakers and classes."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from tuning_cells import LABELS, make_features, make_job, make_table, run_cell

import serbench
from serbench.circumstances import Circumstances
from serbench.features.precomputed import read_precomputed
from serbench.protocols.balanced_folds import draw_evenly
from serbench.registry import build_registry
from serbench.reporting.show import row_report
from serbench.runner.cell.fitting import Training, drawn_for, fit_model
from serbench.runner.cell.tuning.objective import Objective


@pytest.mark.parametrize("model", ["svm", "knn"])
def test_a_row_is_fitted_to_the_draw_and_says_so(tmp_path, model):
    whole = run_cell(make_job(tmp_path / "whole", model))
    record = run_cell(make_job(tmp_path / "drawn", model, fixed={"max_train": 30}))
    assert (whole.sizes["train"], "drawn" in whole.sizes, whole.params["max_train"]) == (60, False, None)
    assert (record.sizes["train"], record.sizes["drawn"], record.params["max_train"]) == (60, 30, 30)
    assert record.cell.model_name == f"{model}(max_train=30)"
    enough = run_cell(make_job(tmp_path / "enough", model, fixed={"max_train": 60}))
    assert "drawn" not in enough.sizes and enough.status == "ok"


@pytest.mark.parametrize("model", ["svm", "knn"])
def test_the_fit_is_that_of_a_plain_model_on_the_rows_drawn(tmp_path, model):
    table = make_table()
    np.savez(tmp_path / "own.npz", **make_features(table))
    matrix, spec = read_precomputed(tmp_path / "own.npz", table["id"]), build_registry().get("model", model)
    train = np.arange(5, 65)
    params = {**spec.params, "max_train": 20}
    fitted = fit_model(spec, params, matrix, table, LABELS, Training(train, train[:0], ""), seed=3)
    rows = drawn_for(params, table, train, 3)
    assert len(rows) == fitted.drawn == 20 and set(rows) <= set(train)
    assert not np.array_equal(rows, drawn_for(params, table, train, 4))
    plain = fit_model(spec, spec.params, matrix, table, LABELS, Training(rows, rows[:0], ""), seed=3)
    assert np.array_equal(fitted.predict_proba(matrix.values), plain.predict_proba(matrix.values))


def test_a_search_draws_as_a_fit_does(tmp_path):
    table = make_table()
    np.savez(tmp_path / "own.npz", **make_features(table))
    spec = build_registry().get("model", "knn")
    folds = [(np.flatnonzero(part), np.flatnonzero(~part)) for part in (table.index % 3 != 0, table.index % 3 != 1)]
    told = {"rows": table, "labels": LABELS, "matrices": [read_precomputed(tmp_path / "own.npz", table["id"])]}
    told |= {"folds": folds, "level": "speaker", "seed": 3}
    together, apart = Objective(spec, **told), Objective(dataclasses.replace(spec, search=None), **told)
    values = {}
    for most in (None, 12):
        params = {**spec.params, "n_neighbors": 3, "max_train": most}
        values[most], _ = together(params, 0, lambda done, mean: None)
        assert values[most] == apart(params, 0, lambda done, mean: None)[0]
    assert values[12] != values[None]


@pytest.mark.parametrize("most", [0, 1, -5, True, "many", 2.5])
def test_what_is_no_number_of_rows_is_a_failure_row(tmp_path, most):
    record = run_cell(make_job(tmp_path, "svm", fixed={"max_train": most}))
    assert record.status == "failed" and "max_train" in record.reason


def test_the_draw_keeps_the_shares_of_speakers_in_classes_and_hangs_on_no_order():
    table = make_table()
    drawn = table.iloc[draw_evenly(table, 36, seed=1)]
    assert (drawn.groupby(["speaker", "label"]).size() == 2).all() and len(drawn) == 36
    turned = table.sample(frac=1, random_state=0, ignore_index=True)
    assert set(turned["id"].iloc[draw_evenly(turned, 36, seed=1)]) == set(drawn["id"])
    few = table.iloc[draw_evenly(table, 3, seed=1)]
    assert set(few["label"]) == set(LABELS)
    assert len(draw_evenly(table, 1000, seed=1)) == len(table)


def test_a_leaderboard_names_the_draw_and_show_tells_it(tmp_path, tiny_suite, tiny_data, shared_cache):
    around = Circumstances(data=tiny_data, cache=shared_cache, results=tmp_path / "results", jobs=1)
    around = dataclasses.replace(around, executor="in_process")
    filters = {"model": ["svm", "svm(max_train=12)"], "protocol": ["speaker_kfold(k=3)"]}
    board = serbench.run(tiny_suite, filters=filters, around=around)
    assert set(board["model"]) == {"svm", "svm(max_train=12)"}
    row = board.loc[board["model"] == "svm(max_train=12)", "row"].item()
    records = serbench.load_records(around.results, "tiny")
    notes = row_report(records[records["row"] == row])["notes"]
    assert "fitted to 12 of 36 training utterances, drawn evenly over speakers and classes (max_train)" in notes
