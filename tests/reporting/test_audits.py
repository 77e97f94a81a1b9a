import json

import pytest
import typer
from made_suites import make_cell, make_table, one_hot, save
from typer.testing import CliRunner

from serbench.cli.audit import audit
from serbench.errors import ResultsError, UnknownName, UsageError
from serbench.records import make_predictions
from serbench.reporting.audits import audit_summaries
from serbench.reporting.loading import load_records

CLEAN = {"verdict": "speaker-independent", "speaker_independent": True, "leaks": [], "notes": ["2 of 2 sentences"]}


def leaky(count, kind="speakers shared"):
    leak = {"kind": kind, "count": count, "examples": [f"toy/{number:02d}" for number in range(min(count, 5))]}
    return {"verdict": f"leaky: {kind}", "speaker_independent": False, "leaks": [leak], "notes": []}


@pytest.fixture
def results(tmp_path):
    """Two models under `official` (clean) and under `stratified_kfold` (leaky, differently by fold)."""
    table = make_table(speakers=3)
    predictions = make_predictions(table, ["angry", "happy", "sad"], one_hot(list(table["label"])))
    folder = tmp_path / "made"
    for model in ("svm", "knn"):
        for fold in ("1", "2"):
            cell = make_cell(model=model, protocol="official", fold=fold)
            save(folder, cell, predictions, audit=CLEAN, validation="speaker")
            random = leaky(12) if fold == "1" else leaky(3, "repetitions shared")
            save(folder, make_cell(model=model, protocol="stratified_kfold", fold=fold), predictions, audit=random)
    return tmp_path


def test_one_summary_a_splitting_with_every_leak_of_any_fold(results):
    clean, random = sorted(audit_summaries(load_records(results, "made")), key=lambda item: item["protocol"])
    assert (clean["verdict"], clean["speaker_independent"]) == ("speaker-independent", True)
    assert (clean["rows"], clean["folds"], clean["validation"]) == (2, 2, "speaker")
    assert clean["notes"] == [{"note": "2 of 2 sentences", "folds": 2}]
    assert random["verdict"] == "leaky: speakers shared, repetitions shared"
    assert random["speaker_independent"] is False
    assert [(leak["kind"], leak["folds"], leak["most"]) for leak in random["leaks"]] == [
        ("speakers shared", 1, 12),
        ("repetitions shared", 1, 3),
    ]


def test_normalisation_and_augmentation_have_summaries_of_their_own(results):
    audited = {**CLEAN, "verdict": "transductive"}
    table = make_table(speakers=3)
    predictions = make_predictions(table, ["angry", "happy", "sad"], one_hot(list(table["label"])))
    save(results / "made", make_cell(normalise="speaker"), predictions, audit=audited)
    save(results / "made", make_cell(augment={"copies": 2}), predictions, audit=CLEAN)
    found = audit_summaries(load_records(results, "made"))
    assert len(found) == 4
    assert [item["verdict"] for item in found if item["normalise"] == "speaker"] == ["transductive"]


def test_failed_cells_are_not_audited(tmp_path):
    save(tmp_path / "made", make_cell(), None, status="failed", reason="no")
    assert audit_summaries(load_records(tmp_path, "made")) == []


@pytest.fixture
def call(results):
    program = typer.Typer()
    program.command()(audit)

    def run(*words):
        result = CliRunner().invoke(program, [*words, "--results", str(results)])
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.stdout

    return run


def test_a_suite_is_printed_with_its_evidence(call):
    text = call("made")
    assert "made · toy · official: speaker-independent" in text
    assert "validation cut by speaker" in text
    assert "note: 2 of 2 sentences (2 of 2 folds)" in text
    assert "made · toy · stratified_kfold: leaky: speakers shared, repetitions shared" in text
    assert "speakers shared: up to 12 in 1 of 2 folds (toy/00, toy/01, toy/02, toy/03, toy/04, ...)" in text


def test_a_row_is_audited_alone(call):
    found = json.loads(call("toy/official/*/svm", "--format", "json"))
    assert [(item["protocol"], item["rows"]) for item in found] == [("official", 1)]


def test_what_is_not_there_is_a_clear_error(call, results):
    with pytest.raises(UnknownName):
        call("toy/loso/mfcc/svm")
    with pytest.raises(UsageError, match="name one thing"):
        call("made", "--split", "x.csv")
    save(results / "empty", make_cell(), None, status="failed", reason="no")
    with pytest.raises(ResultsError, match="no finished cell"):
        call("empty")
