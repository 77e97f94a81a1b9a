"""A search that may choose a part of a feature set: the record says which it chose, and everything later follows it."""

import dataclasses
import json

import numpy as np
import pytest
from in_one_process import carried_out

import serbench
from serbench.circumstances import Circumstances
from serbench.errors import SuiteError, UnknownName
from serbench.reporting.searches import describe_searches
from serbench.runner.cell.inputs import open_registry
from serbench.runner.planning.plan import make_plan
from serbench.runner.planning.selection import Filters
from serbench.runner.suite.file import load_suite

MOMENTS = 'handcrafted{"functionals": ["moments"]}'
# 125 values a frame, each with its mean and standard deviation, and the two of the extent.
DIMENSIONS = 2 * 125 + 2
TUNING = "tuning: {trials: 6, inner: 1, features: [{name: handcrafted, params: {functionals: [moments]}}]}\n"
# Only one of the two sets tells the labels apart.
NOTHING = """
import numpy as np
from serbench import FeatureSpec
def nothing(signal, rate):
    return np.zeros(3, dtype=np.float32)
NOTHING = FeatureSpec(name="nothing", version="1", kind="vector", extract=nothing)
NEEDY = FeatureSpec(name="needy", version="1", kind="vector", extract=nothing, requires=("no_such_toolkit",))
"""


@pytest.fixture
def around(tiny_data, shared_cache, tmp_path):
    (tmp_path / "nothing.py").write_text(NOTHING)
    where = {"data": tiny_data, "cache": shared_cache, "results": tmp_path / "results"}
    return Circumstances(**where, jobs=1, plugins=(tmp_path / "nothing.py",))


@pytest.fixture
def plan_of(tiny_suite, around):
    """Plan the rows of LDA in one fold of `tiny` on some features, with further keys in its suite."""

    def make(extra=TUNING, features="nothing", around=around, save_models=False):
        text = tiny_suite.read_text().partition("grid:")[0]
        protocol = "{name: speaker_kfold, params: {k: 3}}"
        block = f"  - {{features: [{features}], models: [lda], protocols: [{protocol}]}}\n"
        tiny_suite.write_text(f"{text}grid:\n{block}{extra}")
        suite, filters = load_suite(str(tiny_suite)), Filters(fold=("1",))
        return make_plan(suite, open_registry(around), around, filters, save_models=save_models)

    return make


def tuned_cell(plan, around):
    """Run a plan in this process and read the tuned cell: its record and its predictions."""
    done = list(carried_out(plan, around).values())
    assert {record.status for record, _ in done} == {"ok"}, [record.traceback for record, _ in done]
    (found,) = [(record, predictions) for record, predictions in done if record.cell.tuning]
    return found


def test_the_record_says_which_set_was_chosen(plan_of, around):
    plan = plan_of()
    record, predictions = tuned_cell(plan, around)
    (choice,) = record.cell.tuning["features"]
    assert [dict(entry) for entry in choice] == [
        {"name": "handcrafted", "version": "1", "params": {"functionals": ["moments"]}}
    ]
    trials = record.tuning["trials"]
    assert trials[0]["params"]["features"] == "nothing" and trials[0]["value"] == pytest.approx(1 / 3)
    assert {trial["params"]["features"] for trial in trials} == {"nothing", MOMENTS}
    assert trials[record.tuning["best"]]["params"]["features"] == MOMENTS
    assert record.tuning["space"]["features"]["attributes"]["choices"] == ["nothing", MOMENTS]
    assert record.sizes["dimensions"] == DIMENSIONS
    assert "features" not in record.params
    assert (predictions["truth"] == predictions["predicted"]).mean() > 0.9


def test_the_leaderboard_and_the_search_in_full_name_the_choice(plan_of, around):
    tuned_cell(plan_of(), around)
    cells = serbench.load_records(around.results, "tiny")
    board = serbench.leaderboard(cells)
    (row,) = board[board["trials"] == 6].to_dict("records")
    assert row["features"] == "nothing" and "2 feature choices" in row["tuning"] and row["gain"] > 0.4
    (search,) = describe_searches(cells)
    assert search["params"]["features"] == MOMENTS


def test_the_choice_is_made_among_the_sets_of_one_extractor(plan_of, around):
    # The row's own set is the whole of what the search may take a part of; a set listed twice is one choice.
    extra = TUNING.replace("features: [", "features: [handcrafted, {name: handcrafted, params: {active_db: 30.0}}, ")
    plan = plan_of(extra=extra, features="handcrafted")
    record, _ = tuned_cell(plan, around)
    choices = record.tuning["space"]["features"]["attributes"]["choices"]
    assert choices == ["handcrafted", MOMENTS]
    chosen = record.tuning["trials"][record.tuning["best"]]["params"]["features"]
    assert record.sizes["dimensions"] == {"handcrafted": 1377, MOMENTS: DIMENSIONS}[chosen]


def test_a_choice_that_is_listed_twice_is_one_choice(plan_of, around):
    part = "{name: handcrafted, params: {functionals: [moments]}}"
    record, _ = tuned_cell(plan_of(extra=TUNING.replace(f"[{part}]", f"[{part}, {part}]")), around)
    assert record.tuning["space"]["features"]["attributes"]["choices"] == ["nothing", MOMENTS]


def test_a_saved_model_computes_the_features_that_were_chosen(plan_of, around, tiny_data):
    plan = plan_of(save_models=True)
    record, predictions = tuned_cell(plan, around)
    folder = plan.folder / "models" / record.cell.id
    meta = json.loads((folder / "meta.json").read_text())
    assert [entry["name"] for entry in meta["features"]] == ["handcrafted"]
    model = serbench.load_model(folder, plugins=around.plugins)
    for _, row in predictions.iloc[:3].iterrows():
        path = tiny_data / "tiny" / f"{row['utterance']}.wav"
        recorded = row[[f"p:{label}" for label in model.classes_]].to_numpy(dtype=float)
        np.testing.assert_allclose(model.predict_proba(path), recorded, atol=1e-5)


def test_degraded_answers_are_of_the_chosen_features(plan_of, around):
    record, predictions = tuned_cell(plan_of(extra=TUNING + "robustness: {noise_snr_db: 40}\n"), around)
    assert record.degradations == ["noise 40 dB"] and record.sizes["dimensions"] == DIMENSIONS
    degraded = predictions[predictions["role"] == "degraded: noise 40 dB"]
    assert (degraded["truth"] == degraded["predicted"]).mean() > 0.6


@pytest.mark.parametrize(
    ("params", "error", "said"),
    [
        ("{functionls: [moments]}", UnknownName, "did you mean 'functionals'"),
        ("[moments]", SuiteError, "line 5, key 'tuning.features.0.params'"),
    ],
)
def test_a_choice_that_cannot_be_is_refused_by_the_plan(plan_of, params, error, said):
    with pytest.raises(error) as caught:
        plan_of(extra=TUNING.replace("{functionals: [moments]}", params))
    assert said in str(caught.value)


def test_a_search_that_needs_an_absent_package_is_a_skipped_row(plan_of):
    plan = plan_of(extra="tuning: {trials: 2, features: [needy]}\n")
    assert [item.cell.tuning for item in plan.cells] == [{}]
    (skipped,) = plan.skipped
    assert skipped.cell.tuning["trials"] == 2 and "not installed: no_such_toolkit" in skipped.reason


def test_precomputed_choices_cannot_be_altered(plan_of, around, tmp_path):
    np.savez(tmp_path / "own.npz", x=np.zeros(3))
    around = dataclasses.replace(around, features_files={"own": tmp_path / "own.npz"})
    extra = "tuning: {trials: 2, features: [own]}\nrobustness: {noise_snr_db: 40}\n"
    with pytest.raises(SuiteError, match="'own' is precomputed"):
        plan_of(extra=extra, around=around)
