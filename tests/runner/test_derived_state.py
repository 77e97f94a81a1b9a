"""State that a run can make anew never blocks a suite: it is set aside, said, and made again."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from in_one_process import carried_out

from serbench.circumstances import Circumstances
from serbench.records import METADATA_KEY, cell_path
from serbench.records.plan_file import read_plan
from serbench.records.splits_file import SPLIT_COLUMNS, read_splits
from serbench.reporting.loading import load_records
from serbench.runner.cell.inputs import open_registry
from serbench.runner.planning.plan import make_plan
from serbench.runner.planning.selection import Filters
from serbench.runner.suite.file import load_suite

DEEP = "[" * 100_000


@pytest.fixture
def around(tmp_path, tiny_data, shared_cache):
    return Circumstances(data=tiny_data, cache=shared_cache, results=tmp_path / "results", jobs=1)


@pytest.fixture
def plan_of(around, tiny_suite):
    def make(**settings):
        filters = Filters(model=["majority"], protocol=["speaker_kfold"])
        return make_plan(load_suite(str(tiny_suite)), open_registry(around), around, filters, **settings)

    return make


@pytest.fixture
def folder(around, plan_of) -> Path:
    """Results of three finished cells."""
    plan = plan_of()
    carried_out(plan, around)
    return plan.folder


def spoil(path: Path, content) -> None:
    path.unlink()
    if isinstance(content, pd.DataFrame):
        content.to_parquet(path)
    elif content == "folder":
        (path / "within").mkdir(parents=True)
    elif content == "pipe":
        os.mkfifo(path)
    else:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())


PLANS = ["", "null", "{}", "7", "[null]", '[{"id": 1}]', '[{"id": "a", "cell": []}]', '[{"id": "a", "cell": {}}]']
PLANS += ['[{"id": "a", "cell": {"corpus": null}}]', DEEP, b"\xff\xfe", b"\x00", "[{", "folder", "pipe"]
SPLITS = [b"", b"PAR1", b"PAR1PAR1", "text", "folder", "pipe", pd.DataFrame({"a": [1]})]
SPLITS += [pd.DataFrame({name: [[1]] for name in SPLIT_COLUMNS})]


@pytest.mark.parametrize(
    ("name", "content"),
    [*(("plan.json", content) for content in PLANS), *(("splits.parquet", content) for content in SPLITS)],
)
def test_a_damaged_plan_or_splits_are_set_aside_said_and_made_anew(folder, around, plan_of, caplog, name, content):
    before = len(read_plan(folder)), len(read_splits(folder))
    spoil(folder / name, content)
    assert (load_records(around.results, "tiny")["status"] == "ok").all()
    carried_out(plan_of(force=True), around)
    assert (len(read_plan(folder)), len(read_splits(folder))) == before
    assert (folder / f"{name}.damaged").exists()
    (said,) = [line for line in caplog.text.splitlines() if "damaged" in line]
    assert f"{folder / name}: damaged" in said and f"set aside as {name}.damaged" in said


@pytest.mark.parametrize("name", ["cells", "locks", "work"])
def test_a_file_where_a_folder_has_to_be_is_set_aside(around, plan_of, caplog, name):
    plan = plan_of()
    plan.folder.mkdir(parents=True)
    (plan.folder / name).write_text("mine")
    assert all(record.status == "ok" for record, _ in carried_out(plan, around).values())
    assert (plan.folder / f"{name}.damaged").read_text() == "mine"


@pytest.mark.parametrize("content", [b"", b"PAR1", "folder", pd.DataFrame({"a": [1]})])
def test_a_damaged_task_table_is_made_anew(folder, around, plan_of, content):
    (table,) = (folder / "work").glob("*.parquet")
    spoil(table, content)
    assert all(record.status == "ok" for record, _ in carried_out(plan_of(force=True), around).values())


def with_metadata(path: Path, change) -> None:
    table = pq.read_table(path)
    document = json.loads(table.schema.metadata[METADATA_KEY])
    table = table.replace_schema_metadata({METADATA_KEY: change(document)})
    pq.write_table(table, path)


def changed(**values):
    return lambda document: json.dumps({**document, **values})


def changed_cell(**values):
    return lambda document: json.dumps({**document, "cell": {**document["cell"], **values}})


@pytest.mark.parametrize(
    "change",
    [
        lambda document: "[]", lambda document: "null", lambda document: DEEP, lambda document: b"\xff\xfe",
        changed(corpus=None), changed(sizes=None), changed(sizes={"train": "many"}), changed(seconds=[]),
        changed(audit=None), changed(params=3), changed(status="done"), changed(schema="x"), changed(history={"a": 1}),
        changed(cell=None), changed(cell=[]), changed_cell(labels=None), changed_cell(features=[None]),
        changed_cell(model="lda"), changed_cell(members=7), changed_cell(fold=None),
    ],
)  # fmt: skip
def test_a_cell_whose_metadata_are_wrong_is_damaged_and_runs_again(folder, around, plan_of, change):
    path = sorted((folder / "cells").iterdir())[0]
    with_metadata(path, change)
    records = load_records(around.results, "tiny").set_index("id")
    assert records.loc[path.stem, "status"] == "damaged"
    plan = plan_of()
    assert [item.cell.id for item in plan.todo] == [path.stem] and plan.count("damaged") == 1
    assert all(record.status == "ok" for record, _ in carried_out(plan, around).values())


def test_a_folder_in_the_place_of_a_cell_runs_again(folder, around, plan_of):
    path = sorted((folder / "cells").iterdir())[0]
    spoil(path, "folder")
    assert carried_out(plan_of(), around)[path.stem][0].status == "ok"
    assert cell_path(folder, f"{path.stem}").is_file()


def test_a_second_damaged_file_does_not_overwrite_the_first(folder):
    for content in ("first", "second"):
        (folder / "plan.json").write_text(content)
        assert read_plan(folder) == []
    assert (folder / "plan.json.damaged").read_text() == "first"
    assert (folder / "plan.json.damaged-2").read_text() == "second"


def test_a_whole_table_of_splits_is_read_as_it_was_written(folder):
    assert isinstance(read_splits(folder), pa.Table) and not (folder / "splits.parquet.damaged").exists()
