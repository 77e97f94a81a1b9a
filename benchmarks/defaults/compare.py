"""Compare parameters of models inside the training parts of the boards: how default parameters are chosen.

For each fold of a board (RAVDESS' six official ones, EMO-DB leaving one speaker out) its test speakers are closed, and
the speakers that train in it are divided again: parameters are fitted on some of them and scored on the others. So a
fold's own choice never saw its test speakers. One default for all folds is the one with the best inner scores over all
of them; since a speaker who is tested in one fold trains in the others, such a default is *chosen on the development
corpora*, and only the confirmation corpora say what it is worth.

    OMP_NUM_THREADS=1 python benchmarks/defaults/compare.py lda handcrafted '{}' '{"n_components": 100}'
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np
import pandas as pd
from boards import BOARDS

from serbench import extract, load_corpus, split
from serbench.protocols.inner import inner_folds, validation_split
from serbench.registry import build_registry
from serbench.reporting.text_tables import to_markdown
from serbench.scoring import uar
from serbench.specs import ModelSpec

SPEAKERS = {"speaker"}


def main() -> None:
    """Print the inner scores of each set of parameters, each fold's own choice, and the choice over all folds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("features")
    parser.add_argument("params", nargs="*", default=["{}"], help="JSON objects of what differs from the defaults")
    parser.add_argument("--inner", type=int, default=3, help="folds inside each training part")
    parser.add_argument("--folds", type=int, help="only the first folds of each board, where a model is slow")
    parser.add_argument("--data", help="folder of the corpora")
    given = parser.parse_args()
    spec, started = build_registry().get("model", given.model), time.process_time()
    scores: dict[str, np.ndarray] = {}
    for corpus, protocol in BOARDS.items():
        table = load_corpus(corpus, data=given.data)
        X = [extract(path, given.features) for path in table["path"]]
        found = [
            list(islice(inner_scores(spec, json.loads(text), X, table, protocol, given.inner), given.folds))
            for text in given.params
        ]
        scores[corpus] = np.array([[score for _, score in row] for row in found])
        chosen = ((fold, scores[corpus][:, place].argmax()) for place, (fold, _) in enumerate(found[0]))
        print(
            f"{corpus}, chosen inside each fold: " + ", ".join(f"{fold}: {given.params[best]}" for fold, best in chosen)
        )
    means = np.column_stack([values.mean(axis=1) for values in scores.values()])
    lines = [[text, *(f"{100 * value:.1f}" for value in row)] for text, row in zip(given.params, means, strict=True)]
    print(to_markdown([f"{given.model} on {given.features}", *(f"{name}, inner UAR %" for name in scores)], lines))
    best = given.params[means.mean(axis=1).argmax()]
    print(f"chosen on the development corpora: {best} ({time.process_time() - started:.0f} s)")


def inner_scores(
    spec: ModelSpec, params: dict[str, Any], X: list[np.ndarray], table: pd.DataFrame, protocol: str, inner: int
) -> Iterator[tuple[str, float]]:
    """Each fold of a protocol, and the UAR that parameters reach inside its training part."""
    for fold in split(table, protocol):
        rows = np.flatnonzero(table["id"].isin(fold.train))
        folds, _ = inner_folds(table.iloc[rows], SPEAKERS, k=inner, seed=0)
        answers = [answered(spec, params, X, table, rows[fit], rows[judged]) for fit, judged in folds]
        judged = np.concatenate([rows[judged] for _, judged in folds])
        truth = table["label"].iloc[judged].tolist()
        yield fold.fold, uar(truth, np.concatenate(answers).tolist(), labels=sorted(set(table["label"])))


def answered(
    spec: ModelSpec,
    params: dict[str, Any],
    X: list[np.ndarray],
    table: pd.DataFrame,
    fit: np.ndarray,
    judged: np.ndarray,
) -> np.ndarray:
    """Labels that a model fitted on some rows gives to others."""
    labels, codes = np.unique(table["label"], return_inverse=True)
    take = (
        (lambda rows: np.stack([X[row] for row in rows]))
        if spec.accepts == "vector"
        else (lambda rows: [X[row] for row in rows])
    )
    more = {}
    if spec.validation:
        kept, stop, _ = validation_split(table.iloc[fit], SPEAKERS, seed=0)
        more["validation"] = (take(fit[stop]), codes[fit[stop]])
        fit = fit[kept]
    model = spec.build({**spec.params, **params}, n_classes=len(labels), seed=0)
    model.fit(take(fit), codes[fit], **more)
    return labels[model.predict_proba(take(judged)).argmax(axis=1)]


if __name__ == "__main__":
    main()
