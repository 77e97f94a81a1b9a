import json
import socket
import threading

import pandas as pd
import pytest

from serbench.errors import TrackingError, UnknownName
from serbench.records import cell_path, read_cell
from serbench.reporting.leaderboard import leaderboard
from serbench.reporting.loading import load_records
from serbench.tracking.mirror import Mirrored, mirror
from serbench.tracking.rows import SCORES
from serbench.tracking.store import open_client


def board_of(results):
    return leaderboard(load_records(results, "toy")).set_index("row")


def test_every_row_and_fold_is_a_run_with_the_leaderboards_numbers(results, store, tracked):
    assert mirror(results, "toy", store) == Mirrored(rows=4, folds=12, looked_at=4)
    board = board_of(results)
    rows = {run.data.tags["serbench.row"]: run for run in tracked("row")}
    assert set(rows) == set(board.index)
    for row, run in rows.items():
        # To the last digit: the same double went into the database and came out of it.
        assert {name: run.data.metrics[name] for name in SCORES} == {
            name: round(board.loc[row, name], 4) for name in SCORES
        }
        assert run.info.status == "FINISHED"
    folds = tracked("fold")
    assert {run.data.tags["mlflow.parentRunId"] for run in folds} == {run.info.run_id for run in rows.values()}
    assert not any("uar" in run.data.metrics for run in folds)


def test_sorting_by_uar_and_filtering_by_independence_answers_the_newcomers_question(results, store):
    mirror(results, "toy", store)
    client = open_client(store)
    experiment = client.get_experiment_by_name("toy").experiment_id
    found = client.search_runs(
        [experiment],
        'tags.level = "row" and tags.speaker_independent = "true"',
        order_by=["metrics.`uar` DESC"],
    )
    assert [run.info.run_name for run in found] == ["svm · mfcc · official", "cnn · mfcc · official"]


def test_mirroring_again_writes_nothing(results, store, tracked):
    mirror(results, "toy", store)
    before = {run.info.run_id: (run.data.metrics, run.data.tags) for run in tracked()}
    assert mirror(results, "toy", store) == Mirrored(rows=0, folds=0, looked_at=4)
    assert {run.info.run_id: (run.data.metrics, run.data.tags) for run in tracked()} == before


def test_a_new_fold_is_added_to_its_row(results, store, tracked, suite_tools):
    make_cell, save_cell = suite_tools
    mirror(results, "toy", store)
    save_cell(results / "toy", make_cell("svm", "official", 4), skill=0.1)
    # The row of the other model lacks the fold from now on, which its tags say.
    assert mirror(results, "toy", store) == Mirrored(rows=2, folds=1, looked_at=4)
    board = board_of(results)
    rows = tracked("row")
    assert len(rows) == 4
    for run in rows:
        assert run.data.metrics["uar"] == round(board.loc[run.data.tags["serbench.row"], "uar"], 4)


def test_a_cell_run_again_replaces_its_run(results, store, tracked, suite_tools):
    make_cell, save_cell = suite_tools
    mirror(results, "toy", store)
    cell = make_cell("cnn", "official", 1)
    made = "2026-02-02T00:00:00+00:00"
    save_cell(results / "toy", cell, skill=3.0, created=made, history={"loss": [9.0]})
    assert mirror(results, "toy", store) == Mirrored(rows=1, folds=1, looked_at=4)
    runs = [run for run in tracked("fold") if run.data.tags["serbench.cell"] == cell.id]
    assert [(run.data.tags["serbench.made"], run.data.metrics["epoch/loss"]) for run in runs] == [(made, 9.0)]


def test_a_failed_row_that_is_mended_is_finished(results, store, tracked, suite_tools):
    make_cell, save_cell = suite_tools
    cell = make_cell("svm", "official", 2)
    save_cell(results / "toy", cell, status="failed", reason="boom", created="2026-01-01T00:00:00+00:00")
    mirror(results, "toy", store)
    assert {run.info.status for run in tracked("row")} == {"FINISHED", "FAILED"}
    save_cell(results / "toy", cell, skill=2.0)
    mirror(results, "toy", store)
    assert [run.info.status for run in tracked()] == ["FINISHED"] * 16


def test_a_run_cut_short_is_written_anew(results, store, tracked):
    mirror(results, "toy", store)
    client = open_client(store)
    # As a kill leaves it: the fold's run was begun but not ended, and its row not marked.
    fold = tracked("fold")[0]
    client.update_run(fold.info.run_id, status="RUNNING")
    client.set_tag(fold.data.tags["mlflow.parentRunId"], "serbench.state", "")
    assert mirror(results, "toy", store) == Mirrored(rows=1, folds=1, looked_at=4)
    assert len(tracked()) == 16


def test_epoch_curves_are_stepped_metrics(results, store, tracked):
    mirror(results, "toy", store)
    run = next(run for run in tracked("fold") if run.info.run_name.startswith("cnn"))
    history = open_client(store).get_metric_history(run.info.run_id, "epoch/loss")
    assert [(point.step, point.value) for point in history] == [(0, 1.0), (1, 0.5), (2, 0.25)]


def test_the_corpus_is_the_runs_dataset(results, store, tracked):
    mirror(results, "toy", store)
    for run in tracked("row"):
        (used,) = run.inputs.dataset_inputs
        assert (used.dataset.name, used.dataset.digest) == ("toy", "cafe")
        assert json.loads(used.dataset.profile)["design"] == 110


def test_artifacts_hold_report_confusion_and_predictions(results, store, tracked, tmp_path):
    mirror(results, "toy", store)
    client = open_client(store)
    run = next(run for run in tracked("row") if run.info.run_name == "svm · mfcc · official")
    folder = tmp_path / "downloaded"
    folder.mkdir()
    client.download_artifacts(run.info.run_id, "", str(folder))
    report = pd.read_csv(folder / "per_class.csv", index_col="class")
    assert round(report.loc["sad/low", "f1"], 4) == run.data.metrics["f1_sad_low"]
    assert list(report["support"]) == [36, 36, 36]
    confusion = pd.read_csv(folder / "confusion_matrix.csv", index_col=0)
    assert confusion.to_numpy().sum() == 108
    assert "svm · mfcc · official" in (folder / "per_class.txt").read_text(encoding="utf-8")
    assert (folder / "confusion_matrix.png").read_bytes().startswith(b"\x89PNG")
    predictions = pd.read_parquet(folder / "predictions.parquet")
    cells = [read_cell(cell_path(results / "toy", cell)) for cell in run.data.tags["cells"].split()]
    expected = pd.concat([frame.assign(fold=record.cell.fold, seed=0) for record, frame in cells], ignore_index=True)
    pd.testing.assert_frame_equal(predictions, expected, check_dtype=False)


def test_only_the_rows_asked_for_are_written(results, store, tracked):
    row = board_of(results).index[0]
    assert mirror(results, "toy", store, rows={row}).looked_at == 1
    assert [run.data.tags["serbench.row"] for run in tracked("row")] == [row]


def test_a_row_that_was_never_run_is_no_run(results, store, suite_tools):
    make_cell, _ = suite_tools
    planned = make_cell("knn", "official", 1)
    plan = results / "toy" / "plan.json"
    plan.write_text(json.dumps([*json.loads(plan.read_text()), {"id": planned.id, "cell": planned.to_json()}]))
    assert mirror(results, "toy", store).looked_at == 4


def test_an_experiment_that_was_deleted_comes_back(results, store, tracked):
    mirror(results, "toy", store)
    client = open_client(store)
    client.delete_experiment(client.get_experiment_by_name("toy").experiment_id)
    mirror(results, "toy", store)
    assert len(tracked("row")) == 4


def test_a_frozen_suite_gives_the_same_numbers(results, store, tracked):
    from serbench.reporting.frozen import freeze

    board = board_of(results)
    freeze(results / "toy")
    for file in (results / "toy" / "cells").iterdir():
        file.unlink()
    assert mirror(results, "toy", store) == Mirrored(rows=4, folds=12, looked_at=4)
    for run in tracked("row"):
        assert run.data.metrics["uar"] == round(board.loc[run.data.tags["serbench.row"], "uar"], 4)


def test_two_writers_at_once_double_nothing(results, store, tracked):
    problems = []

    def write():
        try:
            mirror(results, "toy", store)
        except Exception as error:
            problems.append(error)

    threads = [threading.Thread(target=write) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not problems
    assert len(tracked("row")) == 4
    assert len(tracked("fold")) == 12


def test_a_suite_without_results_is_named(results, store):
    with pytest.raises(UnknownName, match="tyo"):
        mirror(results, "tyo", store)


def test_a_damaged_store_is_one_clear_error(results, tmp_path):
    file = tmp_path / "broken.db"
    file.write_bytes(b"not a database at all, " * 100)
    with pytest.raises(TrackingError, match="cannot write to the tracking store") as caught:
        mirror(results, "toy", f"sqlite:///{file}")
    assert "serbench track toy" in caught.value.hint


def test_a_server_that_is_down_is_one_clear_error(results):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        # Bound but not listening: connections are refused.
        with pytest.raises(TrackingError) as caught:
            mirror(results, "toy", address)
    assert caught.value.where == address
