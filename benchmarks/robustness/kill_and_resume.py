"""Kill a run with SIGKILL at random moments, resume it, and compare with an undisturbed run.

    python benchmarks/robustness/kill_and_resume.py --kills 10

Three victims: the parent alone (its workers must follow within seconds), one worker, the whole process group.
Each time the run is repeated until it ends by itself, and leaderboard and predictions must equal those of the
undisturbed run. Exits with status 1 at the first difference.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
import psutil

VICTIMS = ("parent", "worker", "group")
SECONDS_TO_FOLLOW = 5.0
VARYING = {"fit_seconds", "predict_seconds", "seconds", "created"}


def command(arguments: argparse.Namespace, results: Path) -> list[str]:
    filters = [word for model in arguments.model for word in ("--model", model)]
    where = ["--results", str(results), "--cache", str(arguments.cache), "--jobs", "2"]
    return [sys.executable, "-m", "serbench", "run", arguments.suite, *filters, *where, *arguments.more]


def start(arguments: argparse.Namespace, results: Path) -> subprocess.Popen:
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen(command(arguments, results), start_new_session=True, **quiet)


def workers_of(process: subprocess.Popen) -> list[psutil.Process]:
    try:
        children = psutil.Process(process.pid).children(recursive=True)
        return [child for child in children if "spawn_main" in " ".join(child.cmdline())]
    except psutil.NoSuchProcess:
        return []


def kill(process: subprocess.Popen, victim: str, chance: random.Random) -> str:
    """Kill and return what went wrong, if anything."""
    workers = workers_of(process)
    if victim == "worker":
        if workers:
            chance.choice(workers).kill()
        process.wait()
        return ""
    if victim == "group":
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()
    _, alive = psutil.wait_procs(workers, timeout=SECONDS_TO_FOLLOW)
    for worker in alive:
        worker.kill()
    return f"{len(alive)} workers outlived the parent by {SECONDS_TO_FOLLOW} s" if alive else ""


def outcome(results: Path) -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
    # The tracking store keeps a folder of its own beside the suite's.
    (table,) = results.glob("*/leaderboard.csv")
    board = pd.read_csv(table)
    cells = {path.name: pd.read_parquet(path) for path in sorted((table.parent / "cells").glob("*.parquet"))}
    return board.drop(columns=[name for name in board if name in VARYING]), cells


def difference(found, expected) -> str:
    if not found[0].equals(expected[0]):
        return "the leaderboards differ"
    if found[1].keys() != expected[1].keys():
        return "the cells differ"
    changed = [name for name, frame in expected[1].items() if not found[1][name].equals(frame)]
    return f"predictions differ in {changed}" if changed else ""


def trial(arguments: argparse.Namespace, victim: str, longest: float, expected, chance: random.Random) -> str:
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder)
        process = start(arguments, results)
        time.sleep(chance.uniform(0.3, longest))
        if problem := kill(process, victim, chance):
            return problem
        resumed = subprocess.run(command(arguments, results), capture_output=True, text=True)
        if resumed.returncode:
            return f"the resumed run ended with status {resumed.returncode}: {resumed.stderr[-500:]}"
        return difference(outcome(results), expected)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--suite", default="demo")
    parser.add_argument("--model", nargs="+", default=["knn", "random_forest", "lda", "svm"])
    parser.add_argument("--kills", type=int, default=10, help="random moments for each kind of victim")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cache", type=Path, default=None)
    parser.add_argument("more", nargs="*", help="further words for `serbench run`, after --")
    arguments = parser.parse_args()
    chance = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory() as folder:
        arguments.cache = arguments.cache or Path(folder) / "cache"
        begun = time.perf_counter()
        subprocess.run(command(arguments, Path(folder) / "first"), check=True, capture_output=True)
        begun, first = time.perf_counter(), Path(folder) / "undisturbed"
        subprocess.run(command(arguments, first), check=True, capture_output=True)
        longest = time.perf_counter() - begun
        expected = outcome(first)
        print(f"undisturbed: {len(expected[1])} cells in {longest:.1f} s", flush=True)
        for victim in VICTIMS:
            for number in range(arguments.kills):
                problem = trial(arguments, victim, longest, expected, chance)
                if problem:
                    print(f"{victim}, kill {number + 1}: {problem}")
                    return 1
            print(
                f"{victim}: {arguments.kills} kills, each resumed to the same leaderboard and predictions", flush=True
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
