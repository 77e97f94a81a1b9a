import dataclasses

import pandas as pd
import pytest
from tuning_cells import without_seconds

from serbench.circumstances import Circumstances
from serbench.errors import SuiteError
from serbench.records import Record, read_cell
from serbench.reporting.searches import tuning_note
from serbench.runner.cell.inputs import open_registry
from serbench.runner.engine import run_plan
from serbench.runner.planning.estimates import expected_seconds
from serbench.runner.planning.plan import make_plan
from serbench.runner.planning.selection import Filters
from serbench.runner.search_progress import EVERY, SearchProgress
from serbench.runner.suite.file import load_suite

SPEAKERS = {"protocol": ["speaker_kfold"]}


@pytest.fixture
def around(tiny_data, shared_cache, tmp_path) -> Circumstances:
    return Circumstances(data=tiny_data, cache=shared_cache, results=tmp_path / "results", executor="in_process")


@pytest.fixture
def plan_of(tiny_suite, around):
    def make(extra="", around=around, **filters):
        tiny_suite.write_text(tiny_suite.read_text() + extra)
        return make_plan(load_suite(str(tiny_suite)), open_registry(around), around, Filters(**filters))

    return make


def tuned(plan):
    return [item.cell for item in plan.cells if item.cell.tuning]


def test_trials_add_tuned_rows_beside_the_untuned(plan_of):
    before = {item.cell.id for item in plan_of().cells}
    plan = plan_of(trials=7)
    assert before < {item.cell.id for item in plan.cells}
    # The majority class has nothing to search.
    assert {cell.model["name"] for cell in tuned(plan)} == {"knn", "lda"}
    assert all(cell.tuning == {"trials": 7} for cell in tuned(plan))
    assert {dataclasses.replace(cell, tuning={}).id for cell in tuned(plan)} < before


def test_settings_at_their_default_are_not_in_the_id(plan_of):
    short = {cell.id for cell in tuned(plan_of("tuning: {trials: 7}\n"))}
    assert short == {cell.id for cell in tuned(plan_of(trials=7))}


@pytest.mark.parametrize(
    ("text", "expected"),
    [("{trials: 4, inner: 3, timeout: null}", {"trials": 4}), ("{trials: 4, inner: 2}", {"trials": 4, "inner": 2}),
     ("{trials: 4, timeout: 60}", {"trials": 4, "timeout": 60}),
     ("{trials: 4, features: [mfcc, mfcc_sequence]}", {"trials": 4}),
     ("{trials: 4, features: [handcrafted], choices: {n_components: [3, 5], colour: [r]}}",
      {"trials": 4, "features": [[{"name": "handcrafted", "version": "1", "params": {}}]],
       "choices": {"n_components": [3, 5]}})],
)  # fmt: skip
def test_what_a_suite_says_of_tuning(plan_of, text, expected):
    plan = plan_of(f"tuning: {text}\n", model=["lda"])
    found = [dict(cell.tuning) for cell in tuned(plan)]
    for settings in found:
        for sets in settings.get("features", []):
            sets[0]["version"] = "1"
    assert found and all(settings == expected for settings in found)


def test_a_block_has_its_own_budget_and_the_command_line_the_last_word(plan_of):
    extra = (
        "  - {features: [mfcc], models: [svm], protocols: [{name: speaker_kfold, params: {k: 3}}],"
        " tuning: {trials: 2, inner: 1}}\ntuning: {trials: 5}\n"
    )
    budgets = {cell.model["name"]: cell.tuning for cell in tuned(plan_of(extra))}
    assert budgets == {"knn": {"trials": 5}, "lda": {"trials": 5}, "svm": {"trials": 2, "inner": 1}}
    budgets = {cell.model["name"]: cell.tuning for cell in tuned(plan_of(trials=9))}
    assert budgets == {"knn": {"trials": 9}, "lda": {"trials": 9}, "svm": {"trials": 9, "inner": 1}}


def test_what_a_suite_fixes_at_its_default_is_not_searched(plan_of, tiny_suite, around):
    free = {cell.id for cell in tuned(plan_of(trials=4, model=["knn"], fold=["1"], **SPEAKERS))}
    default = open_registry(around).get("model", "knn").params["metric"]
    tiny_suite.write_text(tiny_suite.read_text().replace("knn", f"{{name: knn, params: {{metric: {default}}}}}"))
    plan = plan_of(trials=4, model=["knn"], fold=["1"], **SPEAKERS)
    (cell,) = tuned(plan)
    assert cell.tuning == {"trials": 4, "fixed": ["metric"]} and cell.id not in free
    assert cell.model["params"] == {} and tuning_note(cell) == "fixed at the default: metric"
    assert run_plan(plan, open_registry(around), around).failed == 0
    record, _ = read_cell(plan.folder / "cells" / f"{cell.id}.parquet")
    assert record.params["metric"] == default
    tried = [set(trial["params"]) for trial in record.tuning["trials"]]
    assert len(tried) == 4 and all(names and "metric" not in names for names in tried)
    assert "metric" not in record.tuning["space"]


@pytest.mark.parametrize(
    ("text", "found"),
    [("{trials: 0}", "found 0"), ("{trials: -3}", "found -3"), ("{trials: 5, timeout: 0}", "found 0"),
     ("{trials: 5, inner: 0}", "found 0"), ("{trails: 5}", "'trails' is not allowed"), ("{timeout: 5}", "nothing"),
     ("{trials: 2.5}", "found 2.5"), ("{trials: 2, features: [{name: mfcc, normalise: speaker}]}", "verdict")],
)  # fmt: skip
def test_a_suite_with_bad_tuning_names_file_and_line(plan_of, tiny_suite, text, found):
    with pytest.raises(SuiteError) as raised:
        plan_of(f"tuning: {text}\n")
    assert f"{tiny_suite}, line 7" in str(raised.value) and "tuning" in str(raised.value)
    assert found in str(raised.value)


def test_nothing_to_tune_is_said(plan_of):
    with pytest.raises(SuiteError, match="no search space in majority"):
        plan_of(trials=3, model=["majority"])


def test_searches_are_equal_for_any_number_of_jobs(plan_of, around, tmp_path):
    found = {}
    for jobs in (1, 2):
        where = dataclasses.replace(around, executor="local", jobs=jobs, results=tmp_path / str(jobs))
        plan = plan_of(around=where, trials=5, **SPEAKERS)
        outcome = run_plan(plan, open_registry(where), where)
        assert outcome.failed == 0
        cells = [read_cell(plan.folder / "cells" / f"{cell.id}.parquet") for cell in tuned(plan)]
        found[jobs] = {record.cell.id: (without_seconds(record.tuning), frame) for record, frame in cells}
    assert len(found[1]) == 6 and found[1].keys() == found[2].keys()
    for key, (tuning, frame) in found[1].items():
        assert found[2][key][0] == tuning
        pd.testing.assert_frame_equal(found[2][key][1], frame, check_exact=True)


def test_a_search_may_choose_other_features_and_extracts_them(plan_of, around, tmp_path):
    plugin = tmp_path / "own.py"
    plugin.write_text(
        "import numpy as np\nfrom serbench import FeatureSpec\n"
        "def nothing(signal, rate):\n    return np.zeros(3, dtype=np.float32)\n"
        "def pitch(signal, rate):\n"
        "    spectrum = np.abs(np.fft.rfft(signal * np.hanning(len(signal))))\n"
        "    return np.array([np.log(1 + spectrum.argmax()), 0.0], dtype=np.float32)\n"
        "NOTHING = FeatureSpec(name='nothing', version='1', kind='vector', extract=nothing)\n"
        "PITCH = FeatureSpec(name='pitch', version='1', kind='vector', extract=pitch)\n"
    )
    around = dataclasses.replace(around, plugins=(plugin,), executor="in_process")
    plan = plan_of(
        "tuning: {trials: 6, features: [pitch]}\n", around, features=["nothing"], model=["lda"], fold=["1"], **SPEAKERS
    )
    assert run_plan(plan, open_registry(around), around).failed == 0
    (cell,) = tuned(plan)
    record, predictions = read_cell(plan.folder / "cells" / f"{cell.id}.parquet")
    trials = record.tuning["trials"]
    assert trials[0]["params"]["features"] == "nothing"
    assert trials[record.tuning["best"]]["params"]["features"] == "pitch"
    assert record.sizes["dimensions"] == 2
    assert (predictions["truth"] == predictions["predicted"]).mean() > 0.6 > record.tuning["trials"][0]["value"]


class Recorder:
    def __init__(self):
        self.said = []

    def searching(self, done, total, remaining):
        self.said.append((done, total, remaining))


def test_the_time_left_is_judged_by_the_trials_of_this_run(plan_of, tmp_path):
    plan = plan_of(trials=10, model=["lda"], fold=["1", "2"], **SPEAKERS)
    now = [100.0]
    recorder = Recorder()
    progress = SearchProgress(plan, [recorder], clock=lambda: now[0])
    first, second = ((plan.folder / "studies" / f"{cell.id}.log") for cell in tuned(plan))
    first.parent.mkdir(parents=True)
    # Six trials of an earlier run; then one a second.
    first.write_text("line\n" * 8)
    progress.tick()
    assert recorder.said == [(6, 20, None)]
    now[0] += EVERY / 2
    progress.tick()
    assert len(recorder.said) == 1
    now[0] = 107.0
    first.write_text("line\n" * 12)
    second.write_text("line\n" * 5)
    progress.tick()
    assert recorder.said[-1] == (13, 20, pytest.approx(7.0))


def test_a_search_that_starts_anew_counts_from_nothing(plan_of):
    plan = dataclasses.replace(plan_of(trials=10, model=["lda"], fold=["1"], **SPEAKERS), force=True)
    (cell,) = tuned(plan)
    journal = plan.folder / "studies" / f"{cell.id}.log"
    journal.parent.mkdir(parents=True)
    journal.write_text("line\n" * 12)
    recorder, now = Recorder(), [0.0]
    progress = SearchProgress(plan, [recorder], clock=lambda: now[0])
    for lines, done in ((12, 0), (3, 1), (12, 10)):
        journal.write_text("line\n" * lines)
        progress.tick()
        assert recorder.said[-1][0] == done
        now[0] += EVERY


def test_tuned_cells_are_estimated_by_tuned_records_else_by_untuned_fits(plan_of):
    plan = plan_of(trials=10, model=["lda"], fold=["1"], **SPEAKERS)
    both = [item.cell for item in plan.cells]
    (untuned,) = [cell for cell in both if not cell.tuning]
    (search,) = [cell for cell in both if cell.tuning]
    known = [Record(untuned, "ok", seconds={"features": 1.0, "fit": 2.0})]
    # 10 trials × 3 inner folds on two thirds of the training part, and the final fit.
    assert expected_seconds(both, known, jobs=1) == (pytest.approx(3.0 + 2.0 * (10 * 2 + 1)), 0)
    known.append(Record(search, "ok", seconds={"tuning": 30.0, "fit": 2.0}))
    assert expected_seconds(both, known, jobs=1) == (pytest.approx(3.0 + 32.0), 0)
