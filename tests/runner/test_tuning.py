import dataclasses
import warnings

import joblib
import numpy as np
import pytest
import tuning_cells
from tuning_cells import is_test, make_features, make_job, make_table, run_cell, without_seconds

from serbench.records import read_cell
from serbench.registry import build_registry
from serbench.runner.cell import recipe
from serbench.runner.cell.tuning import cell
from serbench.runner.cell.tuning.objective import Objective, medians
from serbench.runner.cell.tuning.space import Defaults, searched_params
from serbench.specs import ModelSpec

CLASSICAL = ["svm", "knn", "lda", "logistic_regression", "random_forest", "xgboost"]


@pytest.fixture
def fitted(monkeypatch):
    """Every model that a cell fits outside of its search."""
    models = []
    fit_model = recipe.fit_model
    monkeypatch.setattr(recipe, "fit_model", lambda *a, **k: models.append(fit_model(*a, **k)) or models[-1])
    return models


def noisy(table, features):
    """The same corpus with noise in place of the test part: of its features and of its labels."""
    random = np.random.default_rng(9)
    rows = is_test(table)
    labels = table["label"].to_numpy(dtype=object).copy()
    labels[rows] = random.permutation(labels[rows])
    assert (labels != table["label"])[rows].any()
    noise = {
        name: random.normal(0, 100, values.shape).astype(np.float32) if test else values
        for (name, values), test in zip(features.items(), rows, strict=True)
    }
    return table.assign(label=labels), noise


@pytest.mark.parametrize("model", CLASSICAL)
def test_noise_in_the_test_part_changes_no_choice_and_no_weight(tmp_path, fitted, model):
    table = make_table()
    features = make_features(table)
    fixed = {"n_estimators": 20} if model in ("random_forest", "xgboost") else None
    clean = run_cell(make_job(tmp_path / "clean", model, table=table, features=features, fixed=fixed, trials=4))
    table, features = noisy(table, features)
    noise = run_cell(make_job(tmp_path / "noise", model, table=table, features=features, fixed=fixed, trials=4))
    assert (clean.status, noise.status) == ("ok", "ok"), clean.reason
    assert without_seconds(noise.tuning) == without_seconds(clean.tuning)
    assert noise.params == clean.params
    assert joblib.hash(fitted[0].estimator) == joblib.hash(fitted[1].estimator)


def test_noise_in_the_test_part_changes_no_choice_and_no_weight_of_a_network(tmp_path, fitted):
    table = make_table()
    random = np.random.default_rng(0)
    features = {
        name: (vector + random.normal(0, 0.3, (int(random.integers(6, 12)), len(vector)))).astype(np.float32)
        for name, vector in make_features(table).items()
    }
    fixed = {"epochs": 2, "filters": 4, "blocks": 1}
    tuning = {"fixed": fixed, "trials": 2, "inner": 1}
    clean = run_cell(make_job(tmp_path / "clean", "cnn", table=table, features=features, **tuning))
    table, features = noisy(table, features)
    noise = run_cell(make_job(tmp_path / "noise", "cnn", table=table, features=features, **tuning))
    assert clean.status == "ok", clean.traceback
    assert without_seconds(noise.tuning) == without_seconds(clean.tuning)
    ours, theirs = (model.estimator.model.get_weights() for model in fitted)
    assert all(np.array_equal(a, b) for a, b in zip(ours, theirs, strict=True))


def test_the_first_trial_is_the_defaults(tmp_path):
    for model in CLASSICAL:
        spec: ModelSpec = build_registry().get("model", model)
        fixed = {"n_estimators": 10} if "n_estimators" in spec.params else {}
        tuned = run_cell(make_job(tmp_path / model, model, fixed=fixed, trials=1))
        (trial,) = tuned.tuning["trials"]
        assert trial["params"] == {name: spec.params[name] for name in trial["params"]}, model
        assert (trial["number"], trial["state"], tuned.tuning["best"]) == (0, "complete", 0)
        untuned = run_cell(make_job(tmp_path / model, model, fixed=fixed))
        assert tuned.params == untuned.params == {**spec.params, **fixed}
        folder = tmp_path / model / "suite" / "cells"
        first, second = (read_cell(folder / f"{record.cell.id}.parquet")[1] for record in (tuned, untuned))
        assert first.equals(second), model


def test_a_search_finds_what_there_is_to_find(tmp_path):
    record = run_cell(make_job(tmp_path, "oracle", trials=20))
    tuning = record.tuning
    values = [trial["value"] for trial in tuning["trials"] if trial["state"] == "complete"]
    assert tuning["value"] == max(values) > tuning["trials"][0]["value"]
    assert record.params["skill"] == tuning["trials"][tuning["best"]]["params"]["skill"] > 0.8
    assert (tuning["inner"], tuning["folds"], tuning["reproducible"]) == ("speaker", 3, True)
    assert (
        record.seconds["tuning"]
        == tuning["seconds"]
        == pytest.approx(sum(trial["seconds"] for trial in tuning["trials"]), abs=0.01)
    )


def test_the_sampler_learns(tmp_path):
    # Of 40 trials the first 10 are drawn at random; those after them crowd where the best are.
    trials = run_cell(make_job(tmp_path, "oracle", trials=40, inner=1)).tuning["trials"]
    skill = [trial["params"]["skill"] for trial in trials]
    assert np.mean(skill[20:]) > np.mean(skill[1:10]) + 0.1


def test_hopeless_trials_are_given_up_and_the_defaults_never(tmp_path):
    record = run_cell(make_job(tmp_path / "median", "oracle", fixed=None, trials=25))
    pruned = [trial for trial in record.tuning["trials"] if trial["state"] == "pruned"]
    complete = [trial for trial in record.tuning["trials"] if trial["state"] == "complete"]
    assert pruned and complete[0]["number"] == 0
    assert max(trial["value"] for trial in pruned) <= record.tuning["value"]
    watched = run_cell(make_job(tmp_path / "hyperband", "watched", trials=25, inner=1))
    states = [trial["state"] for trial in watched.tuning["trials"]]
    assert states[0] == "complete" and "pruned" in states


@pytest.mark.parametrize("inner", [1, 2, 3])
def test_inner_folds_keep_speakers_apart_and_stay_in_the_training_part(tmp_path, monkeypatch, inner):
    seen = []
    monkeypatch.setattr(cell, "Objective", lambda **parts: seen.append(parts) or Objective(**parts))
    record = run_cell(make_job(tmp_path, "oracle", trials=1, inner=inner))
    (made,) = seen
    assert record.tuning["folds"] == len(made["folds"]) == inner
    speakers = made["rows"]["speaker"].to_numpy()
    assert set(speakers) == {f"own/s{number}" for number in range(5)}
    assert list(made["matrices"][0].ids) == list(made["rows"]["id"])
    for train, test in made["folds"]:
        assert not set(speakers[train]) & set(speakers[test])
        assert len(test) and len(train) + len(test) == len(speakers)


def test_what_the_suite_fixes_is_not_searched(tmp_path):
    record = run_cell(make_job(tmp_path, "oracle", fixed={"skill": 0.25}, trials=6))
    assert record.params["skill"] == 0.25
    assert all("skill" not in trial["params"] for trial in record.tuning["trials"])
    assert set(record.tuning["space"]) == {"colour"}


def test_a_plug_in_need_not_declare_its_parameters(tmp_path):
    (tmp_path / "free.py").write_text(
        "from serbench import ModelSpec\n"
        "def build(params, *, n_classes, seed):\n"
        "    from sklearn.neighbors import KNeighborsClassifier\n"
        "    return KNeighborsClassifier(**params)\n"
        "FREE = ModelSpec(name='free', accepts='vector', build=build,\n"
        "                 space=lambda t: {'n_neighbors': t.suggest_int('n_neighbors', 1, 30)})\n"
    )
    job = make_job(tmp_path, "free", trials=6)
    around = dataclasses.replace(job.circumstances, plugins=(tmp_path / "free.py",))
    record = run_cell(dataclasses.replace(job, circumstances=around))
    assert record.status == "ok", record.traceback
    trials = record.tuning["trials"]
    assert trials[0]["params"] == {} and all("n_neighbors" in trial["params"] for trial in trials[1:])
    assert record.params == trials[record.tuning["best"]]["params"]


def test_further_parameters_can_be_chosen_from_a_list(tmp_path):
    record = run_cell(make_job(tmp_path, "oracle", trials=8, choices={"epochs": [1, 2, 3]}))
    tried = {trial["params"]["epochs"] for trial in record.tuning["trials"]}
    assert record.tuning["trials"][0]["params"]["epochs"] == 1 and len(tried) > 1
    assert record.params["epochs"] in (1, 2, 3)


def test_a_timeout_ends_the_search_and_marks_it(tmp_path):
    record = run_cell(make_job(tmp_path, "oracle", fixed={"seconds": 0.02}, trials=50, timeout=0.2))
    assert 1 <= len(record.tuning["trials"]) < 20
    assert record.tuning["reproducible"] is False


def test_a_space_that_raises_fails_the_cell_with_its_reason(tmp_path):
    record = run_cell(make_job(tmp_path, "broken", trials=3))
    assert record.status == "failed"
    assert "search space of 'broken' raised ValueError" in record.reason and "mend" in record.reason


def test_parameters_that_cannot_be_fitted_are_failed_trials(tmp_path):
    record = run_cell(make_job(tmp_path, "oracle", fixed={"fails_below": 0.4}, trials=15))
    failed = [trial for trial in record.tuning["trials"] if trial["state"] == "fail"]
    assert record.status == "ok" and 0 < len(failed) < 15
    assert all(trial["value"] is None and "too little skill" in trial["reason"] for trial in failed)
    assert all(trial["params"]["skill"] < 0.4 for trial in failed)


def test_when_every_trial_fails_the_cell_fails_and_can_be_tried_again(tmp_path):
    job = make_job(tmp_path, "oracle", fixed={"fails_below": 2.0}, trials=4)
    for _ in range(2):
        record = run_cell(job)
        assert record.status == "failed"
        assert record.reason.startswith("all 4 trials failed; the first: ValueError: too little skill: 0.500")
        assert not list((tmp_path / "suite" / "studies").iterdir())


def test_the_final_fit_takes_the_median_of_the_best_rounds(tmp_path, fitted):
    record = run_cell(make_job(tmp_path, "xgboost", trials=3))
    early = [trial for trial in record.tuning["trials"][1:] if trial["state"] == "complete"]
    assert early and all(1 <= trial["params"]["n_estimators"] < 600 for trial in early)
    assert all(trial["params"]["early_stopping_rounds"] is None for trial in early)
    assert fitted[0].estimator.get_booster().num_boosted_rounds() == record.params["n_estimators"]
    assert medians([{"n": 10, "other": None}, {"n": 40, "other": None}, {"n": 30, "other": None}]) == {
        "n": 30,
        "other": None,
    }


@pytest.mark.filterwarnings("ignore:n_quantiles")
@pytest.mark.parametrize("model", ["svm", "knn", "lda", "xgboost"])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_what_trials_share_changes_no_answer(model, n_classes):
    import optuna

    spec: ModelSpec = build_registry().get("model", model)
    random = np.random.default_rng(1)
    y = np.arange(60) % n_classes
    X = (y[:, None] * 0.7 + random.normal(size=(60, 12))).astype(np.float32)
    Xv, yv = X[40:] + 0.1, y[40:]
    X, y = X[:40], y[:40]
    evaluate = spec.search(X, y, Xv, yv, n_classes=n_classes, seed=3)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    for _ in range(8):
        choices = {"scaler": ["standard", "robust", "quantile", "none"]} if "scaler" in spec.params else {}
        params = {**spec.params, **searched_params(spec, study.ask(), {}, choices)}
        if "n_neighbors" in params:
            params["n_neighbors"] = min(params["n_neighbors"], 20)
        answered, found = evaluate(params)
        alone = spec.build({**params, **found}, n_classes=n_classes, seed=3).fit(X, y)
        np.testing.assert_allclose(answered, alone.predict_proba(Xv), atol=2e-3)


def test_defaults_are_told_to_the_sampler_where_the_space_holds_them():
    def space(trial):
        kernel = trial.suggest_categorical("kernel", ["rbf", "linear"])
        gamma = trial.suggest_float("gamma", 1e-5, 1e-1, log=True)
        return {"kernel": kernel, "gamma": gamma, "k": trial.suggest_int("k", 1, 9, step=2), "x": 0}

    spec = ModelSpec(name="m", accepts="vector", build=None, space=space)
    walk = Defaults({"kernel": "rbf", "gamma": "scale", "k": 3})
    assert searched_params(spec, walk, {"x": 1}, {}) == {"kernel": "rbf", "gamma": 1e-5, "k": 3}
    assert walk.held == {"kernel": "rbf", "k": 3} and set(walk.distributions) == {"kernel", "k"}
    outside = Defaults({"kernel": "poly", "gamma": 0.5, "k": 4})
    searched_params(spec, outside, {}, {})
    assert outside.held == {}


def test_the_search_prints_nothing_and_warns_of_nothing(tmp_path, capfd):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        record = run_cell(make_job(tmp_path, "oracle", trials=12))
    assert record.status == "ok", record.traceback
    captured = capfd.readouterr()
    assert captured.out == captured.err == ""


def test_seeds_of_cells_differ_and_are_their_own(tmp_path):
    first = run_cell(make_job(tmp_path / "a", "oracle", trials=5)).tuning["trials"]
    again = run_cell(make_job(tmp_path / "b", "oracle", trials=5)).tuning["trials"]
    job = make_job(tmp_path / "c", "oracle", trials=5)
    other = run_cell(dataclasses.replace(job, cell=dataclasses.replace(job.cell, fold="another"))).tuning["trials"]
    values = [[trial["params"] for trial in trials] for trials in (first, again, other)]
    assert values[0] == values[1] != values[2]
    assert tuning_cells.TESTED != "another"
