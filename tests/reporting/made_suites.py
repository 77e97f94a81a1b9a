"""Made-up suites with known predictions, written as the runner writes them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

from serbench.records import Cell, Record, empty_predictions, make_predictions, write_cell

LABELS = ["angry", "happy", "sad"]


def make_cell(*, model="svm", protocol="official", fold="1", seed=0, corpus="toy", labels=LABELS, **fields) -> Cell:
    return Cell(
        corpus=corpus,
        labels={"name": "native", "labels": list(labels), "map": {corpus: {label: label for label in labels}}},
        features=({"name": "mfcc", "version": "1", "params": {}},),
        model={"name": model, "version": "1", "params": {}},
        protocol={"name": protocol, "version": "1", "params": {}},
        fold=fold,
        seed=seed,
        **fields,
    )


def make_table(speakers=12, per_class=4, labels=LABELS, corpus="toy") -> pd.DataFrame:
    """Every speaker says `per_class` utterances of each class."""
    rows = [
        (f"{speaker:02d}{label}{take}", f"{corpus}/{speaker:02d}", label)
        for speaker in range(speakers)
        for label in labels
        for take in range(per_class)
    ]
    frame = pd.DataFrame(rows, columns=["utterance", "speaker", "label"])
    return frame.assign(corpus=corpus, gender="", text="", intensity="")


def one_hot(predicted: list[str], labels=LABELS, *, certainty=0.8) -> np.ndarray:
    rest = (1 - certainty) / (len(labels) - 1)
    return np.where(np.asarray(predicted)[:, None] == np.asarray(labels), certainty, rest)


def predict(table: pd.DataFrame, *, skill: float, seed: int, labels=LABELS) -> np.ndarray:
    """Probabilities that are right more often the higher `skill` is."""
    generator = np.random.default_rng(seed)
    logits = generator.normal(size=(len(table), len(labels)))
    logits[np.arange(len(table)), [labels.index(label) for label in table["label"]]] += skill
    probabilities = np.exp(logits)
    return probabilities / probabilities.sum(axis=1, keepdims=True)


def save(folder: Path, cell: Cell, predictions: pd.DataFrame | None, **fields) -> Path:
    independent = cell.protocol["name"] == "official"
    verdict = "speaker-independent" if independent else "leaky: speakers shared"
    leaks = [] if independent else [{"kind": "speakers shared", "count": 12, "examples": ["toy/00"]}]
    defaults = {
        "status": "ok",
        "seconds": {"fit": 2.0},
        "sizes": {"weights": 10, "bytes": 40},
        "audit": {"verdict": verdict, "speaker_independent": independent, "leaks": leaks, "notes": []},
        "corpus": {"fingerprint": "f", "version": "1", "used": 144, "design": 144, "notes": []},
    }
    rows = empty_predictions() if predictions is None else predictions
    return write_cell(folder, Record(cell, **(defaults | fields)), rows)


def write_suite(
    folder: Path,
    *,
    models={"good": 2.0, "poor": 0.3},  # noqa: B006
    protocols=("official", "stratified_kfold"),
    folds=3,
    seeds=(0,),
    speakers=12,
    labels=LABELS,
    plan=True,
) -> pd.DataFrame:
    """Write a whole suite and return its task table."""
    table = make_table(speakers, labels=labels)
    planned = []
    for protocol in protocols:
        group = table["speaker"].str[-2:].astype(int) if protocol == "official" else np.arange(len(table))
        for number, (model, skill) in enumerate(models.items()):
            for seed in seeds:
                for fold in range(folds):
                    cell = make_cell(model=model, protocol=protocol, fold=str(fold + 1), seed=seed, labels=labels)
                    test = table[group % folds == fold]
                    probabilities = predict(test, skill=skill, seed=100 * seed + 10 * number + fold, labels=labels)
                    save(folder, cell, make_predictions(test, list(labels), probabilities))
                    planned.append({"id": cell.id, "cell": cell.to_json()})
    if plan:
        (folder / "plan.json").write_text(json.dumps(planned))
    return table
