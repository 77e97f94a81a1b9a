"""One machine at n, 2n and 4n generated utterances: what every step takes, and the memory of parent and worker.

    python benchmarks/scale/corpus.py [--utterances 25000] [--folder DIR] [--table docs/reference/scale.md]

The corpus is a manifest over generated speech: half a second of a voiced sound at 16 kHz that depends on speaker and
emotion, with noise; 200 speakers, 4 emotions. Figures are processor seconds, which hold on a busy machine, too, and the
most resident memory that a process has had, mapped files included. Four processes follow each other: one scans the
corpus; one plans again, extracts, reads the store (where it first joins what extraction wrote in parts) and runs one
fold in five of each model, with 4/5 of the corpus to train on; one is a worker that is handed the cell of lda; one
reports. The folder is removed afterwards.
"""

from __future__ import annotations

import argparse
import json
import pickle
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import soundfile
from table import show

import serbench
from serbench.api import plan_run
from serbench.circumstances import Circumstances
from serbench.registry import Registry
from serbench.runner.cell.execute import run_cell
from serbench.runner.cell.inputs import _matrix, read_matrix
from serbench.runner.engine import cell_jobs, extract_plan, run_plan
from serbench.runner.planning.audits import Audits
from serbench.runner.planning.cells import Plan
from serbench.runner.planning.plan_files import write_task_table
from serbench.tracking.mirror import mirror

MODELS = ("majority", "lda", "logistic_regression", "svm(max_train=5000)", "knn(max_train=5000)")
SUITE = f"""\
title: Size
corpora: [{{name: made, adapter: manifest}}]
grid:
  - features: [mfcc]
    models: {json.dumps(MODELS)}
    protocols: [{{name: speaker_kfold, params: {{k: 5}}}}]
"""
RATE, SECONDS, SPEAKERS, LABELS = 16_000, 0.5, 200, ("angry", "happy", "neutral", "sad")
Laps = dict[str, float]


def write_corpus(folder: Path, count: int) -> None:
    """Generated speech, 1000 files a folder, and the manifest that lists it."""
    random, times = np.random.default_rng(0), np.arange(int(RATE * SECONDS)) / RATE
    voices = {}
    for speaker in range(SPEAKERS):
        for code in range(len(LABELS)):
            pitch = (90 + speaker % 100) * (1 + 0.15 * code)
            partials = np.arange(1, 20)[:, None]
            formant = np.exp(-(((partials * pitch - 500 - 200 * code) / 700) ** 2)) + 0.1 / partials
            phases = random.uniform(0, 2 * np.pi, (19, 1))
            voices[speaker, code] = 0.05 * (formant * np.sin(2 * np.pi * partials * pitch * times + phases)).sum(0)
    rows = []
    for number in range(count):
        speaker, code = number % SPEAKERS, number // SPEAKERS % len(LABELS)
        noise = random.normal(0, random.uniform(0.005, 0.1), len(times))
        # A pitch of its own: copies of one sound would be found, and compared one with another.
        bent = times * random.uniform(0.9, 1.1) + 0.004 * np.sin(2 * np.pi * random.uniform(2, 6) * times)
        sound = np.interp(bent, times, voices[speaker, code], period=SECONDS)
        name = f"{number // 1000:04d}/{number:07d}.wav"
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(folder / name, sound + noise, RATE)
        rows.append((name, LABELS[code], f"s{speaker:03d}"))
    pd.DataFrame(rows, columns=["path", "label", "speaker"]).to_csv(folder / "manifest.csv", index=False)


def timed(laps: Laps, name: str, work: Callable[[], Any]) -> Any:
    """Do some work and note the processor seconds that it takes."""
    began = time.process_time()
    done = work()
    laps[f"{name}, s"] = time.process_time() - began
    return done


def peak() -> float:
    """The most resident memory of this process so far, MB; `getrusage` would count what it was started from, too."""
    found = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
    return int(found[1]) / 1024


def step(name: str, place: Path) -> Laps:
    """The steps of one process."""
    laps: Laps = {}
    folders = {"data": place / "data", "cache": place / "cache", "results": place / "results"}
    around = Circumstances(**folders, jobs=1, executor="in_process")

    def planned() -> tuple[Plan, Registry]:
        return plan_run(place / "size.yaml", around, filters={"fold": ["1"]})

    if name == "scan":
        timed(laps, "scan, hash, check, split", planned)
        laps["peak of scanning, MB"] = peak()
    elif name == "train":
        plan, registry = timed(laps, "plan again", planned)
        timed(laps, "extract mfcc", lambda: extract_plan(plan, registry, around))
        laps["peak of extracting, MB"] = peak()
        file = write_task_table(plan, plan.tasks[0])
        for lap in ("store: join the parts", "store: map the matrix"):
            timed(laps, lap, lambda: read_matrix(file, plan.cells[0].cell, around))
            _matrix.cache_clear()
        lda = next(item for item in plan.cells if item.cell.model_name == "lda")
        timed(laps, "audit, with near duplicates", lambda: Audits(around.cache).of(lda))
        laps["peak of auditing, MB"] = peak()
        (job,) = cell_jobs(replace(plan, shard=frozenset([lda.cell.id])), registry, around)
        (place / "job.pickle").write_bytes(pickle.dumps(job))
        for item in plan.cells:
            mine = replace(plan, shard=frozenset([item.cell.id]), force=True)
            lap = f"one cell of {item.cell.model_name}"
            timed(laps, lap, lambda mine=mine: refuse_failures(run_plan(mine, registry, around)))
        laps["peak of planning and running, MB"] = peak()
    elif name == "worker":
        run_cell(replace(pickle.loads((place / "job.pickle").read_bytes()), force=True))
        laps["peak of a worker with lda, MB"] = peak()
    else:
        timed(laps, "leaderboard", lambda: serbench.leaderboard(serbench.load_records(around.results, "size")))
        timed(laps, "report", lambda: write_report(around.results))
        timed(laps, "tracking", lambda: mirror(around.results, "size", f"sqlite:///{place / 'mlflow.db'}"))
        laps["peak of reporting, MB"] = peak()
    return laps


def refuse_failures(outcome: Any) -> None:
    """A figure of a failed cell would be none."""
    if outcome.failed or not outcome.ran:
        raise RuntimeError(f"{outcome.failed} of {outcome.ran} cells failed")


def write_report(results: Path) -> None:
    """Tables and figures of the suite."""
    from serbench.cli.main import main

    sys.argv = ["serbench", "report", "size", "--results", str(results)]
    try:
        main()
    except SystemExit as ended:
        if ended.code:
            raise RuntimeError(f"the report ended with {ended.code}") from ended


STEPS = ("scan", "train", "worker", "report")


def measure(place: Path, count: int) -> Laps:
    """All steps at one size."""
    write_corpus(place / "data" / "made", count)
    (place / "size.yaml").write_text(SUITE, encoding="utf-8")
    found: Laps = {}
    for name in STEPS:
        command = [sys.executable, __file__, "--step", name, "--folder", str(place)]
        began = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{name}: {done.stderr[-2000:]}")
        found |= json.loads(done.stdout.splitlines()[-1])
        print(f"{count} {name}: {time.perf_counter() - began:.0f} s of the clock; {found}", file=sys.stderr, flush=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--utterances", type=int, default=25_000, help="n; 2n and 4n follow")
    parser.add_argument("--folder", type=Path, help="a folder that is there, to work in [a temporary one]")
    parser.add_argument("--table", type=Path, help="write the table as Markdown")
    parser.add_argument("--step", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.step:
        print(json.dumps(step(given.step, given.folder)))
        return
    sizes = [factor * given.utterances for factor in (1, 2, 4)]
    columns = []
    for count in sizes:
        with tempfile.TemporaryDirectory(dir=given.folder) as name:
            columns.append(measure(Path(name).resolve(), count))
    rows = [
        [name, *(f"{found[name]:,.0f}" if "MB" in name else f"{found[name]:,.1f}" for found in columns)]
        for name in columns[0]
    ]
    command = f"benchmarks/scale/corpus.py --utterances {given.utterances} --table docs/reference/scale.md"
    show(["step", *(f"{count:,}" for count in sizes)], rows, given.table, "What size costs", command)


if __name__ == "__main__":
    main()
