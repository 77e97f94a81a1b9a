"""Many cells read through one file: the same records, and nothing of a cell that has changed since."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from made_suites import write_suite

from serbench.records import read_cell, write_cell
from serbench.reporting import loading
from serbench.reporting.leaderboard import leaderboard
from serbench.reporting.loading import load_records
from serbench.reporting.packed import NAME, read_packed


@pytest.fixture
def suite(tmp_path, monkeypatch):
    """A suite of twelve cells that has been read once, and packed."""
    write_suite(tmp_path / "toy")
    monkeypatch.setattr(loading, "MANY", 1)
    plain = load_records(tmp_path, "toy")
    assert len(read_packed(tmp_path / "toy")) == len(plain) == 12
    return tmp_path / "toy", plain


def cells_opened(monkeypatch) -> list:
    opened, read = [], loading._read_cell
    monkeypatch.setattr(loading, "_read_cell", lambda *words: opened.append(words[1]) or read(*words))
    return opened


def test_what_was_packed_is_what_the_files_hold(suite, monkeypatch):
    folder, plain = suite
    opened = cells_opened(monkeypatch)
    again = load_records(folder.parent, "toy")
    assert not opened
    assert [record.to_json() for record in again["record"]] == [record.to_json() for record in plain["record"]]
    for one, other in zip(plain["tested"], again["tested"], strict=True):
        for item in dataclasses.fields(one):
            mine, theirs = getattr(one, item.name), getattr(other, item.name)
            assert np.array_equal(mine, theirs) and mine.dtype == theirs.dtype
    pd.testing.assert_frame_equal(leaderboard(again), leaderboard(plain))


def test_a_cell_that_has_changed_is_read_anew(suite, monkeypatch):
    folder, _ = suite
    path = sorted((folder / "cells").glob("*.parquet"))[3]
    record, rows = read_cell(path)
    rows["predicted"] = rows["truth"]
    write_cell(folder, dataclasses.replace(record, created="later"), rows)
    opened = cells_opened(monkeypatch)
    again = load_records(folder.parent, "toy").set_index("id")
    assert opened == [path] and again.loc[path.stem, "record"].created == "later"
    tested = again.loc[path.stem, "tested"]
    assert np.array_equal(tested.truth, tested.predicted)


def test_a_cell_that_is_damaged_since_is_named(suite):
    folder, _ = suite
    path = sorted((folder / "cells").glob("*.parquet"))[0]
    path.write_bytes(path.read_bytes()[:100])
    assert load_records(folder.parent, "toy").set_index("id").loc[path.stem, "status"] == "damaged"


@pytest.mark.parametrize("content", [b"", b"ARROW1 nonsense", None])
def test_a_pack_that_is_none_is_made_again(suite, content):
    folder, plain = suite
    if content is None:
        (folder / NAME).write_bytes((folder / NAME).read_bytes()[:-200])
    else:
        (folder / NAME).write_bytes(content)
    assert list(load_records(folder.parent, "toy")["id"]) == list(plain["id"])
    assert len(read_packed(folder)) == 12
