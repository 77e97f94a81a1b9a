import csv
import io
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from made_suites import LABELS, make_cell, make_table, one_hot, save, write_suite

from serbench.errors import UnknownName, UsageError
from serbench.protocols.verdict import STANDINGS
from serbench.records import Record, make_predictions
from serbench.reporting.formats import format_leaderboard, terminal_tables
from serbench.reporting.layers import merged_verdict
from serbench.reporting.leaderboard import COLUMNS, damaged_cells, leaderboard
from serbench.reporting.loading import load_records
from serbench.reporting.tables import write_tables

REQUIRED = {
    "suite", "corpus", "labels", "protocol", "speaker_independent", "verdict", "features", "model", "trials", "augment",
    "seeds", "uar", "uar_low", "uar_high", "interval_unit", "accuracy", "macro_f1", "folds_done", "folds_planned",
    "utterances", "speakers", "fit_seconds",
}  # fmt: skip


def board_of(folder, **options) -> pd.DataFrame:
    return leaderboard(load_records(folder.parent, folder.name), **options)


def test_pooled_uar_by_hand(tmp_path):
    # Fold 1: angry 2 of 2, sad 0 of 1; fold 2: angry 0 of 1, sad 2 of 2. Pooled recalls are 2/3 and 2/3, where the
    # mean over folds would be 1/2.
    for fold, truth, predicted in (
        ("1", ["angry", "angry", "sad"], ["angry"] * 3),
        ("2", ["angry", "sad", "sad"], ["sad"] * 3),
    ):
        table = pd.DataFrame({"utterance": [f"{fold}{number}" for number in range(3)], "label": truth})
        table = table.assign(corpus="toy", speaker=f"toy/{fold}", gender="", text="", intensity="")
        labels = ["angry", "sad"]
        save(
            tmp_path / "toy",
            make_cell(fold=fold, labels=labels),
            make_predictions(table, labels, one_hot(predicted, labels)),
        )
    row = board_of(tmp_path / "toy").iloc[0]
    assert row["uar"] == pytest.approx(2 / 3)
    assert (row["utterances"], row["speakers"], row["classes"]) == (6, 2, "2/2")


def test_rows_carry_what_is_asked_for_and_the_better_one_leads(tmp_path):
    write_suite(tmp_path / "toy")
    board = board_of(tmp_path / "toy")
    assert REQUIRED <= set(board.columns) == set(COLUMNS)
    assert list(board["protocol"]) == ["official"] * 2 + ["stratified_kfold"] * 2
    assert list(board["model"]) == ["good", "poor"] * 2 and list(board["rank"]) == [1, 2, 1, 2]
    assert list(board["speaker_independent"]) == [True, True, False, False]
    assert (board["uar_low"] < board["uar"]).all() and (board["uar"] < board["uar_high"]).all()
    assert set(board["interval_unit"]) == {"speaker"} and set(board["folds_done"]) == {3}


def test_incomplete_rows_come_last_and_have_no_rank(tmp_path):
    folder = tmp_path / "toy"
    write_suite(folder, protocols=("official",))
    save(folder, make_cell(model="good", fold="2"), None, status="failed", reason="out of memory")
    board = board_of(folder)
    assert list(board["model"]) == ["poor", "good"]
    good = board.iloc[1]
    assert (good["folds_done"], good["folds_planned"], good["failed"], good["complete"]) == (2, 3, 1, False)
    assert good["rank"] is pd.NA and good["reason"] == "out of memory"
    text = format_leaderboard(board, "md")
    assert "2/3 (incomplete, 1 failed)" in text and "out of memory" in text


def test_without_a_plan_the_fullest_row_tells_the_number_of_folds(tmp_path):
    folder = tmp_path / "toy"
    write_suite(folder, protocols=("official",), plan=False)
    (folder / "cells" / f"{make_cell(model='good', fold='2').id}.parquet").unlink()
    board = board_of(folder).set_index("model")
    assert (board.loc["good", "folds_done"], board.loc["good", "folds_planned"]) == (2, 3)


def test_a_skipped_row_says_why(tmp_path):
    folder = tmp_path / "toy"
    write_suite(folder, protocols=("official",))
    save(
        folder,
        make_cell(model="good", protocol="loso", fold="*"),
        None,
        status="skipped",
        reason="one speaker",
        audit={},
    )
    row = board_of(folder).set_index("protocol").loc["loso"]
    assert (row["folds_done"], row["folds_planned"], row["reason"]) == (0, 0, "one speaker")
    assert np.isnan(row["uar"])
    assert json.loads(format_leaderboard(board_of(folder), "json"))[-1]["uar"] is None


def test_several_seeds_are_one_row_with_their_mean_and_spread(tmp_path):
    folder = tmp_path / "toy"
    write_suite(folder, models={"good": 1.0}, protocols=("official",), seeds=(0, 1, 2))
    row = board_of(folder).iloc[0]
    single = []
    for seed in (0, 1, 2):
        records = load_records(tmp_path, "toy")
        single.append(leaderboard(records[records["seed"] == seed]).iloc[0])
    uars = [item["uar"] for item in single]
    assert row["seeds"] == [0, 1, 2] and row["folds_done"] == 9 == row["folds_planned"]
    assert row["uar"] == pytest.approx(np.mean(uars))
    assert row["uar_spread"] == pytest.approx(np.std(uars, ddof=1))
    assert row["interval_method"] == "jackknife with t over speakers and 3 seeds"
    assert row["row"] == single[0]["row"]


def test_unknown_speakers_are_resampled_by_utterance(tmp_path):
    table = make_table(6).assign(speaker="")
    predicted = list(table["label"])
    predicted[:10] = ["sad"] * 10
    save(tmp_path / "toy", make_cell(), make_predictions(table, LABELS, one_hot(predicted)))
    row = board_of(tmp_path / "toy").iloc[0]
    assert row["interval_unit"] == "utterance" and row["speakers"] == 0 and row["uar_low"] < row["uar"]


def test_transductive_rows_are_ranked_apart(tmp_path):
    folder = tmp_path / "toy"
    write_suite(folder, protocols=("official",), folds=1)
    table = make_table(12)
    audit = {"verdict": "transductive", "speaker_independent": True}
    save(
        folder,
        make_cell(model="good", normalise="speaker"),
        make_predictions(table, LABELS, one_hot(list(table["label"]))),
        audit=audit,
    )
    board = board_of(folder)
    assert list(board["standing"]) == ["speaker-independent", "speaker-independent", "transductive"]
    assert list(board["rank"]) == [1, 2, 1]


def test_tie_marks_rows_not_distinguishable_from_the_best(tmp_path):
    write_suite(tmp_path / "toy", models={"best": 1.5, "near": 1.45, "floor": -1.0}, protocols=("official",))
    board = board_of(tmp_path / "toy").set_index("model")
    assert bool(board.loc["best", "tied_with_best"]) and bool(board.loc["near", "tied_with_best"])
    assert not board.loc["floor", "tied_with_best"]


def test_part_of_a_corpus_is_said(tmp_path):
    table = make_table(4)
    corpus = {"used": 649, "design": 7442, "notes": []}
    save(tmp_path / "toy", make_cell(), make_predictions(table, LABELS, one_hot(["sad"] * len(table))), corpus=corpus)
    board = board_of(tmp_path / "toy")
    assert board.iloc[0]["corpus_note"] == "649 of 7442"
    assert "649 of 7442" in format_leaderboard(board, "md")


@pytest.mark.parametrize(
    ("folds", "verdict", "standing"),
    [
        ([{}, {}], "speaker-independent", 0),
        ([{}, {"normalise": "speaker"}], "transductive", 2),
        ([{"leaks": ["speakers shared"]}, {}], "leaky: speakers shared", 3),
        ([{"leaks": ["a", "b"]}, {"leaks": ["b", "c"], "normalise": "speaker"}], "leaky: a, b, c; transductive", 3),
        ([{"leaks": ["a"]}, {"known": False}], "leaky: a; speakers unknown", 3),
        ([{"known": False, "normalise": "speaker"}], "speakers unknown; transductive", 3),
    ],
)
def test_verdicts_of_folds_are_merged_to_the_worst(folds, verdict, standing):
    found = merged_verdict(map(audited_record, folds))
    assert (str(found), found.standing) == (verdict, STANDINGS[standing])


def audited_record(fold):
    kinds = fold.get("leaks", [])
    audit = {
        # Words that nobody reads back.
        "verdict": "?",
        "speaker_independent": fold.get("known", True) and not kinds,
        "leaks": [{"kind": kind, "count": 1, "examples": []} for kind in kinds],
    }
    return Record(make_cell(normalise=fold.get("normalise", "none")), "ok", audit=audit)


def test_a_row_that_nobody_audited_has_no_verdict():
    assert merged_verdict([Record(make_cell(), "ok")]) is None


def test_sorting_and_filtering(tmp_path):
    folder = tmp_path / "toy"
    write_suite(folder, protocols=("official",))
    assert list(board_of(folder, sort="model")["model"]) == ["good", "poor"]
    assert list(board_of(folder, sort="uar")["rank"]) == [1, 2]
    assert board_of(folder, corpus=["toy"]).shape[0] == 2
    with pytest.raises(UnknownName, match="acuracy"):
        board_of(folder, sort="acuracy")
    with pytest.raises(UnknownName, match="emodb"):
        board_of(folder, corpus=["emodb"])


def test_formats_hold_the_same_numbers(tmp_path):
    write_suite(tmp_path / "toy")
    board = board_of(tmp_path / "toy")
    as_json = json.loads(format_leaderboard(board, "json"))
    as_csv = list(csv.DictReader(io.StringIO(format_leaderboard(board, "csv"))))
    assert [row["uar"] for row in as_json] == list(board["uar"]) == [float(row["uar"]) for row in as_csv]
    assert as_json[0]["seeds"] == [0] and as_json[0]["speaker_independent"] is True
    markdown = format_leaderboard(board, "md")
    assert f"{100 * board['uar'][0]:.1f}" in markdown and markdown.count("###") == 2
    first, second = terminal_tables(board)
    # What the speaker alone tells stands above the first.
    titles = [str(first.renderables[1]), str(second.renderables[0])]
    assert "official" in titles[0] and "leaky: speakers shared" in titles[1]
    with pytest.raises(UsageError, match="xml"):
        format_leaderboard(board, "xml")


def test_damaged_cells_are_named_and_the_row_is_incomplete(tmp_path):
    folder = tmp_path / "toy"
    write_suite(folder, protocols=("official",))
    path = sorted((folder / "cells").glob("*.parquet"))[0]
    path.write_bytes(path.read_bytes()[:100])
    records = load_records(tmp_path, "toy")
    assert [str(path) in line for line in damaged_cells(records)] == [True]
    assert sorted(leaderboard(records)["folds_done"]) == [2, 3]


def test_tables_are_written(tmp_path):
    folder = tmp_path / "toy"
    write_suite(folder)
    names = {"leaderboard.csv", "leaderboard.md", "rows.csv", "rows.md", "audit.txt"}
    assert {path.name for path in write_tables(folder)} == names
    assert "official: speaker-independent" in (folder / "audit.txt").read_text()
    assert "95 %" in (folder / "leaderboard.md").read_text()
    rows = pd.read_csv(folder / "rows.csv")
    assert len(rows) == 4 * len(LABELS)
    counts = rows[[f"predicted {label}" for label in LABELS]].sum(axis=1)
    assert (counts == rows["support"]).all()


def test_ties_are_unknown_under_six_speakers(tmp_path):
    write_suite(tmp_path / "toy", protocols=("official",), speakers=5)
    board = board_of(tmp_path / "toy")
    assert board["tied_with_best"].isna().all()
    assert json.loads(format_leaderboard(board, "json"))[0]["tied_with_best"] is None
    assert "too few known speakers" in format_leaderboard(board, "md")


def test_two_versions_of_a_model_are_told_apart(tmp_path):
    folder = tmp_path / "toy"
    write_suite(folder, models={"good": 1.0}, protocols=("official",), folds=1)
    table = make_table(12)
    newer = replace(make_cell(model="good"), model={"name": "good", "version": "2", "params": {}})
    save(folder, newer, make_predictions(table, LABELS, one_hot(list(table["label"]))))
    assert list(board_of(folder)["model"]) == ["good v2", "good v1"]
    assert list(board_of(folder)["features"]) == ["mfcc", "mfcc"]


def test_six_speakers_are_enough_however_many_rows_there_are(tmp_path):
    # Swapping all pairs together, the smallest p of six speakers is 2/64 for two rows and for three.
    models = {"best": 9.0, "near": 9.0, "floor": -9.0}
    write_suite(tmp_path / "six", models=models, protocols=("official",), speakers=6)
    board = board_of(tmp_path / "six").set_index("model")
    assert list(board["tied_with_best"]) == [True, True, False]
    assert list(board["rank_low"]) == [1, 1, 3] and list(board["rank_high"]) == [2, 2, 3]
    write_suite(tmp_path / "five", models=models, protocols=("official",), speakers=5)
    assert board_of(tmp_path / "five")[["tied_with_best", "rank_low", "rank_high"]].isna().all(axis=None)


def test_the_best_row_says_what_it_owes_to_being_chosen(tmp_path):
    models = {f"m{number}": 0.5 for number in range(8)}
    write_suite(tmp_path / "even", models=models, protocols=("official",))
    board = board_of(tmp_path / "even")
    assert board["optimism"].iloc[0] > 0 and board["optimism"].iloc[1:].isna().all()
    points = f"{100 * board['optimism'].iloc[0]:.1f}"
    said = f"the best of 8 rows ever scored here: about {points} points of its UAR come from choosing it"
    assert said in format_leaderboard(board, "md")
