import json
import shutil

import pytest
from made_suites import LABELS, make_cell, make_table, one_hot, save, write_suite

from serbench.errors import ResultsError, UnknownName
from serbench.records import make_predictions
from serbench.reporting.loading import load_records, load_suites, suites_in


def test_one_row_per_cell(tmp_path):
    write_suite(tmp_path / "toy")
    records = load_records(tmp_path, "toy")
    assert len(records) == 2 * 2 * 3
    assert set(records["status"]) == {"ok"} and records["row"].nunique() == 4
    first = records.iloc[0]
    assert len(first["tested"].truth) == 48
    assert first["tested"].utterances[0].startswith("toy/")


def test_planned_cells_are_listed_until_they_are_done(tmp_path):
    write_suite(tmp_path / "toy")
    removed = sorted((tmp_path / "toy" / "cells").glob("*.parquet"))[0]
    removed.unlink()
    records = load_records(tmp_path, "toy").set_index("id")
    assert records.loc[removed.stem, "status"] == "planned"
    assert (records["status"] == "ok").sum() == 11


@pytest.mark.parametrize("keep", [0, 20, 900, -40])
def test_a_cell_file_cut_short_is_named_and_not_done(tmp_path, keep):
    write_suite(tmp_path / "toy")
    path = sorted((tmp_path / "toy" / "cells").glob("*.parquet"))[0]
    path.write_bytes(path.read_bytes()[:keep])
    records = load_records(tmp_path, "toy").set_index("id")
    assert records.loc[path.stem, "status"] == "damaged"
    assert str(path) in records.loc[path.stem, "reason"]
    assert (records["status"] == "ok").sum() == 11


def test_a_damaged_cell_outside_the_plan_is_still_named(tmp_path):
    write_suite(tmp_path / "toy", plan=False)
    (tmp_path / "toy" / "cells" / "0123456789abcdef.parquet").write_bytes(b"PAR1 nonsense")
    records = load_records(tmp_path, "toy")
    assert list(records.loc[records["status"] == "damaged", "row"]) == [""]


def test_validation_rows_are_not_scored(tmp_path):
    table = make_table(4)
    import pandas as pd

    test = make_predictions(table[:24], LABELS, one_hot(list(table["label"][:24])))
    validation = make_predictions(table[24:], LABELS, one_hot(["sad"] * 24), role="validation")
    save(tmp_path / "toy", make_cell(), pd.concat([test, validation], ignore_index=True))
    tested = load_records(tmp_path, "toy")["tested"][0]
    assert len(tested.truth) == 24 and (tested.truth == tested.predicted).all()


def test_row_id_leaves_out_fold_and_seed_only():
    base = make_cell().row
    assert make_cell(fold="5", seed=3).row == base and len(base) == 8
    others = [
        make_cell(model="knn"),
        make_cell(protocol="loso"),
        make_cell(labels=LABELS[:2]),
        make_cell(tuning={"trials": 20}),
        make_cell(augment={"copies": 2}),
        make_cell(normalise="speaker"),
        make_cell(excluded=("toy/1",)),
        make_cell(corpus_options={"toy": {"defects": "keep"}}),
    ]
    assert len({cell.row for cell in others} | {base}) == len(others) + 1


def test_all_suites_together_and_none(tmp_path):
    with pytest.raises(ResultsError, match="no results yet"):
        load_suites(tmp_path)
    write_suite(tmp_path / "toy")
    write_suite(tmp_path / "other", protocols=("official",))
    (tmp_path / "unrelated").mkdir()
    assert suites_in(tmp_path) == ["other", "toy"]
    assert set(load_suites(tmp_path)["suite"]) == {"toy", "other"}


def test_unknown_suite_names_the_nearest(tmp_path):
    write_suite(tmp_path / "ravdess")
    with pytest.raises(UnknownName, match="ravdes"):
        load_records(tmp_path, "ravdes")


def test_a_broken_plan_is_named_and_hides_no_finished_cell(tmp_path, caplog):
    write_suite(tmp_path / "toy")
    done = (load_records(tmp_path, "toy")["status"] == "ok").sum()
    (tmp_path / "toy" / "plan.json").write_text("[{")
    assert (load_records(tmp_path, "toy")["status"] == "ok").sum() == done
    assert "plan.json: damaged" in caplog.text


def test_a_row_begun_here_is_not_mixed_with_the_frozen_one(tmp_path):
    from serbench.reporting.frozen import freeze

    write_suite(tmp_path / "toy")
    folder = tmp_path / "toy"
    freeze(folder)
    kept = sorted((folder / "cells").glob("*.parquet"))[0]
    content = kept.read_bytes()
    shutil.rmtree(folder / "cells")
    kept.parent.mkdir()
    kept.write_bytes(content)
    records = load_records(tmp_path, "toy")
    begun = records.loc[records["id"] == kept.stem, "row"].iloc[0]
    own = records[records["row"] == begun]
    assert set(own["source"]) == {"cells"} and sorted(own["status"]) == ["ok", "planned", "planned"]
    assert set(records.loc[records["row"] != begun, "source"]) == {"frozen"}
    assert len(records) == 12


def test_plan_of_a_clone_is_the_frozen_one(tmp_path):
    from serbench.reporting.frozen import freeze

    folder = tmp_path / "toy"
    write_suite(folder)
    plan = json.loads((folder / "plan.json").read_text())
    (folder / "cells" / f"{plan[0]['id']}.parquet").unlink()
    freeze(folder)
    shutil.rmtree(folder / "cells")
    (folder / "plan.json").unlink()
    records = load_records(tmp_path, "toy").set_index("id")
    assert records.loc[plan[0]["id"], "status"] == "planned" and len(records) == 12
