"""Results of several machines, joined: what they did not do alike is no contradiction."""

import pandas as pd
import pytest
from made_suites import LABELS, make_cell, make_table, one_hot, save, write_suite

from serbench.errors import ResultsError
from serbench.records import cell_path, empty_predictions, make_predictions, read_cell
from serbench.records.merging import merge_results
from serbench.reporting.leaderboard import leaderboard
from serbench.reporting.loading import load_records
from serbench.runner.planning.grid import ALL_FOLDS

TABLE = make_table(speakers=3)
ANSWERS = make_predictions(TABLE, LABELS, one_hot(list(TABLE["label"])))
VALIDATION = ANSWERS.assign(role="validation")


@pytest.mark.parametrize("order", [("plain", "whole"), ("whole", "plain")])
def test_answers_to_more_parts_of_a_cell_are_kept(tmp_path, order):
    cell = make_cell()
    save(tmp_path / "plain" / "s", cell, ANSWERS)
    save(tmp_path / "whole" / "s", cell, pd.concat([ANSWERS, VALIDATION], ignore_index=True))
    merge_results([tmp_path / name for name in order], tmp_path / "joined")
    kept = read_cell(cell_path(tmp_path / "joined" / "s", cell.id))[1]
    assert set(kept["role"]) == {"test", "validation"} and len(kept) == 2 * len(ANSWERS)


def test_other_answers_of_one_part_are_refused(tmp_path):
    other = VALIDATION.assign(predicted=LABELS[0])
    for name, validation in (("one", VALIDATION), ("two", other)):
        save(tmp_path / name / "s", make_cell(), pd.concat([ANSWERS, validation], ignore_index=True))
    with pytest.raises(ResultsError, match="other answers"):
        merge_results([tmp_path / "one", tmp_path / "two"], tmp_path / "joined")


def test_a_plug_in_of_a_protocol_is_no_other_source_of_the_model(tmp_path):
    save(tmp_path / "one" / "s", make_cell(), ANSWERS, plugin_hash="model")
    save(tmp_path / "one" / "s", make_cell(protocol="own"), ANSWERS, plugin_hash="model+protocol")
    assert merge_results([tmp_path / "one"], tmp_path / "joined").taken == 2
    save(tmp_path / "two" / "s", make_cell(fold="2"), ANSWERS, plugin_hash="another model")
    with pytest.raises(ResultsError, match="the source of a plug-in differs: 'another model', but 'model'"):
        merge_results([tmp_path / "one", tmp_path / "two"], tmp_path / "joined")


def test_a_row_that_one_machine_could_not_run_is_that_of_the_other(tmp_path):
    write_suite(tmp_path / "able" / "s", models={"svm": 1.0}, protocols=("official",))
    save(tmp_path / "bare" / "s", make_cell(fold=ALL_FOLDS), empty_predictions(), status="skipped", reason="no svm")
    merge_results([tmp_path / "bare", tmp_path / "able"], tmp_path / "joined")
    joined, alone = (load_records(tmp_path / name, "s") for name in ("joined", "able"))
    assert set(joined["status"]) == {"ok"} and list(joined["id"]) == list(alone["id"])
    (row,) = leaderboard(joined).to_dict("records")
    assert row["complete"] and row["reason"] == ""
