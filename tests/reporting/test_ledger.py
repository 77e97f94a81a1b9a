"""The selection ledger: every row that was ever scored on test folds counts, also when it was deleted since."""

import csv
import json
import shutil
from pathlib import Path

import pytest
from made_suites import make_cell, write_suite

from serbench.errors import ResultsError
from serbench.records import Record
from serbench.records.ledger import (
    NAME,
    ledger_lines,
    ledger_of_host,
    line_key,
    merge_ledgers,
    note_scored,
    read_ledger,
    rows_scored,
    update_ledger,
)
from serbench.reporting.frozen import frozen_records
from serbench.reporting.leaderboard import leaderboard
from serbench.reporting.loading import load_records

REPOSITORY = Path(__file__).parents[2]
OFFICIAL = ("toy", "native", "official")


def scored(model="svm", fold="1", when="2026-01-01T10:00:00.5+00:00", **fields):
    status = fields.pop("status", "ok")
    return Record(
        make_cell(model=model, fold=fold, **fields), status, created=when, environment={"git_revision": "abc"}
    )


def test_a_deleted_row_still_counts(tmp_path):
    folder = tmp_path / "toy"
    write_suite(folder, models={"good": 2.0, "poor": 0.3}, protocols=("official",), folds=1)
    for model in ("good", "poor", "gone"):
        note_scored(folder, scored(model))
    board = leaderboard(load_records(tmp_path, "toy"))
    assert len(board) == 2 and set(board["ever_scored"]) == {3}
    assert {line["model"] for line in read_ledger(folder)} == {"good", "poor", "gone"}


def test_only_what_scored_a_test_fold_and_could_be_chosen_is_noted(tmp_path):
    note_scored(tmp_path, scored(status="failed"))
    note_scored(tmp_path, scored(permute_labels=True))
    assert not ledger_of_host(tmp_path).exists()
    note_scored(tmp_path, scored())
    (line,) = read_ledger(tmp_path)
    assert (line["scored"], line["revision"], line["fold"]) == ("2026-01-01T10:00:00", "abc", "1")


def test_the_ledger_only_grows(tmp_path):
    note_scored(tmp_path, scored("one"))
    assert update_ledger(tmp_path, [scored("two")]) == 2
    before = (tmp_path / NAME).read_text()
    assert update_ledger(tmp_path, [scored("two")]) == 0
    # The same row scored again later is another line, and the lines of runs may be gone by then.
    shutil.rmtree(ledger_of_host(tmp_path).parent)
    assert update_ledger(tmp_path, [scored("two", when="2026-02-01T10:00:00+00:00")]) == 1
    after = (tmp_path / NAME).read_text()
    assert after.startswith(before) and after.count("\n") == before.count("\n") + 1
    assert rows_scored(tmp_path, []) == {OFFICIAL: 2}


def test_a_line_that_a_kill_cut_short_is_passed_over(tmp_path):
    for model in ("one", "two"):
        note_scored(tmp_path, scored(model))
    path = ledger_of_host(tmp_path)
    path.write_text(path.read_text()[:-20])
    assert [line["model"] for line in read_ledger(tmp_path)] == ["one"]


def test_no_two_machines_add_to_one_file(tmp_path, monkeypatch):
    for host, model in (("one", "svm"), ("two", "knn")):
        monkeypatch.setattr("platform.node", lambda host=host: host)
        note_scored(tmp_path, scored(model))
    files = sorted(path.name for path in (tmp_path / "run").iterdir())
    assert files == ["ledger-one.csv", "ledger-two.csv"]
    # What versions before wrote counts, too.
    ledger_of_host(tmp_path).rename(tmp_path / "run" / "ledger.csv")
    assert {line["model"] for line in read_ledger(tmp_path)} == {"svm", "knn"}
    merge_ledgers([tmp_path], tmp_path / "joined")
    merge_ledgers([tmp_path], tmp_path / "joined")
    assert sorted(map(line_key, read_ledger(tmp_path / "joined"))) == sorted(map(line_key, read_ledger(tmp_path)))


def test_a_ledger_that_cannot_be_read_is_an_error(tmp_path):
    (tmp_path / NAME).mkdir()
    with pytest.raises(ResultsError, match="ledger cannot be read"):
        read_ledger(tmp_path)


@pytest.mark.parametrize("suite", ["demo", "ravdess", "emodb"])
def test_the_committed_ledgers_hold_the_committed_rows(suite):
    folder = REPOSITORY / "results" / suite
    with (folder / NAME).open(newline="") as stream:
        known = [line_key(line) for line in csv.DictReader(stream)]
    needed = {line_key(line) for line in ledger_lines(frozen_records(folder / "frozen.parquet"))}
    assert needed <= set(known) and len(known) == len(set(known))


def test_two_rows_of_ravdess_were_deleted_after_they_were_scored():
    board = leaderboard(load_records(REPOSITORY / "results", "ravdess"))
    honest = board[board["protocol"] == "official"]
    assert set(honest["ever_scored"]) == {len(honest) + 2}


def test_the_verb_lists_and_updates(tmp_path, monkeypatch, capsys):
    from serbench.cli.ledger import ledger

    write_suite(tmp_path / "toy", models={"good": 2.0}, protocols=("official",), folds=2)
    note_scored(tmp_path / "toy", scored("gone"))
    ledger("toy", update=True, frozen=None, style="json", results=tmp_path)
    rows = {row["model"]: row for row in json.loads(capsys.readouterr().out)}
    assert (rows["good"]["folds"], rows["good"]["shown"], rows["gone"]["shown"]) == (2, True, False)
    assert (tmp_path / "toy" / NAME).read_text().count("\n") == 4
