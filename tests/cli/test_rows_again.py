"""The command that `serbench show` prints makes a row again: run here as it is printed."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from serbench.records import read_record

SUITE = """\
title: Tiny
corpora: [{name: tiny, adapter: folder, speaker: "/(s[0-9])_"}]
ensembles: {both: [lda@mfcc, majority@mfcc]}
grid:
  - features: [mfcc]
    models: [majority, lda]
    protocols: [{name: speaker_kfold, params: {k: 3}}]
"""
PRINTED = "The command that makes the row again"
QUIET = ("--no-tracking", "--executor", "in_process")


@pytest.fixture
def place(tmp_path, tiny_data, monkeypatch) -> Path:
    """A working directory with a suite, and one below `published`."""
    (tmp_path / "benchmarks" / "published").mkdir(parents=True)
    (tmp_path / "benchmarks" / "own.yaml").write_text(SUITE)
    (tmp_path / "benchmarks" / "published" / "theirs.yaml").write_text(SUITE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SERBENCH_DATA", str(tiny_data))
    return tmp_path


def rows_in(place: Path, suite: str) -> dict[str, dict[str, str]]:
    """When each cell was made, by the title of its row and its file."""
    found: dict[str, dict[str, str]] = {}
    for path in sorted((place / "results" / suite / "cells").glob("*.parquet")):
        record = read_record(path)
        cell = record.cell
        title = " ".join(
            [cell.model_name, *(["tuned"] if cell.tuning else []), *(["p"] if cell.permute_labels else [])]
        )
        found.setdefault(f"{cell.row} {title}", {})[path.name] = record.created
    return found


@pytest.mark.parametrize(
    ("asked", "options", "title", "also"),
    [
        ("own", (), "lda", ()),
        ("own", (), "both", ("lda", "majority")),
        ("published/theirs", (), "lda", ()),
        ("own", ("--permute-labels", "--seed", "0", "--seed", "4"), "lda p", ()),
        ("own", ("--trials", "2", "--inner", "1", "--model", "lda"), "lda tuned", ()),
        ("own", ("--model", "knn"), "knn", ()),
    ],
)
def test_the_printed_command_makes_the_row_again(serbench, place, asked, options, title, also):
    suite = asked.split("/")[-1]
    first = serbench("run", asked, *QUIET, *options)
    assert first.status == 0, first.err
    before = rows_in(place, suite)
    (row,) = (key.split()[0] for key in before if key.split(" ", 1)[1] == title)
    shown = serbench("show", row).out.splitlines()
    command = shlex.split(shown[shown.index(PRINTED) + 1])
    assert command == ["serbench", "run", suite, "--row", row]
    again = serbench(*command[1:], *QUIET, "--force")
    assert again.status == 0, again.err
    after = rows_in(place, suite)
    assert after.keys() == before.keys()
    made = {key for key in after if after[key] != before[key]}
    assert {key.split(" ", 1)[1] for key in made} == {title, *also}
    # All of its folds and seeds, and no cell that was not there.
    assert all(after[key][name] != before[key][name] for key in made for name in before[key])
    assert all(after[key].keys() == before[key].keys() for key in made)


def test_a_row_is_known_without_results_too_where_the_suite_has_it(serbench, place):
    assert serbench("run", "own", *QUIET, "--permute-labels", "--model", "lda").status == 0
    (row,) = json.loads(serbench("leaderboard", "own", "--format", "json").out)
    answer = serbench("run", "own", *QUIET, "--dry-run", "--row", row["row"], "--results", place / "elsewhere")
    assert answer.status == 0 and "3 cells (3 new)" in answer.out


def test_an_unknown_row_is_refused(serbench, place):
    answer = serbench("run", "own", *QUIET, "--row", "01234567")
    assert answer.status == 2 and "no row '01234567' in the plan" in answer.err and "--trials" in answer.err
