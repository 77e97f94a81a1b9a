"""How long a leaderboard takes from 300 cells, and how small the frozen file is.

Run: python benchmarks/speed/leaderboard.py
"""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from serbench.records import Cell, Record, make_predictions, write_cell
from serbench.reporting.frozen import freeze, frozen_path
from serbench.reporting.leaderboard import leaderboard
from serbench.reporting.loading import load_records

LABELS = ["neutral", "calm", "happy", "sad", "angry", "fearful", "disgust", "surprised"]
MODELS, FOLDS, SPEAKERS, UTTERANCES = 50, 6, 24, 1440


def main() -> None:
    with tempfile.TemporaryDirectory() as temporary:
        results = Path(temporary)
        write_cells(results / "suite")
        _report("from cells", results)
        size = freeze(results / "suite")["bytes"]
        clone = results / "clone"
        (clone / "suite").mkdir(parents=True)
        shutil.copy(frozen_path(results / "suite"), clone / "suite")
        _report("from the frozen file", clone)
        print(f"frozen file: {size / 1e6:.2f} MB for {MODELS * FOLDS} cells, {MODELS * UTTERANCES} predictions")


def write_cells(folder: Path, models: int = MODELS) -> None:
    """Write the cells of a made-up suite: as many rows as models, six folds each."""
    generator = np.random.default_rng(0)
    number = np.arange(UTTERANCES)
    table = pd.DataFrame(
        {
            "corpus": "made_up",
            "utterance": [f"03-01-{item:06d}" for item in number],
            "speaker": [f"made_up/{item % SPEAKERS:02d}" for item in number],
            "gender": np.where(number % 2, "m", "f"),
            "text": np.where(number % 3, "kids", "dogs"),
            "intensity": "normal",
            "label": [LABELS[item // SPEAKERS % len(LABELS)] for item in number],
        }
    )
    truth = np.array([LABELS.index(label) for label in table["label"]])
    for model in range(models):
        for fold in range(FOLDS):
            inside = number % SPEAKERS % FOLDS == fold
            logits = generator.normal(size=(inside.sum(), len(LABELS)))
            logits[np.arange(inside.sum()), truth[inside]] += 1 + model / models
            probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
            write_cell(folder, Record(_cell(model, fold), "ok"), make_predictions(table[inside], LABELS, probabilities))


def _cell(model: int, fold: int) -> Cell:
    return Cell(
        corpus="made_up",
        labels={"name": "native", "labels": LABELS, "map": {"made_up": {label: label for label in LABELS}}},
        features=({"name": "mfcc", "version": "1", "params": {}},),
        model={"name": f"model{model}", "version": "1", "params": {}},
        protocol={"name": "official", "version": "1", "params": {}},
        fold=str(fold),
    )


def _report(title: str, results: Path) -> None:
    start = time.perf_counter()
    records = load_records(results, "suite")
    loaded = time.perf_counter()
    rows = leaderboard(records)
    done = time.perf_counter()
    read, ranked = loaded - start, done - loaded
    print(f"{title}: read {len(records)} cells in {read:.2f} s, ranked {len(rows)} rows in {ranked:.2f} s")


if __name__ == "__main__":
    main()
