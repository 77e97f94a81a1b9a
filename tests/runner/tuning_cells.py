"""Small cells to tune: 6 speakers × 3 labels × 4 takes of vectors (or frames) that hold some of the label."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from serbench.circumstances import Circumstances
from serbench.records import Cell, Record
from serbench.runner.cell import execute
from serbench.runner.cell.jobs import CellJob

LABELS = ["angry", "happy", "sad"]
SPEAKERS, TAKES, DIMENSIONS = 6, 4, 8
TESTED = "s5"

# The skill of this model is a parameter, so that the best trial is known; X[:, 0] tells it the label.
ORACLE = """
import time
import numpy as np
from serbench import ModelSpec

class Oracle:
    def __init__(self, skill, seconds, n_classes, epochs):
        self.skill, self.seconds, self.n_classes, self.epochs, self.watch = skill, seconds, n_classes, epochs, None
    def fit(self, X, y, validation=None):
        self.classes_ = np.arange(self.n_classes)
        self.trained = 0
        for epoch in range(self.epochs):
            time.sleep(self.seconds)
            self.trained = epoch + 1
            uar = float((self.predict_proba(X).argmax(axis=1) == y).mean())
            if self.watch and self.watch(epoch, {"val_uar": [uar]}):
                break
        return self
    def predict_proba(self, X):
        first = np.array([np.asarray(x).reshape(-1)[0] for x in X])
        sure = np.arange(len(X)) % 20 < 20 * self.skill * self.trained / self.epochs
        codes = np.where(sure, np.rint(first).astype(int) % self.n_classes, 0)
        return np.eye(self.n_classes)[codes]

def build(params, *, n_classes, seed):
    if params["skill"] < params["fails_below"]:
        raise ValueError(f"too little skill: {params['skill']:.3f}")
    return Oracle(params["skill"], params["seconds"], n_classes, params["epochs"])

def space(trial):
    return {"skill": trial.suggest_float("skill", 0.0, 1.0), "colour": trial.suggest_categorical("colour", "rgb")}

PARAMS = {"skill": 0.5, "colour": "r", "seconds": 0.0, "epochs": 1, "fails_below": 0.0}
ORACLE = ModelSpec(name="oracle", accepts="vector", build=build, space=space, params=PARAMS)
WATCHED = ModelSpec(
    name="watched", accepts="vector", build=build, space=space, params={**PARAMS, "epochs": 24}, validation=True
)

def broken(trial):
    return {"skill": trial.suggest_float("skill", 1.0, 0.0)}

BROKEN = ModelSpec(name="broken", accepts="vector", build=build, space=broken, params=PARAMS)
"""


def make_table() -> pd.DataFrame:
    """A task table of the small corpus."""
    rows = [
        {"utterance": f"s{speaker}_{label}_{take}", "speaker": f"own/s{speaker}", "label": label}
        for speaker in range(SPEAKERS)
        for label in LABELS
        for take in range(TAKES)
    ]
    table = pd.DataFrame(rows).assign(corpus="own", path="", gender="", text="", intensity="", take="", duration=1.0)
    table = table.assign(id="own/" + table["utterance"], official_fold="", content=table["utterance"])
    return table.sort_values("id", ignore_index=True)


def make_features(table: pd.DataFrame, seed: int = 0) -> dict[str, np.ndarray]:
    """Vectors whose first value is about the label's code, the others noise around it."""
    random = np.random.default_rng(seed)
    codes = table["label"].map(LABELS.index).to_numpy()
    values = codes[:, None] * np.linspace(1.0, 0.1, DIMENSIONS) + random.normal(0, 0.8, (len(table), DIMENSIONS))
    values[:, 0] = codes + random.uniform(-0.2, 0.2, len(table))
    return dict(zip(table["id"], values.astype(np.float32), strict=True))


def is_test(table: pd.DataFrame) -> np.ndarray:
    """Rows of the tested speaker."""
    return table["speaker"].str.endswith(TESTED).to_numpy()


def make_job(folder: Path, model: str, *, table=None, features=None, fixed=None, force=False, **tuning) -> CellJob:
    """A job on the small corpus with the last speaker as test part; keyword arguments are the cell's tuning."""
    folder.mkdir(parents=True, exist_ok=True)
    table = make_table() if table is None else table
    features = make_features(table) if features is None else features
    np.savez(folder / "own.npz", **features)
    table.to_parquet(folder / "table.parquet")
    (folder / "oracle.py").write_text(ORACLE)
    cell = Cell(
        corpus="own",
        labels={"name": "native", "labels": LABELS, "map": {}},
        features=({"name": "own", "version": "1", "params": {}},),
        model={"name": model, "version": "1", "params": fixed or {}},
        protocol={"name": "loso", "version": "1", "params": {}},
        fold=TESTED,
        tuning=tuning,
    )
    around = Circumstances(
        data=folder,
        cache=folder / "cache",
        results=folder,
        features_files={"own": folder / "own.npz"},
        plugins=(folder / "oracle.py",),
    )
    return CellJob(
        cell=cell,
        circumstances=around,
        folder=folder / "suite",
        task_file=folder / "table.parquet",
        train=np.flatnonzero(~is_test(table)),
        test=np.flatnonzero(is_test(table)),
        independence=frozenset({"speaker"}),
        audit={},
        corpus={"fingerprint": "f"},
        plugin_hash="",
        environment={},
        force=force,
    )


def run_cell(job: CellJob) -> Record:
    """Run a cell in this process: its record."""
    return execute.run_cell(job).record


def without_seconds(tuning: dict) -> dict:
    """A record's tuning less what the clock says."""
    trials = [{key: value for key, value in trial.items() if key != "seconds"} for trial in tuning["trials"]]
    return {**{key: value for key, value in tuning.items() if key != "seconds"}, "trials": trials}


if __name__ == "__main__":
    # Run as a program to be killed: a slow search that writes its journal trial by trial.
    target, model, seconds, trials = sys.argv[1:]
    slow = make_job(Path(target), model, fixed={"seconds": float(seconds)}, trials=int(trials))
    run_cell(dataclasses.replace(slow))
