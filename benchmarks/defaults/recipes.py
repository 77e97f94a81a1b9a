"""Compare recipes (features, copies of the training part, model) on inner speakers: how the best honest row was chosen.

Of RAVDESS' six official folds, and of EMO-DB's ten speakers, two are closed at a time. What is fitted on the rest
answers for both: for the one as inner speakers of the other's training part. So the inner score of a fold is the UAR
over other folds' speakers, by fits that saw neither them nor the fold's own test part; each fit serves two folds. One
recipe for both corpora is the one with the best mean over all folds. A speaker who is tested in one fold is an inner
one in others: the choice is one *made on the development corpora*, as `docs/explanation/choices.md` says.

To compare many recipes in minutes, vectors are first turned to their 400 strongest principal directions, found once on
all utterances and copies of a corpus, without labels.

    OMP_NUM_THREADS=1 python benchmarks/defaults/recipes.py --write docs/explanation/best_row.md
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from boards import BOARDS, write_table
from scipy.linalg import eigh

from serbench import load_corpus, split
from serbench.features.augmentation import Alteration
from serbench.features.extract import extract_into
from serbench.features.store import FeatureStore
from serbench.registry import Registry, build_registry
from serbench.reporting.text_tables import to_markdown
from serbench.scoring import label_codes, uar
from serbench.specs import ModelSpec

DIRECTIONS = 400
# In deviations of the originals.
LARGEST = 10.0
# Of ten folds, each is closed together with the three before and the three behind it; of six with all others.
DISTANCES = (1, 2, 3)
PITCH, VTLP = (("pitch", [-3, 3]), ("vtlp", [-3, 3]))


@dataclass(frozen=True)
class Recipe:
    """A model on the plain training part and copies of it, each changed by its own number of semitones.

    Attributes
    ----------
    changes : tuple of (name, range)
        Three copies of each are made.
    params : mapping
        What differs from the model's defaults.
    """

    features: tuple[str, ...]
    changes: tuple[tuple[str, list[float]], ...]
    model: str
    params: Mapping[str, Any]

    def columns(self) -> list[str]:
        """What the table says of it."""
        copies = " and ".join(f"3 × {name} ±{high:g}" for name, (_, high) in self.changes) or "none"
        params = ", ".join(f"{name} {value}" for name, value in self.params.items())
        return ["+".join(self.features), copies, self.model, params]


PLAIN, STRONG = {"C": 0.01, "shrinkage": "auto"}, {"C": 0.003, "shrinkage": 0.1}
RECIPES = [
    Recipe(("voice",), (), "logistic_regression", {"C": 0.01}),
    Recipe(("voice",), (), "linear_vote", PLAIN),
    Recipe(("voice",), (VTLP,), "linear_vote", PLAIN),
    Recipe(("voice",), (VTLP,), "linear_vote", STRONG),
    Recipe(("voice",), (PITCH,), "linear_vote", PLAIN),
]


def main() -> None:
    """Print the inner scores of each recipe, each fold's own choice, and the choice over both corpora."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", help="folder of the corpora")
    parser.add_argument("--cache", type=Path, default=Path("cache"), help="where features are kept")
    parser.add_argument("--write", type=Path, help="a page whose table between two marks is replaced")
    given = parser.parse_args()
    store, registry = FeatureStore(given.cache / "features"), build_registry()
    reached = {corpus: board_scores(corpus, given.data, store, registry) for corpus in BOARDS}
    rows = []
    for place, recipe in enumerate(RECIPES):
        means = [100 * scores[place].mean() for scores in reached.values()]
        rows.append([*recipe.columns(), *(f"{mean:.1f}" for mean in means), f"{np.mean(means):.1f}"])
    table = to_markdown(["features", "copies", "model", "parameters", *BOARDS, "mean"], rows)
    for corpus, scores in reached.items():
        own = [" ".join(RECIPES[best].columns()) for best in scores.argmax(axis=0)]
        print(f"{corpus}, chosen inside each fold:", *own, sep="\n  ")
    print(table)
    if given.write:
        write_table(given.write, "recipes", table)


def board_scores(corpus: str, data: str | None, store: FeatureStore, registry: Registry) -> np.ndarray:
    """Inner UAR of each recipe in each fold of a corpus: (recipes, folds)."""
    table = load_corpus(corpus, data=data)
    labels = sorted(set(table["label"]))
    truth = label_codes(table["label"], labels)
    tests = [np.flatnonzero(table["id"].isin(fold.test)) for fold in split(table, BOARDS[corpus])]
    scores = []
    for (features, changes), group in groupby(RECIPES, key=lambda recipe: (recipe.features, recipe.changes)):
        X = directions(table, features, changes, store, registry)
        for recipe in group:
            spec: ModelSpec = registry.get("model", recipe.model)
            estimator = spec.build({**spec.params, **recipe.params, "scaler": "none"}, n_classes=len(labels), seed=0)
            scores.append(inner_scores(estimator, X, truth, tests))
            print(corpus, *recipe.columns(), f"{100 * np.mean(scores[-1]):.1f}", flush=True)
    return np.array(scores)


def inner_scores(estimator: Any, X: np.ndarray, truth: np.ndarray, tests: list[np.ndarray]) -> list[float]:
    """UAR inside the training part of each fold; X are the originals and then each copy, (copies + 1, n, d)."""
    answers: list[list[tuple[np.ndarray, np.ndarray]]] = [[] for _ in tests]
    for first, second in closed_pairs(len(tests)):
        train = np.setdiff1d(np.arange(len(truth)), np.concatenate([tests[first], tests[second]]))
        estimator.fit(X[:, train].reshape(-1, X.shape[2]), np.tile(truth[train], len(X)))
        for fold, inner in ((first, second), (second, first)):
            answers[fold].append((truth[tests[inner]], estimator.predict_proba(X[0, tests[inner]]).argmax(axis=1)))
    found = ([np.concatenate(part) for part in zip(*pairs, strict=True)] for pairs in answers)
    return [uar(right, given, labels=range(truth.max() + 1)) for right, given in found]


def closed_pairs(folds: int) -> list[tuple[int, int]]:
    """Pairs of folds that are closed together, each pair once."""
    pairs = {tuple(sorted((fold, (fold + far) % folds))) for far in DISTANCES for fold in range(folds)}
    return sorted(pairs)


def directions(
    table: pd.DataFrame,
    features: tuple[str, ...],
    changes: tuple[tuple[str, list[float]], ...],
    store: FeatureStore,
    registry: Registry,
) -> np.ndarray:
    """Originals and copies along the strongest principal directions, scaled as the originals: (copies + 1, n, 400)."""
    altered = [Alteration({name: {"semitones": ends}}, copy) for name, ends in changes for copy in (1, 2, 3)]
    versions = [read_vectors(table, features, alteration, store, registry) for alteration in [None, *altered]]
    mean, deviation = versions[0].mean(axis=0), versions[0].std(axis=0)
    deviation[deviation == 0] = 1.0
    scaled = [((version - mean) / deviation).clip(-LARGEST, LARGEST) for version in versions]
    covariance = sum(version.T @ version for version in scaled)
    size = len(covariance)
    _, strongest = eigh(covariance, subset_by_index=[size - DIRECTIONS, size - 1])
    return np.stack([version @ strongest[:, ::-1] for version in scaled])


def read_vectors(
    table: pd.DataFrame,
    features: tuple[str, ...],
    alteration: Alteration | None,
    store: FeatureStore,
    registry: Registry,
) -> np.ndarray:
    """Vectors of all utterances, altered, from the store; what it lacks is extracted."""
    specs = [registry.get("features", name) for name in features]
    sets = [(spec, spec.params) for spec in specs]
    if failed := extract_into(store, sets, list(zip(table["content"], table["path"], strict=True)), alteration):
        raise SystemExit(f"no features of {failed[0]}")
    keys = [alteration.key(content) if alteration else content for content in table["content"]]
    return np.hstack([store.read(spec, spec.params, table["id"], keys).values for spec in specs])


if __name__ == "__main__":
    main()
