import json
import shutil

import numpy as np
import pandas as pd
import pytest
from made_suites import LABELS, make_cell, make_table, one_hot, save, write_suite

from serbench.errors import ResultsError
from serbench.records import make_predictions, read_cell
from serbench.reporting.frozen import freeze, frozen_frames, frozen_path, frozen_records, frozen_splits
from serbench.reporting.leaderboard import leaderboard
from serbench.reporting.loading import load_records, load_suites
from serbench.reporting.origin import origins
from serbench.reporting.text_tables import to_json


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "toy"
    write_suite(folder)
    save(folder, make_cell(model="good", fold="9"), None, status="failed", reason="it broke")
    return folder


def only_frozen(folder):
    clone = folder.parent / "clone" / folder.name
    clone.mkdir(parents=True)
    shutil.copy(frozen_path(folder), clone)
    return clone


def all_frames(folder):
    cells = load_records(folder.parent, folder.name)
    return frozen_frames(frozen_path(folder), list(cells.loc[cells["status"] == "ok", "id"]))


def test_leaderboard_of_the_frozen_file_is_that_of_the_cells(folder):
    freeze(folder)
    clone = only_frozen(folder)
    from_cells = leaderboard(load_records(folder.parent, "toy")).assign(source="")
    from_file = leaderboard(load_records(clone.parent, "toy")).assign(source="")
    assert to_json(from_cells) == to_json(from_file)


def test_predictions_and_records_are_kept(folder):
    freeze(folder)
    for path in (folder / "cells").glob("*.parquet"):
        record, predictions = read_cell(path)
        if record.status != "ok":
            continue
        kept = frozen_frames(frozen_path(folder), [record.cell.id])[record.cell.id]
        exact = [name for name in predictions if not name.startswith("p:")]
        pd.testing.assert_frame_equal(kept[exact], predictions[exact], check_dtype=False)
        probabilities = [name for name in predictions if name.startswith("p:")]
        assert np.allclose(kept[probabilities], predictions[probabilities], rtol=0.006)
        assert np.allclose(kept[probabilities].sum(axis=1), 1)
    records = load_records(only_frozen(folder).parent, "toy")
    failed = records[records["status"] == "failed"].iloc[0]
    assert failed["reason"] == "it broke" and failed["record"].status == "failed"


def test_probabilities_of_zero_and_one_survive(tmp_path):
    table = make_table(2)
    cell = make_cell()
    save(tmp_path / "toy", cell, make_predictions(table, LABELS, one_hot(list(table["label"]), certainty=1.0)))
    freeze(tmp_path / "toy")
    kept = frozen_frames(frozen_path(tmp_path / "toy"), [cell.id])[cell.id]
    assert sorted(set(np.round(kept["p:sad"], 12))) == [0, 1]


def test_splits_are_packed(folder):
    splits = pd.DataFrame(
        {"corpus": "toy", "protocol": "official", "seed": [0, 0], "fold": "1", "utterance": ["a", "b"],
         "speaker": ["toy/1", "toy/2"], "role": ["train", "test"]}
    )  # fmt: skip
    splits.to_parquet(folder / "splits.parquet")
    freeze(folder)
    pd.testing.assert_frame_equal(
        frozen_splits(frozen_path(folder)).astype({"seed": "int64"}).astype(str), splits.astype(str), check_dtype=False
    )


def test_freezing_again_says_what_is_gone(folder):
    assert freeze(folder)["dropped"] == []
    gone = next(path for path in (folder / "cells").glob("*.parquet") if read_cell(path)[0].cell.fold == "9")
    gone.unlink()
    again = freeze(folder)
    assert again["dropped"] == [gone.stem] and again["cells"] == 12 and again["kept"] == 0


def test_rows_not_begun_here_are_carried_over_as_they_are(folder):
    splits = pd.DataFrame(
        {"corpus": "toy", "protocol": ["official", "loso"], "seed": 0, "fold": "1", "utterance": "a",
         "speaker": "toy/1", "role": "test"}
    )  # fmt: skip
    splits.to_parquet(folder / "splits.parquet")
    freeze(folder)
    board, frames = leaderboard(load_records(folder.parent, "toy")), all_frames(folder)
    elsewhere = only_frozen(folder)
    renewed = sorted((folder / "cells").glob("*.parquet"), key=lambda path: read_cell(path)[0].cell.model_name)[-1]
    model = read_cell(renewed)[0].cell.model_name
    (elsewhere / "cells").mkdir()
    for path in (folder / "cells").glob("*.parquet"):
        if read_cell(path)[0].cell.model_name == model:
            shutil.copy(path, elsewhere / "cells")
    splits.tail(1).assign(utterance="b").to_parquet(elsewhere / "splits.parquet")
    before = len(list((elsewhere / "cells").glob("*.parquet")))
    for _ in range(2):
        packed = freeze(elsewhere)
        assert packed["dropped"] == [] and packed["kept"] == packed["cells"] - before > 0
    again = only_frozen(elsewhere)
    assert to_json(leaderboard(load_records(again.parent, "toy")).assign(source="")) == to_json(board.assign(source=""))
    kept = all_frames(again)
    assert set(kept) == set(frames)
    for cell_id, frame in frames.items():
        pd.testing.assert_frame_equal(kept[cell_id], frame, check_dtype=False)
    assert sorted(frozen_splits(frozen_path(again))["utterance"]) == ["a", "b"]


def test_seeds_that_are_run_later_join_those_that_were_frozen(tmp_path):
    whole, first, later = (tmp_path / name / "toy" for name in ("whole", "first", "later"))
    write_suite(whole, models={"good": 2.0}, protocols=("official",), seeds=(0, 1, 2), plan=False)
    for path in (whole / "cells").glob("*.parquet"):
        target = (later if read_cell(path)[0].cell.seed else first) / "cells"
        target.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)

    def board(folder):
        rows = leaderboard(load_records(folder.parent, "toy"))
        return rows, json.loads(to_json(rows.assign(source="")))

    freeze(first)
    shutil.copy(frozen_path(first), later)
    joined, found = board(later)
    assert found == board(whole)[1] and [row["seeds"] for row in found] == [[0, 1, 2]]
    assert list(origins(joined)) == ["toy: rows shown: 1 some seeds run here, the others as committed"]
    packed = freeze(later)
    assert (packed["cells"], packed["kept"], packed["dropped"]) == (9, 3, [])
    assert board(only_frozen(later))[1] == found


def test_a_row_that_can_only_be_skipped_here_stays_as_it_was_committed(folder):
    freeze(folder)
    clone = only_frozen(folder)
    board = leaderboard(load_records(clone.parent, "toy"))
    for model in ("good", "unheard"):
        save(clone, make_cell(model=model, fold="*"), None, status="skipped", reason="not installed: smile")
    shown = leaderboard(load_records(clone.parent, "toy"))
    old = shown[shown["model"] != "unheard"]
    assert json.loads(to_json(old)) == json.loads(to_json(board))
    assert list(shown.loc[shown["model"] == "unheard", "reason"]) == ["not installed: smile"]
    freeze(clone)
    again = only_frozen(clone)
    assert to_json(leaderboard(load_records(again.parent, "toy")).assign(source="")) == to_json(shown.assign(source=""))


def test_corpora_with_labels_of_their_own_lie_in_one_file(tmp_path):
    folder = tmp_path / "toy"
    for corpus, labels in (("toy", ["angry", "happy", "sad"]), ("other", ["boredom", "fear"])):
        table = make_table(12, labels=labels, corpus=corpus)
        probabilities = one_hot(table["label"].tolist(), labels)
        save(folder, make_cell(corpus=corpus, labels=labels), make_predictions(table, labels, probabilities))
    freeze(folder)
    board = leaderboard(load_records(only_frozen(folder).parent, "toy"))
    assert sorted(board["corpus"]) == ["other", "toy"] and list(board["uar"]) == [1, 1]


def test_nothing_to_freeze(tmp_path):
    (tmp_path / "toy").mkdir()
    with pytest.raises(ResultsError, match="no finished cell"):
        freeze(tmp_path / "toy")


def test_a_damaged_cell_stops_freezing_and_keeps_the_old_file(folder):
    freeze(folder)
    before = frozen_path(folder).read_bytes()
    path = sorted((folder / "cells").glob("*.parquet"))[0]
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(ResultsError, match="damaged"):
        freeze(folder)
    assert frozen_path(folder).read_bytes() == before


def test_a_plan_cut_short_is_set_aside_and_the_cells_are_frozen(folder, caplog):
    (folder / "plan.json").write_text("[{")
    assert freeze(folder)["cells"] == len(list((folder / "cells").iterdir()))
    assert (folder / "plan.json.damaged").read_text() == "[{" and "plan.json: damaged" in caplog.text


def test_a_damaged_frozen_file_does_not_hide_the_cells_and_is_set_aside_by_freezing(folder, caplog):
    shown = len(load_records(folder.parent, "toy"))
    frozen_path(folder).write_bytes(b"PAR1")
    assert len(load_records(folder.parent, "toy")) == shown
    assert f"{frozen_path(folder)}: the frozen file is damaged" in caplog.text
    freeze(folder)
    assert frozen_path(folder).with_name("frozen.parquet.damaged").read_bytes() == b"PAR1"
    assert len(load_records(only_frozen(folder).parent, "toy")) == shown


def test_one_damaged_frozen_file_does_not_hide_the_other_suites(folder, caplog):
    freeze(folder)
    results = only_frozen(folder).parent
    (results / "bad").mkdir()
    frozen_path(results / "bad").write_bytes(b"PAR1")
    assert set(load_suites(results)["suite"]) == {"toy"}
    assert "suite bad is left out" in caplog.text


@pytest.mark.parametrize("content", [b"", b"PAR1", None])
def test_a_damaged_frozen_file_is_a_clear_error(folder, content):
    freeze(folder)
    clone = only_frozen(folder)
    path = frozen_path(clone)
    path.write_bytes(path.read_bytes()[:500] if content is None else content)
    with pytest.raises(ResultsError, match="frozen file is damaged"):
        load_records(clone.parent, "toy")


def test_another_parquet_file_is_not_taken_for_a_frozen_one(folder):
    pd.DataFrame({"a": [1]}).to_parquet(frozen_path(folder))
    with pytest.raises(ResultsError, match="frozen file is damaged or none"):
        frozen_records(frozen_path(folder))
