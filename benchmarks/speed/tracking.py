"""What tracking costs per cell: a suite of the size of `ravdess`, written into a fresh SQLite store.

Run: python benchmarks/speed/tracking.py
"""

from __future__ import annotations

import importlib
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from serbench.records import Cell, Record, make_predictions, write_cell
from serbench.tracking.mirror import mirror
from serbench.tracking.store import open_client, tracking_uri

ROWS, FOLDS, UTTERANCES, EPOCHS = 12, 6, 240, 40
LABELS = ["neutral", "calm", "happy", "sad", "angry", "fearful", "disgust", "surprised"]
REACH = 40.0


def main() -> None:
    with tempfile.TemporaryDirectory() as temporary:
        results = Path(temporary)
        _write_suite(results / "made_up")
        uri = tracking_uri(None, results)
        start = time.perf_counter()
        open_client(uri).search_experiments()
        importlib.import_module("matplotlib.figure")
        importlib.import_module("matplotlib.backends.backend_agg")
        opened = time.perf_counter()
        client = open_client(uri)
        naive = _one_call_per_item(client)
        before, cpu = time.perf_counter(), time.process_time()
        done = mirror(results, "made_up", uri)
        wall, spent = time.perf_counter() - before, time.process_time() - cpu
        again = time.perf_counter()
        mirror(results, "made_up", uri)
        again = time.perf_counter() - again
    cells = done.folds
    per_cell = 1000 * wall / cells
    print(f"imports and a fresh store, once: {opened - start:.1f} s")
    print(f"{done.rows} rows of {FOLDS} folds, half of them with {EPOCHS} epochs: {cells} cells in {wall:.1f} s")
    print(f"per cell, rows and artifacts included: {per_cell:.1f} ms wall, {1000 * spent / cells:.1f} ms of CPU")
    print(f"of what may be spent ({REACH:.0f} ms): {per_cell / REACH:.2f}")
    print(f"one call per metric instead of one batch, the metrics of one cell: {naive:.1f}x")
    print(f"mirroring again, nothing new: {1000 * again / cells:.1f} ms per cell")


def _write_suite(folder: Path) -> None:
    generator = np.random.default_rng(0)
    for row in range(ROWS):
        for fold in range(FOLDS):
            speakers = 4 * fold + np.arange(UTTERANCES) % 4
            table = pd.DataFrame(
                {
                    "corpus": "made_up",
                    "utterance": [f"{fold}-{number}" for number in range(UTTERANCES)],
                    "speaker": [f"made_up/{speaker}" for speaker in speakers],
                    "label": [LABELS[number % len(LABELS)] for number in range(UTTERANCES)],
                }
            ).assign(gender="", text="", intensity="")
            cell = Cell(
                corpus="made_up",
                labels={"name": "native", "labels": LABELS, "map": {}},
                features=({"name": "handcrafted", "version": "1", "params": {}},),
                model={"name": f"model_{row}", "version": "1", "params": {}},
                protocol={"name": "official", "version": "1", "params": {}},
                fold=str(fold + 1),
            )
            curves = {name: list(generator.random(EPOCHS)) for name in ("loss", "uar", "val_loss", "val_uar")}
            record = Record(
                cell,
                "ok",
                params={f"parameter_{number}": number for number in range(10)},
                seconds={"features": 0.1, "fit": 1.0, "predict": 0.1},
                sizes={"train": 1200, "test": UTTERANCES, "dimensions": 400},
                audit={"verdict": "speaker-independent", "speaker_independent": True},
                corpus={"fingerprint": "f", "version": "1", "used": 1440, "design": 1440},
                history=curves if row % 2 else {},
                created="2026-01-02T03:04:05+00:00",
            )
            probabilities = generator.dirichlet(np.ones(len(LABELS)), UTTERANCES)
            write_cell(folder, record, make_predictions(table, LABELS, probabilities))


def _one_call_per_item(client) -> float:
    from mlflow.entities import Metric

    experiment = client.create_experiment("naive")
    names = [f"metric_{number}" for number in range(20)]
    run = client.create_run(experiment).info.run_id
    start = time.perf_counter()
    for name in names:
        client.log_metric(run, name, 0.5)
    single = time.perf_counter() - start
    run = client.create_run(experiment).info.run_id
    start = time.perf_counter()
    client.log_batch(run, [Metric(name, 0.5, 0, 0) for name in names])
    return single / (time.perf_counter() - start)


if __name__ == "__main__":
    main()
