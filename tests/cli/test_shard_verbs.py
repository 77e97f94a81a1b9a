"""Shards and what joins them, on the command line: what is no shard, and folders that cannot be joined, are named."""

from dataclasses import replace

import pytest

from serbench.records import read_cell, write_cell

ONE = ("--no-tracking", "--jobs", "1", "--executor", "in_process", "--model", "majority")


@pytest.mark.parametrize("shard", ["0/40", "41/40"])
def test_a_shard_that_is_none_runs_nothing(serbench, tiny_suite, tiny_data, tmp_path, shard):
    answer = serbench("run", tiny_suite, *ONE, "--data", tiny_data, "--shard", shard)
    assert answer.status == 2 and f"there is no shard {shard.replace('/', ' of ')}" in answer.err
    assert "--shard 3/40" in answer.err and not (tmp_path / "results").exists()


@pytest.fixture
def parts(serbench, tiny_suite, tiny_data, tmp_path):
    """Folders of two machines with a shard each."""
    folders = [tmp_path / "one", tmp_path / "two"]
    for number, folder in enumerate(folders, 1):
        words = ("--data", tiny_data, "--results", folder, "--shard", f"{number}/2")
        assert serbench("run", tiny_suite, *ONE, *words).status == 0
    return folders


@pytest.mark.parametrize("what", ["code", "corpus"])
def test_folders_of_other_code_or_another_corpus_are_not_joined(serbench, parts, tmp_path, what):
    path = next((parts[1] / "tiny" / "cells").glob("*.parquet"))
    record, rows = read_cell(path)
    if what == "corpus":
        other = replace(record, corpus={**record.corpus, "fingerprint": "another"})
    else:
        packages = {**record.environment["packages"], "serbench": "0.0.1"}
        other = replace(record, environment={**record.environment, "packages": packages})
    write_cell(parts[1] / "tiny", other, rows)
    answer = serbench("merge", *parts, "--into", tmp_path / "joined")
    assert answer.status == 2 and "Traceback" not in answer.err and not (tmp_path / "joined").exists()
    said = "the version of serbench differs" if what == "code" else "the content of corpus tiny differs"
    assert said in answer.err and str(parts[0]) in answer.err and str(parts[1]) in answer.err


def test_what_cannot_be_written_is_named_and_the_parts_stay(serbench, parts, tmp_path):
    (tmp_path / "file").write_text("no folder")
    answer = serbench("merge", *parts, "--into", tmp_path / "file" / "joined")
    assert answer.status == 2 and "cannot write" in answer.err and "Traceback" not in answer.err
    assert serbench("merge", *parts, "--into", tmp_path / "joined").status == 0
    assert len(list((tmp_path / "joined" / "tiny" / "cells").glob("*.parquet"))) == 6
