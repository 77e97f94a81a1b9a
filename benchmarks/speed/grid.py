"""The classical grid phase by phase: features, then each model's cells, by the defaults and by faster parameters.

    SERBENCH_DATA=~/corpora python benchmarks/speed/grid.py [--folds 2] [--times 1 2 4] [--json FILE]

Seconds of processor time on one thread, which other work on the machine disturbs less than the clock: `features` over
all files of RAVDESS speech, a model's row over the cells of the official folds asked for (fit and predict). Faster
parameters, where a model has some, stand beside the defaults, cell by cell in the same run, so that their ratio is of
one machine in one state. `--times` repeats the training part with a little noise, as larger corpora would.
No score is computed: nothing may be chosen on test folds. `benchmarks/defaults/compare.py` scores inside training.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from serbench import extract, load_corpus, split
from serbench.registry import build_registry

MODELS = ("svm", "knn", "random_forest", "xgboost", "logistic_regression")
FASTER: dict[str, dict] = {
    "xgboost": {"screen": 400, "max_bin": 32},
    "random_forest": {"max_features": "log2"},
}
NOISE = 1e-3


def seconds(work: Callable[[], object]) -> tuple[float, object]:
    """Processor time of a call, and what it returned."""
    start = time.process_time()
    result = work()
    return time.process_time() - start, result


def cell(name: str, params: dict, X: np.ndarray, y: np.ndarray, Xv: np.ndarray) -> float:
    """Seconds to fit one cell and to answer for its test part."""
    spec = build_registry().get("model", name)
    model = spec.build({**spec.params, **params}, n_classes=y.max() + 1, seed=0)
    return seconds(lambda: model.fit(X, y).predict_proba(Xv))[0]


def repeated(X: np.ndarray, y: np.ndarray, times: int) -> tuple[np.ndarray, np.ndarray]:
    """A training part of `times` as many utterances: each copy a little off, so that no two are equal."""
    noise = NOISE * X.std(axis=0) * np.random.default_rng(0).standard_normal((times * len(X), X.shape[1]))
    return (np.tile(X, (times, 1)) + noise).astype(np.float32), np.tile(y, times)


def measure(folds: int, times: list[int], data: str | None) -> dict:
    """Seconds of features, and of each model's cells under each number of utterances."""
    table = load_corpus("ravdess_speech", data=data)
    extract(table["path"].iloc[0], "handcrafted")
    taken, vectors = seconds(lambda: np.stack([extract(path, "handcrafted") for path in table["path"]]))
    codes = np.unique(table["label"], return_inverse=True)[1]
    parts = [
        (np.flatnonzero(table["id"].isin(fold.train)), np.flatnonzero(table["id"].isin(fold.test)))
        for fold in split(table, "official")[:folds]
    ]
    for name in MODELS:
        # Libraries are loaded before the first cell that counts.
        cell(name, FASTER.get(name, {}), vectors[:40], np.arange(40) % 2, vectors[:40])
    ways = {"default": {}, "faster": FASTER}
    costs = {name: {way: [0.0] * len(times) for way in ways} for name in MODELS}
    for place, many in enumerate(times):
        for train, test in parts:
            X, y = repeated(vectors[train], codes[train], many)
            for name in MODELS:
                for way, params in ways.items():
                    if way == "default" or name in params:
                        costs[name][way][place] += cell(name, params.get(name, {}), X, y, vectors[test])
    for name in set(MODELS) - set(FASTER):
        costs[name]["faster"] = costs[name]["default"]
    return {"utterances": len(table), "folds": len(parts), "times": times, "features": taken, "models": costs}


def main() -> None:
    """Print the table, and write it where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folds", type=int, default=6, help="official folds [6]")
    parser.add_argument("--times", type=int, nargs="+", default=[1], help="numbers of utterances, as multiples [1]")
    parser.add_argument("--json", type=Path, help="write the seconds there")
    parser.add_argument("--data", help="folder of the corpora")
    given = parser.parse_args()
    with threadpool_limits(1):
        found = measure(given.folds, given.times, given.data)
    print(f"{found['utterances']} files, {found['folds']} folds, one thread, seconds of processor time")
    print(f"{'features (handcrafted)':24s}{found['features']:9.1f}")
    for place, many in enumerate(found["times"]):
        print(f"{f'{many} x the utterances':24s}{'default':>9s}{'faster':>9s}{'ratio':>8s}")
        rows = [(name, cost["default"][place], cost["faster"][place]) for name, cost in found["models"].items()]
        rows.append(("all models", sum(row[1] for row in rows), sum(row[2] for row in rows)))
        rows.append(("with features", *(value + found["features"] for value in rows[-1][1:])))
        for name, default, faster in rows:
            print(f"{name:24s}{default:9.1f}{faster:9.1f}{default / faster:7.1f}x")
    if given.json:
        given.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
