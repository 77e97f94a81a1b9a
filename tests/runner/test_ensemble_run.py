"""An ensemble in a suite: planned after its members, run from their answers, and run again when they are."""

import dataclasses

import pytest
from in_one_process import carried_out

from serbench.circumstances import Circumstances
from serbench.errors import SuiteError
from serbench.records import cell_path, read_record
from serbench.runner.cell.inputs import open_registry
from serbench.runner.planning import packages
from serbench.runner.planning.plan import make_plan
from serbench.runner.planning.selection import Filters
from serbench.runner.suite.file import load_suite


@pytest.fixture
def around(tiny_data, tmp_path):
    return Circumstances(data=tiny_data, cache=tmp_path / "cache", results=tmp_path / "results", jobs=1)


@pytest.fixture
def with_ensemble(tiny_suite):
    text = tiny_suite.read_text().replace("majority, knn, lda", "majority, lda")
    text = text.replace("grid:", "ensembles: {both: [lda@mfcc, majority@mfcc]}\ngrid:")
    tiny_suite.write_text(text.replace(", {name: stratified_kfold, params: {k: 3}}", ""))
    return tiny_suite


def planned(path, around, **filters):
    return make_plan(load_suite(str(path)), open_registry(around), around, Filters(**filters))


def test_it_is_run_after_its_members_and_again_when_they_are(with_ensemble, around):
    plan = planned(with_ensemble, around)
    assert [bool(item.cell.members) for item in plan.cells] == [False] * 6 + [True] * 3
    records = [record for record, _ in carried_out(plan, around).values() if record.cell.members]
    assert [(record.status, record.cell.model_name) for record in records] == [("ok", "both")] * 3
    for record in records:
        assert set(record.params["temperatures"]) == {"lda@mfcc", "majority@mfcc"}
        assert record.audit["verdict"] == "speaker-independent" and record.validation == "speaker"
    assert planned(with_ensemble, around).todo == []
    # A member that is made anew makes the average of its fold stale.
    member = next(item for item in plan.cells if item.cell.model["name"] == "lda")
    path = cell_path(plan.folder, member.cell.id)
    carried_out(dataclasses.replace(plan, cells=(member,), force=True), around)
    assert read_record(path).status == "ok"
    todo = planned(with_ensemble, around).todo
    assert [(item.cell.model_name, item.cell.fold, item.state) for item in todo] == [
        ("both", member.cell.fold, "stale")
    ]


def test_members_without_validation_answers_are_run_again_for_it(with_ensemble, around):
    alone = with_ensemble.read_text()
    with_ensemble.write_text(alone.replace("ensembles: {both: [lda@mfcc, majority@mfcc]}\n", ""))
    carried_out(planned(with_ensemble, around), around)
    with_ensemble.write_text(alone)
    states = {item.state for item in planned(with_ensemble, around).cells if not item.cell.members}
    assert states == {"stale"}


def test_a_failed_member_fails_the_ensemble_with_its_reason(with_ensemble, around):
    plan = planned(with_ensemble, around)
    alone = dataclasses.replace(plan, cells=tuple(item for item in plan.cells if item.cell.members))
    records = [record for record, _ in carried_out(alone, around).values()]
    assert {record.status for record in records} == {"failed"}
    assert all("member lda@mfcc was not run" in record.reason for record in records)


def test_a_filter_that_names_it_keeps_its_members(with_ensemble, around):
    kept = {item.cell.model_name for item in planned(with_ensemble, around, model=["both"]).cells}
    assert kept == {"both", "lda", "majority"}
    assert {item.cell.model_name for item in planned(with_ensemble, around, model=["lda"]).cells} == {"lda"}
    # Members alone: not the same model on other features; other models and features can be asked for beside them.
    text = with_ensemble.read_text()
    with_ensemble.write_text(text.replace("features: [mfcc]", "features: [mfcc, zcr_chroma_mfcc_rms_mel]"))
    expected = {("lda", "mfcc"), ("majority", "mfcc"), ("both", "ensemble of 2")}
    for filters, more in (
        ({"model": ["both"]}, set()),
        ({"model": ["both"], "features": ["zcr_chroma_mfcc_rms_mel"]}, set()),
        (
            {"model": ["both", "lda"], "features": ["zcr_chroma_mfcc_rms_mel"]},
            {("lda", "zcr_chroma_mfcc_rms_mel")},
        ),
    ):
        cells = [item.cell for item in planned(with_ensemble, around, **filters).cells]
        assert {(cell.model_name, cell.feature_name) for cell in cells} == expected | more


@pytest.mark.parametrize(
    ("members", "message"),
    [("[lda@mfcc, svm@mfcc]", "no row svm@mfcc"), ("[lda@mfcc]", "at least 2"), ("[lda, svm]", "model@features")],
)
def test_members_that_there_are_not_are_named(with_ensemble, around, members, message):
    with_ensemble.write_text(with_ensemble.read_text().replace("[lda@mfcc, majority@mfcc]", members))
    with pytest.raises(SuiteError, match=message):
        planned(with_ensemble, around)


NEEDY = """
from serbench import FeatureSpec
def level(signal, rate):
    return signal[:3]
NEEDY = FeatureSpec("needy", "1", "vector", level, requires=("toolkit",))
"""


@pytest.fixture
def toolkit(monkeypatch, around, tmp_path):
    """Say whether the package is there that a feature set `needy` needs."""
    (tmp_path / "needy.py").write_text(NEEDY)
    return lambda there: monkeypatch.setattr(packages, "installed", lambda package: there)


def test_a_finished_one_is_skipped_with_its_tuned_member(with_ensemble, around, toolkit, tmp_path):
    around = dataclasses.replace(around, plugins=(tmp_path / "needy.py",))
    with_ensemble.write_text(with_ensemble.read_text() + "tuning: {trials: 1, inner: 1, features: [needy]}\n")
    toolkit(True)
    plan = planned(with_ensemble, around)
    assert {record.status for record, _ in carried_out(plan, around).values()} == {"ok"}
    toolkit(False)
    again = planned(with_ensemble, around)
    assert {row.cell.model_name for row in again.skipped} == {"lda", "both (tuned)"}
    assert {row.reason for row in again.skipped} == {"not installed: toolkit; pip install toolkit"}
    assert {item.cell.model_name for item in again.cells} == {"majority", "lda", "both"}
    assert again.todo == []


@pytest.mark.parametrize("missing", ["skip", "available"])
def test_a_member_that_cannot_be_run(with_ensemble, around, toolkit, tmp_path, missing):
    around = dataclasses.replace(around, plugins=(tmp_path / "needy.py",))
    text = with_ensemble.read_text().replace("features: [mfcc]", "features: [mfcc, needy]")
    members = f"{{members: [lda@needy, lda@mfcc, majority@mfcc], missing: {missing}}}"
    with_ensemble.write_text(text.replace("[lda@mfcc, majority@mfcc]", members))
    toolkit(False)
    plan = planned(with_ensemble, around)
    run = {item.cell.model_name for item in plan.cells if item.cell.members}
    skipped = {row.cell.model_name for row in plan.skipped if row.cell.members}
    expected = ({"both(without=lda@needy)"}, set()) if missing == "available" else (set(), {"both"})
    assert (run, skipped) == expected
    if run:
        records = [record for record, _ in carried_out(plan, around).values() if record.cell.members]
        assert [record.status for record in records] == ["ok"] * 3
