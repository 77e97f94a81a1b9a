"""Rows that hear a new speaker: planned from `enrol`, run, and told apart from the others."""

import dataclasses

import numpy as np
import pytest
from in_one_process import carried_out

from serbench.circumstances import Circumstances
from serbench.errors import EnrolmentError, ProtocolError, SuiteError
from serbench.records import Cell
from serbench.reporting.leaderboard import leaderboard
from serbench.reporting.loading import load_records
from serbench.runner.cell.inputs import open_registry
from serbench.runner.planning.audits import require_verdict
from serbench.runner.planning.plan import make_plan
from serbench.runner.planning.selection import Filters
from serbench.runner.suite.file import load_suite

BLOCK = """\
  - features: [mfcc]
    models: [lda]
    protocols: [{name: speaker_kfold, params: {k: 3}}]
"""
# A constant belongs to each speaker and hides the class; only what is heard without labels gives it away.
PLUGINS = """
import numpy as np
from serbench import ModelSpec
from sklearn.linear_model import LogisticRegression

class Adapting(LogisticRegression):
    heard = ()
    def adapt(self, X):
        import copy
        twin = copy.deepcopy(self)
        twin.heard = (*self.heard, len(X))
        return twin
    def predict_proba(self, X):
        if self.heard and sum(self.heard) != 2:
            raise ValueError(f"heard {self.heard}")
        found = super().predict_proba(X)
        return np.roll(found, 1, axis=1) if self.heard else found

ADAPTING = ModelSpec(name="adapting", accepts="vector", build=lambda params, *, n_classes, seed: Adapting())
"""


@pytest.fixture
def around(tiny_data, tmp_path):
    return Circumstances(data=tiny_data, cache=tmp_path / "cache", results=tmp_path / "results", jobs=1)


@pytest.fixture
def suite(tiny_suite):
    def write(enrol, block=BLOCK, above="", more=""):
        head = tiny_suite.read_text().partition("grid:")[0]
        tiny_suite.write_text(f"{head}{above}grid:\n{block}    enrol: {enrol}\n{more}")
        return load_suite(str(tiny_suite))

    return write


def planned(suite, around, **filters):
    return make_plan(suite, open_registry(around), around, Filters(**filters))


def test_each_n_is_a_row_with_a_draw_for_each_seed(suite, around):
    plan = planned(suite("[0, 2, all, {low: 1}]"), around)
    assert {(item.cell.seed, item.cell.fold) for item in plan.cells} == {(s, f) for s in range(5) for f in "123"}
    assert len(plan.cells) == 4 * 15
    names = ["mfcc (enrolled 0)", "mfcc (enrolled 1 low)", "mfcc (enrolled 2)", "mfcc (enrolled all)"]
    assert sorted({item.cell.feature_name for item in plan.cells}) == names
    by_fold = {}
    for item in plan.cells:
        by_fold.setdefault((item.cell.seed, item.cell.fold), set()).add(item.enrolment.scored)
    assert all(len(scored) == 1 for scored in by_fold.values())
    # Another draw keeps others apart.
    assert len({scored for (_, fold), (scored,) in by_fold.items() if fold == "1"}) > 1
    with pytest.raises(ProtocolError, match="enrolled: 2 unlabelled utterances"):
        require_verdict(plan.cells, "speaker-independent", plan.folder, around.cache)


def test_cells_without_enrol_keep_their_ids(suite, around):
    plain = planned(suite("[2]", more=BLOCK), around).cells
    plain = next(item.cell for item in plain if not item.cell.enrol)
    assert "enrol" not in plain.to_json() and Cell.from_json(plain.to_json()) == plain
    assert dataclasses.replace(plain, enrol={"utterances": 0, "apart": {}}).id != plain.id


def test_rows_are_run_scored_apart_from_what_they_heard_and_ranked_apart(suite, around):
    plan = planned(suite("[0, 2, all]", more=BLOCK), around)
    done = carried_out(plan, around)
    for item in plan.cells:
        record, predictions = done[item.cell.id]
        assert record.status == "ok", record.reason
        answered = set(predictions["corpus"] + "/" + predictions["utterance"])
        assert answered == set(item.enrolment.scored if item.enrolment else item.split.test)
        assert set(record.enrolment) == ({"method", "strength", "uar"} if item.cell.enrol.get("utterances") else set())
    board = leaderboard(load_records(around.results, "tiny")).set_index("features")
    assert set(board["rank"]) == {1}
    assert board.loc["mfcc (enrolled 2)", "verdict"] == "enrolled: 2 unlabelled utterances"
    assert board.loc["mfcc (enrolled 2)", "standing"] == "enrolled" and board.loc["mfcc", "standing"] != "enrolled"
    assert [board.loc[name, "enrol"] for name in ("mfcc (enrolled 2)", "mfcc (enrolled all)")] == [2, "all"]
    assert "5 seeds" in board.loc["mfcc (enrolled 2)", "interval_method"]
    assert planned(load_suite(str(around.results.parent / "tiny.yaml")), around).todo == []


def test_with_nothing_heard_a_row_answers_as_the_plain_one(suite, around):
    plan = planned(suite("[0, 2]", more=BLOCK), around)
    done = carried_out(plan, around)
    plain = {item.cell.fold: done[item.cell.id][1] for item in plan.cells if not item.cell.enrol}
    for item in plan.cells:
        if item.cell.enrol.get("utterances") == 0 and item.cell.seed == 0:
            answers = done[item.cell.id][1].set_index("utterance")
            other = plain[item.cell.fold].set_index("utterance").loc[answers.index]
            np.testing.assert_allclose(answers.filter(like="p:"), other.filter(like="p:"), atol=1e-5)


def test_an_ensemble_averages_members_that_heard_as_much(suite, around):
    block = BLOCK.replace("[lda]", "[lda, knn]")
    above = "ensembles: {both: [lda@mfcc, knn@mfcc]}\n"
    plan = planned(suite("[0, 2]", block, above), around, seed=[0])
    done = carried_out(plan, around)
    averaged = [item for item in plan.cells if item.cell.members]
    assert {item.cell.feature_name for item in averaged} == {
        "ensemble of 2 (enrolled 0)",
        "ensemble of 2 (enrolled 2)",
    }
    for item in averaged:
        record, predictions = done[item.cell.id]
        assert record.status == "ok", record.reason
        tested = predictions[predictions["role"] == "test"]
        assert set(tested["corpus"] + "/" + tested["utterance"]) == set(item.enrolment.scored)
        assert {name.partition("@")[2] for name in record.params["temperatures"]} == {
            item.cell.feature_name.replace("ensemble of 2", "mfcc")
        }


def test_a_network_on_sequences_hears_speakers_too(suite, around):
    network = "[{name: cnn, params: {epochs: 1, filters: 8, blocks: 1}}]"
    block = BLOCK.replace("[mfcc]", "[mfcc_sequence]").replace("[lda]", network)
    plan = planned(suite("[2]", block), around, seed=[0], fold=["1"])
    ((record, predictions),) = carried_out(plan, around).values()
    assert record.status == "ok", record.reason
    assert record.enrolment["method"] in ("mean", "mean_std") and len(predictions[predictions["role"] == "test"])


def test_a_model_may_adapt_itself_without_labels(suite, around, tmp_path):
    (tmp_path / "own.py").write_text(PLUGINS)
    around = dataclasses.replace(around, plugins=(tmp_path / "own.py",))
    plan = planned(suite("[0, 2]", BLOCK.replace("[lda]", "[adapting]")), around, seed=[0], fold=["1"])
    done = carried_out(plan, around)
    (nothing,), (two,) = (
        [done[item.cell.id] for item in plan.cells if item.cell.enrol["utterances"] == n] for n in (0, 2)
    )
    assert nothing[0].status == two[0].status == "ok", two[0].reason
    right = [(frame["truth"] == frame["predicted"]).mean() for _, frame in (nothing, two)]
    # It adapts by turning its answers round: nothing else could make it fail where it did not before.
    assert right[0] > 0.5 > right[1]


@pytest.mark.parametrize(
    ("enrol", "says"),
    [
        ("[]", "at least 1 item"),
        ("[-1]", "give a whole number of utterances, 0 or more"),
        ("[2.5]", "give a whole number of utterances"),
        ("[some]", "give a whole number of utterances"),
        ("[2, 2]", "a number is listed twice"),
        ("[{low: 1, mid: 2}]", "give one label with a number"),
        ("[2]\n    seeds: [0, 1]", "give 5 seeds at least"),
        ("[2]\n    tuning: {trials: 2}", "enrol goes with no tuning"),
    ],
)
def test_what_enrol_cannot_be(suite, enrol, says):
    with pytest.raises(SuiteError, match=says):
        suite(enrol)


def test_features_normalised_by_speaker_are_refused(suite):
    with pytest.raises(SuiteError, match="enrol normalises speakers itself"):
        suite("[2]", BLOCK.replace("[mfcc]", "[{name: mfcc, normalise: speaker}]"))


def test_a_class_that_is_not_there(suite, around):
    with pytest.raises(EnrolmentError, match="no utterance of the class 'neutral' to enrol in tiny"):
        planned(suite("[{neutral: 1}]"), around)


def test_more_than_a_speaker_has_is_a_row_that_is_skipped_and_says_so(suite, around):
    plan = planned(suite("[0, 9]", more=BLOCK), around)
    assert [item.cell.enrol for item in plan.cells] == [{}] * 3
    assert all("has 9 utterances: none is left to be scored" in row.reason for row in plan.skipped)


def test_speakers_on_both_sides_are_not_new(suite, around):
    block = BLOCK.replace("speaker_kfold", "stratified_kfold")
    plan = planned(suite("[2]", block, more=BLOCK), around)
    assert {row.reason.partition(": ")[2].partition(":")[0][2:] for row in plan.skipped} == {
        "test speakers are in training too, such as tiny/s0"
    }
