"""A suite with known predictions, and an empty tracking store that is made once and copied."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from serbench.records import Cell, Record, empty_predictions, make_predictions, write_cell

LABELS = ["angry", "happy", "sad/low"]
HISTORY = {"loss": [1.0, 0.5, 0.25], "val_uar": [0.4, 0.6, 0.5]}


def make_cell(model: str, protocol: str, fold: int, **fields) -> Cell:
    return Cell(
        corpus="toy",
        labels={"name": "native", "labels": LABELS, "map": {"toy": {label: label for label in LABELS}}},
        features=({"name": "mfcc", "version": "1", "params": {}},),
        model={"name": model, "version": "1", "params": {}},
        protocol={"name": protocol, "version": "1", "params": {}},
        fold=str(fold),
        **fields,
    )


def save_cell(folder: Path, cell: Cell, *, skill: float = 1.0, status: str = "ok", **fields) -> Record:
    """Write a cell of 36 utterances by 12 speakers."""
    generator = np.random.default_rng([int(cell.fold), len(cell.model["name"])])
    table = pd.DataFrame(
        {
            "corpus": "toy",
            "utterance": [f"{cell.fold}-{number}" for number in range(36)],
            "speaker": [f"toy/{number % 12}" for number in range(36)],
            "label": [LABELS[number % 3] for number in range(36)],
            "gender": "",
            "text": "",
            "intensity": "",
        }
    )
    logits = generator.normal(size=(36, 3)) + skill * np.eye(3)[np.arange(36) % 3]
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    independent = cell.protocol["name"] == "official"
    defaults = {
        "params": {"C": 10.0, "kernel": "rbf"},
        "seconds": {"fit": 2.0, "predict": 0.5},
        "sizes": {"train": 72, "test": 36, "dimensions": 5},
        "audit": {
            "verdict": "speaker-independent" if independent else "leaky: speakers shared",
            "speaker_independent": independent,
            "leaks": [] if independent else [{"kind": "speakers shared", "count": 3, "examples": []}],
        },
        "corpus": {"fingerprint": "cafe", "version": "3", "used": 108, "design": 110, "notes": []},
        "environment": {"git_revision": "abc123", "packages": {"serbench": "0.1.0"}},
        "history": HISTORY if cell.model["name"] == "cnn" else {},
        "created": "2026-01-02T03:04:05+00:00",
    }
    record = Record(cell, status, **(defaults | fields))
    rows = make_predictions(table, LABELS, probabilities) if status == "ok" else empty_predictions()
    write_cell(folder, record, rows)
    return record


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Suite `toy`: models svm and cnn under two protocols, three folds each, all done."""
    folder = tmp_path / "results" / "toy"
    cells = [
        make_cell(model, protocol, fold)
        for model in ("svm", "cnn")
        for protocol in ("official", "stratified_kfold")
        for fold in (1, 2, 3)
    ]
    for cell in cells:
        save_cell(folder, cell, skill=2.0 if cell.model["name"] == "svm" else 0.5)
    (folder / "plan.json").write_text(json.dumps([{"id": cell.id, "cell": cell.to_json()} for cell in cells]))
    return tmp_path / "results"


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from serbench.tracking.store import open_client

    file = tmp_path_factory.mktemp("store") / "mlflow.db"
    open_client(f"sqlite:///{file}").search_experiments()
    return file


@pytest.fixture
def store(tmp_path: Path, empty_database: Path) -> str:
    """Address of an empty store."""
    folder = tmp_path / "store"
    folder.mkdir()
    for file in empty_database.parent.glob("mlflow.db*"):
        shutil.copy(file, folder)
    return f"sqlite:///{folder / 'mlflow.db'}"


@pytest.fixture
def tracked(store: str) -> Callable[..., list]:
    """All runs of suite `toy` in the store; ``tracked(level="row")`` those of one level."""
    from serbench.tracking.store import open_client

    def runs(level: str | None = None, suite: str = "toy") -> list:
        client = open_client(store)
        experiment = client.get_experiment_by_name(suite)
        found = client.search_runs([experiment.experiment_id], order_by=["metrics.uar DESC"])
        return [run for run in found if level in (None, run.data.tags["level"])]

    return runs


@pytest.fixture
def suite_tools():
    """The functions that made suite `toy`, for tests that change it."""
    return make_cell, save_cell
