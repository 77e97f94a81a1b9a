"""What cells cost, besides their fits: planning, running, and a leaderboard of c, 2c and 4c cells of majority and lda.

    python benchmarks/scale/cells.py [--cells 2500] [--folder DIR] [--table docs/reference/cells.md]

400 generated utterances of 0.25 s, mfcc, five folds, ten seeds; the rows are majority and lda with one shrinkage after
the other. Every size is a process of its own with one worker within it (`in_process`). Figures are processor seconds,
which hold on a busy machine, too. `plan` opens the corpus and cuts the folds; `run` reads the store, fits, predicts and
writes the records; `plan again` reads what is done; `board` opens each record, `board again` reads them through the
file that the first one has left.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from table import show

import serbench
from serbench.api import plan_run
from serbench.circumstances import Circumstances
from serbench.runner.engine import extract_plan, run_plan

SUITE = """\
title: Size
corpora: [{{name: made, adapter: folder, speaker: "/(s[0-9]+)_"}}]
seeds: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
grid:
  - features: [mfcc]
    models: {models}
    protocols: [{{name: speaker_kfold, params: {{k: 5}}}}]
"""
CELLS_OF_A_ROW = 50
RATE, UTTERANCES, SPEAKERS, LABELS = 16_000, 400, 20, ("angry", "happy", "neutral", "sad")
STAGES = ("plan", "run", "plan again", "board", "board again")


def write_corpus(folder: Path, count: int) -> None:
    """Noise of 0.25 s, a folder a label."""
    noise = np.random.default_rng(0)
    for label in LABELS:
        (folder / label).mkdir(parents=True)
    for number in range(count):
        speaker, label = number % SPEAKERS, LABELS[number // SPEAKERS % len(LABELS)]
        path = folder / label / f"s{speaker}_{number}.wav"
        soundfile.write(path, noise.normal(0, 0.1, RATE // 4).astype(np.float32), RATE)


def measure(cells: int, place: Path) -> dict[str, float]:
    """One size, in this process."""
    write_corpus(place / "data" / "made", UTTERANCES)
    rows = max(2, cells // CELLS_OF_A_ROW)
    models = json.dumps(["majority", *(f"lda(shrinkage={(row + 1) / 10_000})" for row in range(rows - 1))])
    suite = place / "size.yaml"
    suite.write_text(SUITE.format(models=models), encoding="utf-8")
    folders = {"data": place / "data", "cache": place / "cache", "results": place / "results"}
    around = Circumstances(**folders, jobs=1, executor="in_process")
    found: dict[str, float] = {}

    def timed(stage: str, work: Callable[[], Any]) -> Any:
        began = time.process_time()
        done = work()
        found[stage] = time.process_time() - began
        return done

    def board() -> None:
        serbench.leaderboard(serbench.load_records(around.results, "size"))

    plan, registry = timed("plan", lambda: plan_run(suite, around))
    extract_plan(plan, registry, around)
    outcome = timed("run", lambda: run_plan(plan, registry, around))
    if outcome.failed or outcome.ran != len(plan.cells):
        raise RuntimeError(f"{outcome.failed} of {len(plan.cells)} cells failed")
    timed("plan again", lambda: plan_run(suite, around))
    timed("board", board)
    timed("board again", board)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"cells": len(plan.cells), "rows": rows, **found, "peak": peak}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=int, default=2500, help="c; 2c and 4c follow")
    parser.add_argument("--folder", type=Path, help="a folder that is there, to work in [a temporary one]")
    parser.add_argument("--table", type=Path, help="write the table as Markdown")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        with tempfile.TemporaryDirectory(dir=given.folder) as name:
            print(json.dumps(measure(given.one, Path(name).resolve())))
        return
    columns = ("cells", "rows", *(f"{stage}, s" for stage in STAGES), "ms a cell of the run", "peak, MB")
    rows: list[list[str]] = []
    for factor in (1, 2, 4):
        words = ["--one", str(factor * given.cells)]
        words += ["--folder", str(given.folder)] if given.folder else []
        done = subprocess.run([sys.executable, __file__, *words], capture_output=True, text=True, check=True)
        found = json.loads(done.stdout.splitlines()[-1])
        each = f"{1000 * found['run'] / found['cells']:.0f}"
        seconds = [f"{found[stage]:.1f}" for stage in STAGES]
        rows.append([str(found["cells"]), str(found["rows"]), *seconds, each, f"{found['peak']:.0f}"])
        print(*rows[-1], file=sys.stderr, flush=True)
    command = f"benchmarks/scale/cells.py --cells {given.cells} --table docs/reference/cells.md"
    show(columns, rows, given.table, "What cells cost", command)


if __name__ == "__main__":
    main()
