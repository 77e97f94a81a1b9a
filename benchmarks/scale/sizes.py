"""What utterances and cells cost: one machine at n, 2n and 4n generated utterances, and at c, 2c, 4c cells.

    python benchmarks/scale/sizes.py [--utterances 1000] [--cells 250] [--table FILE]

Every size is a process of its own with one worker within it (`in_process`), so that processor seconds and peak memory
are those of the work; processor seconds hold on a busy machine, too. `plan` scans and hashes the corpus, checks it, and
cuts the folds; `features` extracts mfcc (0.25 s an utterance); `run` reads the store, fits, predicts and writes the
records; `board` reads these and makes the leaderboard.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

import serbench
from serbench.api import plan_run
from serbench.circumstances import Circumstances
from serbench.runner.engine import extract_plan, run_plan

SUITE = """\
title: Size
corpora: [{{name: made, adapter: folder, speaker: "/(s[0-9]+)_"}}]
seeds: {seeds}
grid:
  - features: [mfcc]
    models: {models}
    protocols: [{{name: speaker_kfold, params: {{k: 5}}}}]
"""
RATE, SPEAKERS, LABELS = 16_000, 20, ("angry", "happy", "neutral", "sad")
STAGES = ("plan", "features", "run", "board")
COLUMNS = ("utterances", "cells", *(f"{stage}, s" for stage in STAGES), "ms a cell", "peak, MB")


def write_corpus(folder: Path, count: int) -> None:
    """Noise of 0.25 s, a folder a label."""
    noise = np.random.default_rng(0)
    for label in LABELS:
        (folder / label).mkdir(parents=True)
    for number in range(count):
        speaker, label = number % SPEAKERS, LABELS[number // SPEAKERS % len(LABELS)]
        path = folder / label / f"s{speaker}_{number}.wav"
        soundfile.write(path, noise.normal(0, 0.1, RATE // 4).astype(np.float32), RATE)


def measure(count: int, seeds: int, models: str) -> dict[str, float]:
    """One size, in this process."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name).resolve()
        write_corpus(place / "data" / "made", count)
        suite = place / "size.yaml"
        suite.write_text(SUITE.format(seeds=list(range(seeds)), models=models), encoding="utf-8")
        folders = {"data": place / "data", "cache": place / "cache", "results": place / "results"}
        around = Circumstances(**folders, jobs=1, executor="in_process")
        laps = [time.process_time()]
        plan, registry = plan_run(suite, around)
        laps.append(time.process_time())
        extract_plan(plan, registry, around)
        laps.append(time.process_time())
        outcome = run_plan(plan, registry, around)
        laps.append(time.process_time())
        serbench.leaderboard(serbench.load_records(around.results, "size"))
        laps.append(time.process_time())
    if outcome.failed or outcome.ran != len(plan.cells):
        raise RuntimeError(f"{outcome.failed} of {len(plan.cells)} cells failed")
    seconds = dict(zip(STAGES, np.diff(laps).tolist(), strict=True))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"utterances": count, "cells": len(plan.cells), **seconds, "peak": peak}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--utterances", type=int, default=1000, help="n; with 10 cells of majority and lda")
    parser.add_argument("--cells", type=int, default=250, help="c; of majority, on 400 utterances")
    parser.add_argument("--one", nargs=3, metavar=("N", "SEEDS", "MODELS"), help=argparse.SUPPRESS)
    parser.add_argument("--table", type=Path, help="write the table as Markdown")
    given = parser.parse_args()
    if given.one:
        print(json.dumps(measure(int(given.one[0]), int(given.one[1]), given.one[2])))
        return
    sizes = [(factor * given.utterances, 1, "[majority, lda]") for factor in (1, 2, 4)]
    sizes += [(400, factor * given.cells // 5, "[majority]") for factor in (1, 2, 4)]
    lines = [f"| {' | '.join(COLUMNS)} |", "|" + "---:|" * len(COLUMNS)]
    for size in sizes:
        command = [sys.executable, __file__, "--one", *map(str, size)]
        found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        laps = [f"{found[stage]:.1f}" for stage in STAGES]
        each = f"{1000 * found['run'] / found['cells']:.0f}"
        words = [str(found["utterances"]), str(found["cells"]), *laps, each, f"{found['peak']:.0f}"]
        lines.append(f"| {' | '.join(words)} |")
        print(lines[-1], flush=True)
    if given.table:
        given.table.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
