"""A made-up suite with everything that a report shows: curves, genders, searches, failures, a transductive row."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
from made_suites import make_table, predict, save

from serbench.records import Cell, make_predictions

LABELS = ["neutral", "happy", "sad", "angry", "fearful"]
INDEPENDENT = {"verdict": "speaker-independent", "speaker_independent": True, "leaks": [], "notes": []}
LEAKY = {
    "verdict": "leaky: speakers shared, repetitions shared",
    "speaker_independent": False,
    "leaks": [{"kind": "speakers shared", "count": 12, "examples": ["toy/00"]}],
    "notes": [],
}
TRANSDUCTIVE = {"verdict": "transductive", "speaker_independent": True, "leaks": [], "notes": []}
SPACE = {
    "C": {"name": "FloatDistribution", "attributes": {"step": None, "low": 0.1, "high": 100.0, "log": True}},
    "gamma": {"name": "FloatDistribution", "attributes": {"step": None, "low": 0.001, "high": 1.0, "log": True}},
}


def report_cell(model: str, features: str, protocol: str, fold: int, **fields) -> Cell:
    labels = {"name": "native", "labels": LABELS, "map": {"toy": {label: label for label in LABELS}}}
    return Cell(
        corpus="toy",
        labels=labels,
        features=({"name": features, "version": "1", "params": {}},),
        model={"name": model, "version": "1", "params": {}},
        protocol={"name": protocol, "version": "1", "params": {}},
        fold=str(fold + 1),
        **fields,
    )


def speaker_table(speakers: int = 12) -> pd.DataFrame:
    table = make_table(speakers, per_class=3, labels=LABELS)
    return table.assign(gender=np.where(table["speaker"].str[-2:].astype(int) % 2, "m", "f"))


def write_report_suite(folder: Path, *, folds: int = 3, copies: int = 1) -> pd.DataFrame:
    """Write the suite and return its task table.

    Under both protocols: svm and knn on handcrafted, cnn on logmel (with curves), a tuned svm; under the official one
    also a speaker-normalised svm, a broken model (fails) and a slow one (one fold of several). `copies` multiplies
    the models.
    """
    table = speaker_table()
    writer = _Writer(folder, table, folds)
    for copy in range(copies):
        mark = f"_{copy}" if copy else ""
        for protocol, gain in (("stratified_kfold", 1.2), ("official", 0.0)):
            audit = INDEPENDENT if protocol == "official" else LEAKY
            writer.row(f"svm{mark}", "handcrafted", protocol, 1.6 + gain, audit, fit=0.4)
            writer.row(f"knn{mark}", "handcrafted", protocol, 0.9 + gain, audit, fit=0.02)
            writer.row(f"cnn{mark}", "logmel", protocol, 1.9 + gain, audit, fit=30.0, epochs=25)
    writer.row("svm", "handcrafted", "official", 1.7, INDEPENDENT, fit=0.4, trials=8)
    writer.row("svm", "handcrafted", "official", 1.9, TRANSDUCTIVE, fit=0.4, normalise="speaker")
    writer.row("slow", "logmel", "official", 1.5, INDEPENDENT, fit=900.0, only=1)
    writer.failed("broken", "handcrafted", "official")
    (folder / "plan.json").write_text(json.dumps(writer.planned))
    return table


class _Writer:
    def __init__(self, folder: Path, table: pd.DataFrame, folds: int):
        self.folder, self.table, self.folds = folder, table, folds
        self.planned: list[dict] = []
        self.rows = 0

    def row(self, model, features, protocol, skill, audit, *, fit, epochs=0, trials=0, normalise="none", only=None):
        speaker = self.table["speaker"].str[-2:].astype(int)
        group = speaker if protocol == "official" else np.arange(len(self.table))
        self.rows += 1
        for fold in range(self.folds):
            tuning = {"trials": trials} if trials else {}
            cell = self._planned(report_cell(model, features, protocol, fold, normalise=normalise, tuning=tuning))
            if only is not None and fold >= only:
                continue
            test = self.table[group % self.folds == fold]
            probabilities = predict(test, skill=skill, seed=100 * self.rows + fold, labels=LABELS)
            save(
                self.folder,
                cell,
                make_predictions(test, LABELS, probabilities),
                audit=audit,
                seconds={"fit": fit * (1 + 0.1 * fold), "features": 0.5, "predict": 0.01},
                params={"C": 10.0, "gamma": "scale"},
                history=_curves(epochs, fold) if epochs else {},
                tuning=_search(trials, fold) if trials else {},
                environment={"python": "3.11", "serbench": "0.1"},
                validation="speaker" if epochs else "",
                created="2026-01-02T03:04:05+00:00",
            )

    def failed(self, model, features, protocol):
        for fold in range(self.folds):
            cell = self._planned(report_cell(model, features, protocol, fold))
            save(self.folder, cell, None, status="failed", reason="ValueError: <no> luck & no C_max")

    def _planned(self, cell: Cell) -> Cell:
        self.planned.append({"id": cell.id, "cell": cell.to_json()})
        return cell


def _curves(epochs: int, fold: int) -> dict[str, list[float]]:
    time = np.arange(epochs)
    noise = np.random.default_rng(fold).normal(0, 0.02, epochs)
    return {
        "loss": list(1.6 * np.exp(-time / 8) + 0.1),
        "val_loss": list(1.5 * np.exp(-time / 6) + 0.5 + 0.01 * time + noise),
        "accuracy": list(0.95 - 0.75 * np.exp(-time / 8)),
        "val_accuracy": list(0.6 - 0.4 * np.exp(-time / 5) + noise),
    }


def _search(trials: int, fold: int) -> dict:
    generator = np.random.default_rng(fold)
    made = []
    for number in range(trials):
        c, gamma = float(10 ** generator.uniform(-1, 2)), float(10 ** generator.uniform(-3, 0))
        value = 0.6 - 0.08 * abs(np.log10(gamma) + 2) - 0.01 * abs(np.log10(c) - 1)
        made.append(
            {
                "number": number,
                "state": "complete",
                "value": float(value),
                "params": {"C": c, "gamma": gamma},
                "seconds": 0.2,
            }
        )
    best = int(np.argmax([trial["value"] for trial in made]))
    return {
        "inner": "speaker",
        "folds": 3,
        "best": best,
        "value": made[best]["value"],
        "seconds": 0.2 * trials,
        "reproducible": True,
        "space": SPACE,
        "trials": made,
    }
