"""A plan in shards: every cell in one of them, the same cut everywhere, and joined the same bits as one machine."""

from __future__ import annotations

import random
import shutil
from dataclasses import replace

import pytest

import serbench
from serbench.api import plan_run
from serbench.circumstances import Circumstances
from serbench.errors import ResultsError, UsageError
from serbench.records import cell_path, read_cell, read_record, write_cell
from serbench.records.merging import merge_results
from serbench.runner.planning.sharding import assign_shards, parse_shard, relative_cost

FILTERS = {"model": ["majority", "lda"], "features": ["handcrafted"]}
COUNT = 3


@pytest.fixture(scope="module")
def around(tmp_path_factory, shared_cache):
    folder = tmp_path_factory.mktemp("shards")
    return Circumstances(data=folder / "data", cache=shared_cache, results=folder / "whole", executor="in_process")


@pytest.fixture(scope="module")
def whole(around):
    serbench.run("demo", filters=FILTERS, around=around)
    return around.results


@pytest.fixture(scope="module")
def parts(around, whole):
    """Folders of three machines that share nothing; the last two have run a shard that another one ran, too."""
    folders = [around.results.with_name(f"machine{number}") for number in range(3)]
    for folder, shards in zip(folders, ((2,), (3, 1), (1, 2)), strict=True):
        for number in shards:
            serbench.run("demo", filters=FILTERS, around=replace(around, results=folder), shard=f"{number}/{COUNT}")
    return folders


@pytest.mark.parametrize("count", [1, 2, 7, 40, 500])
def test_every_cell_is_in_one_shard_and_the_load_is_even(around, count):
    plan, registry = plan_run("demo", around)
    assigned = assign_shards(plan, registry, count)
    assert set(assigned) == {item.cell.id for item in plan.cells} and set(assigned.values()) <= set(range(1, count + 1))
    turned = replace(plan, cells=tuple(random.Random(count).sample(plan.cells, len(plan.cells))))
    assert assign_shards(turned, registry, count) == assigned
    groups, loads = {}, dict.fromkeys(range(1, count + 1), 0.0)
    for item in plan.cells:
        cost = relative_cost(item, registry)
        loads[assigned[item.cell.id]] += cost
        key = (str(item.cell.features), item.cell.protocol_name, item.cell.fold)
        groups[key] = groups.get(key, 0.0) + cost
        assert assigned[item.cell.id] == assigned.setdefault(str(key), assigned[item.cell.id])
    best = max(sum(loads.values()) / count, max(groups.values()))
    assert max(loads.values()) <= 4 / 3 * best


@pytest.mark.parametrize("text", ["0/40", "41/40", "3", "a/b", "3/0", "-1/4", "1/2/3", ""])
def test_a_shard_that_is_none_is_named(text):
    with pytest.raises(UsageError, match="shard"):
        parse_shard(text)


def test_shards_joined_are_what_one_machine_makes(around, whole, parts, tmp_path):
    done = merge_results(parts, tmp_path / "joined")
    cells = sorted((whole / "demo" / "cells").glob("*.parquet"))
    assert (done.suites, done.taken, done.damaged) == (["demo"], len(cells), []) and done.present > 0
    for path in cells:
        assert read_cell(path)[1].equals(read_cell(tmp_path / "joined" / "demo" / "cells" / path.name)[1])
    board = serbench.leaderboard(serbench.load_records(tmp_path / "joined", "demo"))
    one = serbench.leaderboard(serbench.load_records(whole, "demo"))
    columns = ["row", "uar", "uar_low", "uar_high", "folds_done", "folds_planned"]
    assert board[columns].equals(one[columns])
    again = merge_results(parts, tmp_path / "joined")
    assert again.taken == 0


@pytest.mark.parametrize("what", ["answers", "corpus", "version"])
def test_folders_that_contradict_each_other_are_refused_and_nothing_is_written(parts, tmp_path, what):
    other = shutil.copytree(parts[2], tmp_path / "other")
    path = next((other / "demo" / "cells").glob("*.parquet"))
    record, rows = read_cell(path)
    if what == "answers":
        rows["predicted"] = rows["truth"].iloc[::-1].to_numpy()
    elif what == "corpus":
        record = replace(record, corpus={**record.corpus, "fingerprint": "another"})
    else:
        packages = {**record.environment["packages"], "serbench": "0.0.1"}
        record = replace(record, environment={**record.environment, "packages": packages})
    write_cell(other / "demo", record, rows)
    with pytest.raises(ResultsError, match=r"differs|other answers") as error:
        merge_results([parts[0], parts[1], other], tmp_path / "joined")
    assert "demo" in str(error.value) and not (tmp_path / "joined").exists()


def test_a_damaged_cell_is_left_out_and_named(parts, tmp_path):
    other = shutil.copytree(parts[0], tmp_path / "other")
    path = next((other / "demo" / "cells").glob("*.parquet"))
    path.write_bytes(path.read_bytes()[:100])
    done = merge_results([other], tmp_path / "joined")
    assert done.damaged == [str(path)] and not cell_path(tmp_path / "joined" / "demo", path.stem).exists()
    assert read_record(next((tmp_path / "joined" / "demo" / "cells").glob("*.parquet"))).status == "ok"


def test_a_folder_without_results_is_named(tmp_path, parts):
    for folder in (tmp_path, tmp_path / "absent"):
        with pytest.raises(ResultsError, match="no results to merge"):
            merge_results([parts[0], folder], tmp_path / "joined")


def test_of_two_writers_the_first_stays(whole, tmp_path):
    path = next((whole / "demo" / "cells").glob("*.parquet"))
    record, rows = read_cell(path)
    assert write_cell(tmp_path, record, rows, keep=True) == cell_path(tmp_path, record.cell.id)
    assert write_cell(tmp_path, record, rows.iloc[:3], keep=True) is None
    assert len(read_cell(cell_path(tmp_path, record.cell.id))[1]) == len(rows)
    assert not list((tmp_path / "cells").glob(".*"))
