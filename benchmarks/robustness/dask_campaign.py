"""Kill Dask workers and the scheduler with SIGKILL while a suite runs on them, and compare with no kill at all.

    python benchmarks/robustness/dask_campaign.py [--workers 2] [--worker-kills 20] [--scheduler-kills 3]

A scheduler and its workers are started as on a cluster, with real processes. A worker is killed while it trains; the
cell must be run again by another one. A killed scheduler ends the command by name; it is started anew and the same
command given again. In the end every cell must be there with the answers of `--executor local`, and no cell may have
been trained more often than once and once for each kill that met it. Exit status 1 otherwise.
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
from contextlib import suppress
from pathlib import Path

from hostile.place import MODEL, Place, make_corpus

from serbench.records import read_cell

SUITE = """\
title: Tiny
corpora: [{name: tiny, adapter: folder, speaker: "/(s[0-9])_"}]
seeds: [%s]
grid:
  - features: [mfcc]
    models: [slow]
    protocols: [{name: speaker_kfold, params: {k: 3}}]
"""
SLOW = """
NOTED = __import__("pathlib").Path(__file__).with_name("fits")

class Slow(Prior):
    def fit(self, X, y):
        import time
        NOTED.open("a").write(f"{os.getpid()}\\n")
        time.sleep(0.5)
        return super().fit(X, y)

SLOW = ModelSpec(name="slow", accepts="vector", build=lambda params, n_classes, seed: Slow())
"""
PATIENCE = 900.0


class Cluster:
    """A scheduler and workers as a user starts them."""

    def __init__(self, place: Place, workers: int):
        self.place, self.workers = place, workers
        self.file = place.folder / "scheduler.json"
        self.started: list[subprocess.Popen] = []

    def start(self) -> None:
        """Start all, and wait until the scheduler can be asked."""
        self.file.unlink(missing_ok=True)
        common = ["--host", "127.0.0.1", "--no-dashboard", "--scheduler-file", str(self.file)]
        self.started = [self._process("scheduler", *common, "--port", "0")]
        self.started += [self._process("worker", *common, "--nthreads", "1") for _ in range(self.workers)]
        while not self.file.exists():
            time.sleep(0.1)

    @property
    def address(self) -> str:
        """Of the scheduler."""
        import json

        return json.loads(self.file.read_text())["address"]

    def kill_scheduler(self) -> None:
        """Kill the scheduler; its workers end by themselves, or are ended."""
        self.started[0].kill()
        self.stop()

    def stop(self) -> None:
        """End all."""
        for process in reversed(self.started):
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _process(self, *words: str) -> subprocess.Popen:
        log = (self.place.folder / "cluster.log").open("a")
        command = [sys.executable, "-m", "dask", *words]
        folder = {"cwd": self.place.folder, "start_new_session": True}
        return subprocess.Popen(command, stdout=log, stderr=log, **folder)


def fits(place: Place) -> list[int]:
    """Process of every fit that was begun."""
    noted = place.folder / "fits"
    return [int(line) for line in noted.read_text().split()] if noted.exists() else []


def disturbed(place: Place, workers: int, worker_kills: int, scheduler_kills: int, chance: random.Random) -> dict:
    """Run the suite to its end, killing; what happened, in counts."""
    cluster, done = Cluster(place, workers), {"worker kills": 0, "scheduler kills": 0, "commands": 0}
    end, killed, status = time.monotonic() + PATIENCE, set(), None
    while status != 0 and time.monotonic() < end:
        cluster.start()
        try:
            scheduler = ["--executor", "dask", "--scheduler", cluster.address]
            process = place.start(
                "-m", "serbench", "run", "tiny.yaml", "--no-tracking", "--plugin", "plug.py", *scheduler
            )
            done["commands"] += 1
            seen, due = len(fits(place)), chance.randint(4, 8)
            here = 0
            while process.poll() is None and time.monotonic() < end:
                time.sleep(0.05)
                alive = [pid for pid in fits(place)[seen:][-workers:] if pid not in killed]
                if not alive:
                    continue
                if done["scheduler kills"] < scheduler_kills and here >= due:
                    cluster.kill_scheduler()
                    done["scheduler kills"] += 1
                    break
                if done["worker kills"] < worker_kills:
                    time.sleep(chance.uniform(0.0, 0.4))
                    victim = chance.choice(alive)
                    with suppress(ProcessLookupError):
                        os.kill(victim, signal.SIGKILL)
                        done["worker kills"] += 1
                        here += 1
                    killed.add(victim)
            answer = place.wait(process, within=120)
            status = answer.status
            print(f"command {done['commands']}: status {status}, {done}; {answer.err.strip()[-160:]!r}", flush=True)
        finally:
            cluster.stop()
    return done


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--worker-kills", type=int, default=20)
    parser.add_argument("--scheduler-kills", type=int, default=3)
    parser.add_argument("--seeds", type=int, default=20, help="three cells each")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--table", type=Path, help="write the table as Markdown")
    given = parser.parse_args()
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as name:
        place = Place(Path(name).resolve(), limit=600)
        place.write("tiny.yaml", SUITE % ", ".join(map(str, range(given.seeds))))
        place.write("plug.py", MODEL + SLOW)
        make_corpus(place.corpus)
        done = disturbed(place, given.workers, given.worker_kills, given.scheduler_kills, random.Random(given.seed))
        trained = len(fits(place))
        found = {path.name: read_cell(path)[1] for path in place.cells}
        (place.folder / "results").rename(place.folder / "disturbed")
        answer = place.run("--plugin", "plug.py")
        expected = {path.name: read_cell(path)[1] for path in place.cells}
    differ = sum(not (name in found and found[name].equals(rows)) for name, rows in expected.items())
    kills = done["worker kills"] + given.workers * done["scheduler kills"]
    rows = {"cells": len(expected), **done, "fits begun": trained, "cells that differ from local": differ}
    rows["seconds"] = round(time.perf_counter() - began)
    table = (
        "\n".join(f"| {key} | {value} |" for key, value in [("what", "count"), ("---", "---"), *rows.items()]) + "\n"
    )
    if given.table:
        words = "--table docs/reference/dask_kills.md"
        title = f"# Kills on Dask\n\nWritten by `python benchmarks/robustness/dask_campaign.py {words}`.\n\n"
        given.table.write_text(title + table, encoding="utf-8")
    print(table)
    enough = (done["worker kills"], done["scheduler kills"]) >= (given.worker_kills, given.scheduler_kills)
    return int(answer.status != 0 or bool(differ) or trained > len(expected) + kills or not enough)


if __name__ == "__main__":
    sys.exit(main())
