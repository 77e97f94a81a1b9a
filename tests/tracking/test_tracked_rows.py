import math

import pytest

from serbench.reporting.leaderboard import leaderboard
from serbench.reporting.loading import load_records
from serbench.tracking.rows import SCORES, describe, metric_name, row_name


def described(results):
    records = load_records(results, "toy")
    board = leaderboard(records)
    return {
        (entry["model"], entry["protocol"]): (entry, describe(entry, records[records["row"] == entry["row"]]))
        for entry in board.to_dict("records")
    }


def test_the_numbers_of_a_row_are_the_leaderboards(results):
    for entry, row in described(results).values():
        assert {name: row.metrics[name] for name in SCORES} == {name: entry[name] for name in SCORES}
        assert row.metrics["fit_seconds"] == entry["fit_seconds"] == 2.0


def test_a_fold_has_its_own_scores_under_names_of_their_own(results):
    _, row = described(results)["svm", "official"]
    assert [fold.name for fold in row.folds] == [f"svm · official · fold {number}" for number in (1, 2, 3)]
    assert all(not set(fold.metrics) & set(row.metrics) - {"fit_seconds"} for fold in row.folds)
    # Folds of equal size and class counts: the pooled UAR is the mean of theirs.
    mean = sum(fold.metrics["fold_uar"] for fold in row.folds) / 3
    assert math.isclose(mean, row.metrics["uar"], rel_tol=1e-12)


def test_epoch_curves_stay_whole_and_in_order(results, suite_tools):
    _, row = described(results)["cnn", "official"]
    assert row.folds[0].curves == {"epoch/loss": [1.0, 0.5, 0.25], "epoch/val_uar": [0.4, 0.6, 0.5]}


def test_tags_say_what_a_reader_filters_by(results):
    rows = described(results)
    assert rows["svm", "official"][1].tags["speaker_independent"] == "true"
    leaky = rows["svm", "stratified_kfold"][1].tags
    assert leaky["speaker_independent"] == "false"
    assert leaky["verdict"] == "leaky: speakers shared"
    assert leaky["corpus_fingerprint"] == "cafe"
    assert leaky["git_revision"] == "abc123"
    assert len(leaky["cells"].split()) == 3


def test_a_cell_made_again_changes_the_rows_state(results, suite_tools):
    make_cell, save_cell = suite_tools
    before = {key: row.state for key, (_, row) in described(results).items()}
    save_cell(results / "toy", make_cell("svm", "official", 2), skill=2.0, created="2026-02-02T00:00:00+00:00")
    after = {key: row.state for key, (_, row) in described(results).items()}
    assert {key for key in before if before[key] != after[key]} == {("svm", "official")}


def test_a_tuned_row_keeps_its_parameters_in_the_folds(results, suite_tools):
    make_cell, save_cell = suite_tools
    for fold, price in ((1, 1.0), (2, 100.0), (3, 10.0)):
        cell = make_cell("svm", "official", fold, tuning={"trials": 5})
        save_cell(results / "toy", cell, params={"C": price})
    records = load_records(results, "toy")
    entry = next(entry for entry in leaderboard(records).to_dict("records") if entry["trials"])
    row = describe(entry, records[records["row"] == entry["row"]])
    assert row.name == "svm · mfcc · official · 5 trials"
    assert "model.C" not in row.params
    assert [fold.params["model.C"] for fold in row.folds] == ["1.0", "100.0", "10.0"]
    assert row.metrics["uar"] == entry["uar"] and row.metrics["gain"] == entry["gain"]


def test_a_failed_fold_is_a_run_with_its_reason(results, suite_tools):
    make_cell, save_cell = suite_tools
    save_cell(results / "toy", make_cell("svm", "official", 3), status="failed", reason="out of memory")
    _, row = described(results)["svm", "official"]
    assert row.status == "FAILED"
    assert row.tags["folds"] == "2/3"
    assert [(fold.status, fold.tags.get("reason")) for fold in row.folds][-1] == ("FAILED", "out of memory")
    assert "fold_uar" not in row.folds[-1].metrics


@pytest.mark.parametrize(
    ("label", "name"), [("sad/low", "f1_sad_low"), ("ängstlich", "f1_ängstlich"), ("50 % sure!", "f1_50 _ sure_")]
)
def test_every_label_becomes_a_metric_that_mlflow_takes(label, name):
    from mlflow.utils.validation import _validate_metric_name

    assert metric_name(f"f1_{label.replace('/', '_')}") == name
    _validate_metric_name(name)


def test_the_corpus_is_named_where_the_suite_does_not_name_it():
    entry = {"model": "svm", "features": "mfcc", "protocol": "loso", "trials": 0, "augment": "none", "options": ""}
    assert row_name(entry | {"suite": "emodb", "corpus": "emodb"}) == "svm · mfcc · loso"
    assert row_name(entry | {"suite": "cross_corpus", "corpus": "emodb+savee"}) == "svm · mfcc · loso · emodb+savee"
