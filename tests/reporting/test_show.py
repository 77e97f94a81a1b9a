import io

import numpy as np
import pytest
from made_suites import LABELS, make_cell, make_table, one_hot, save, write_suite
from rich.console import Console

from serbench.errors import UnknownName, UsageError
from serbench.records import make_predictions
from serbench.reporting.loading import load_records, load_suites
from serbench.reporting.lookup import find_cells
from serbench.reporting.show import report_parts, row_report


def printed(report) -> str:
    console = Console(file=io.StringIO(), width=200)
    for part in report_parts(report):
        console.print(part)
    return console.file.getvalue()


def test_rows_are_found_by_id_path_and_cell(tmp_path):
    write_suite(tmp_path / "toy")
    records = load_records(tmp_path, "toy")
    cell = make_cell(model="good", fold="2")
    for wanted in (cell.row, "toy/official/mfcc/good", "toy/off*/*/good", "*/official/mfcc/good"):
        found = find_cells(records, wanted)
        assert set(found["row"]) == {cell.row} and len(found) == 3
    assert list(find_cells(records, cell.id[:10])["id"]) == [cell.id]


def test_several_rows_are_listed_and_none_names_the_nearest(tmp_path):
    write_suite(tmp_path / "toy")
    records = load_records(tmp_path, "toy")
    with pytest.raises(UsageError) as several:
        find_cells(records, "good")
    assert make_cell(model="good").row in several.value.hint and "means 2 rows" in several.value.what
    with pytest.raises(UnknownName) as unknown:
        find_cells(records, "toy/official/mfcc/goood")
    assert "did you mean toy/official/mfcc/good" in unknown.value.hint


def test_the_same_row_in_two_suites_needs_the_suite(tmp_path):
    write_suite(tmp_path / "one", protocols=("official",))
    write_suite(tmp_path / "two", protocols=("official",))
    wanted = make_cell(model="good").row
    with pytest.raises(UsageError, match="means 2 rows"):
        find_cells(load_suites(tmp_path), wanted)
    assert len(find_cells(load_suites(tmp_path, "two"), wanted)) == 3


def test_report_by_hand(tmp_path):
    table = make_table(3, per_class=2)
    predicted = ["angry" if label == "sad" else label for label in table["label"]]
    save(tmp_path / "toy", make_cell(), make_predictions(table, LABELS, one_hot(predicted)), params={"C": 10})
    report = row_report(load_records(tmp_path, "toy"))
    assert report["confusion"].tolist() == [[6, 0, 0], [0, 6, 0], [6, 0, 0]]
    assert report["per_class"]["angry"]["precision"] == 0.5 and report["per_class"]["sad"]["recall"] == 0
    assert report["per_class"]["angry"]["precision_low"] == pytest.approx(0.5)
    assert report["folds"][0]["uar"] == pytest.approx(2 / 3)
    assert report["provenance"]["parameters"] == "C=10"
    text = printed(report)
    for word in (*LABELS, "UAR 66.7 %", "Confusion matrix", "C=10", make_cell().id):
        assert word in text


def test_a_fold_without_a_class_says_so(tmp_path):
    table = make_table(2)
    table = table[table["label"] != "sad"]
    save(tmp_path / "toy", make_cell(), make_predictions(table, LABELS, one_hot(list(table["label"]))))
    fold = row_report(load_records(tmp_path, "toy"))["folds"][0]
    assert fold["classes"] == "2/3" and fold["uar"] == 1.0


def test_failures_are_shown_with_their_reason(tmp_path):
    write_suite(tmp_path / "toy", models={"good": 1.0}, protocols=("official",))
    save(tmp_path / "toy", make_cell(model="good", fold="2"), None, status="failed", reason="out of [memory]")
    report = row_report(load_records(tmp_path, "toy"))
    assert report["failures"] == [{"fold": "2", "status": "failed", "reason": "out of [memory]"}]
    assert "fold 2: failed: out of [memory]" in printed(report)


def test_a_row_without_a_finished_cell_is_shown(tmp_path):
    save(tmp_path / "toy", make_cell(), None, status="failed", reason="no")
    report = row_report(load_records(tmp_path, "toy"))
    assert "no finished fold" in printed(report) and not np.any(report["confusion"])
