"""Run a suite in 40 shards in random order, several at once, some killed, some twice, and compare with one machine.

    python benchmarks/robustness/shards.py [--shards 40] [--kills 5] [--twice 5] [--table docs/reference/shards.md]

Every shard is a process with a scratch folder of its own, so that no lock reaches from one to another, as on the
hosts of a cluster; what they share is the results folder. A killed shard is given again later. What they leave must
equal what one process leaves: the same cells, predictions and leaderboard. Exit status 1 if anything differs.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import sys
import tempfile
import time
from pathlib import Path

from hostile.place import Place, make_corpus

import serbench
from serbench.circumstances import Circumstances
from serbench.records import read_cell

SUITE = """\
title: Tiny
corpora: [{name: tiny, adapter: folder, speaker: "/(s[0-9])_"}]
seeds: [0, 1, 2, 3, 4, 5, 6]
grid:
  - features: [mfcc, handcrafted]
    models: [majority, lda]
    protocols: [{name: speaker_kfold, params: {k: 3}}]
"""
SAME = ["row", "uar", "uar_low", "uar_high", "folds_done", "folds_planned"]


def carry_out(folder: str, results: str, own: str, shard: str | None) -> None:
    """Run a shard in this process."""
    place = Path(folder)
    folders = {"data": place / "data", "cache": place / "cache", "results": place / results, "scratch": place / own}
    around = Circumstances(**folders, jobs=1, executor="in_process")
    serbench.run(place / "tiny.yaml", around=around, shard=shard)


def in_shards(folder: Path, shards: int, kills: int, twice: int, chance: random.Random, at_once: int) -> dict[str, int]:
    """Give all shards to processes, `at_once` side by side; what happened, in counts."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["serbench.api", "serbench.runner.engine", "sklearn.discriminant_analysis"])
    waiting = [f"{number}/{shards}" for number in range(1, shards + 1)]
    waiting += chance.sample(waiting, twice)
    chance.shuffle(waiting)
    doomed = set(chance.sample(range(len(waiting)), kills))
    running: dict[str, tuple] = {}
    done = {"processes": 0, "killed": 0}
    while waiting or running:
        while waiting and len(running) < at_once:
            number, shard = done["processes"], waiting.pop(0)
            words = (str(folder), "shards", f"own{number}", shard)
            process = context.Process(target=carry_out, args=words)
            process.start()
            done["processes"] += 1
            end = time.monotonic() + chance.uniform(0.2, 2.0) if number in doomed else None
            running[f"{shard} {number}"] = (process, shard, end)
        for key, (process, shard, end) in list(running.items()):
            if end is not None and time.monotonic() > end:
                process.kill()
            process.join(0.02)
            if process.exitcode is None:
                continue
            del running[key]
            if process.exitcode != 0:
                done["killed"] += end is not None
                waiting.insert(chance.randint(0, len(waiting)), shard)
                if end is None:
                    raise RuntimeError(f"shard {shard} ended with {process.exitcode}")
    return done


def differences(results: Path, expected: Path) -> list[str]:
    """In what the two folders of results differ."""
    found = {path.name: path for path in (results / "tiny" / "cells").glob("*.parquet")}
    wanted = {path.name: path for path in (expected / "tiny" / "cells").glob("*.parquet")}
    told = [f"cell {name} is on one side only" for name in sorted(found.keys() ^ wanted.keys())]
    told += [
        f"cell {name} has other answers"
        for name in sorted(found.keys() & wanted.keys())
        if not read_cell(found[name])[1].equals(read_cell(wanted[name])[1])
    ]
    boards = [serbench.leaderboard(serbench.load_records(folder, "tiny"))[SAME] for folder in (results, expected)]
    return told + ([] if boards[0].equals(boards[1]) else ["the leaderboards differ"])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shards", type=int, default=40)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--twice", type=int, default=5, help="shards that are given to two processes")
    parser.add_argument("--at-once", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--table", type=Path, help="write the table as Markdown")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        place = Place(Path(name).resolve())
        place.write("tiny.yaml", SUITE)
        make_corpus(place.corpus)
        carry_out(str(place.folder), "whole", "own", None)
        began = time.perf_counter()
        done = in_shards(place.folder, given.shards, given.kills, given.twice, random.Random(given.seed), given.at_once)
        seconds = time.perf_counter() - began
        told = differences(place.folder / "shards", place.folder / "whole")
        cells = len(list((place.folder / "shards" / "tiny" / "cells").glob("*.parquet")))
        left = len(list((place.folder / "shards").rglob("*.tmp")))
    rows = {"shards": given.shards, **done, "cells": cells, "differences": len(told), "seconds": round(seconds)}
    rows["temporary files of the killed"] = left
    table = (
        "\n".join(f"| {key} | {value} |" for key, value in [("what", "count"), ("---", "---"), *rows.items()]) + "\n"
    )
    if given.table:
        title = "# Shards\n\nWritten by `python benchmarks/robustness/shards.py --table docs/reference/shards.md`.\n\n"
        given.table.write_text(title + table, encoding="utf-8")
    print(*told, table, sep="\n")
    return int(bool(told) or done["killed"] < given.kills)


if __name__ == "__main__":
    sys.exit(main())
