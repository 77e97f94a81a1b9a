"""How defaults are chosen: in no fold does a test speaker of the board reach what is fitted or scored."""

import importlib.util
from pathlib import Path
from typing import ClassVar

import numpy as np
from protocol_tables import make_table

from serbench import split
from serbench.specs import ModelSpec

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "defaults" / "compare.py"


class Watched:
    """Remembers the rows that it fits and answers; a row's only feature is its number."""

    seen: ClassVar[list[tuple[set, set]]] = []

    def fit(self, X, y):
        self.fitted, self.classes = set(X[:, 0].astype(int)), int(y.max()) + 1

    def predict_proba(self, X):
        self.seen.append((self.fitted, set(X[:, 0].astype(int))))
        return np.tile(np.eye(self.classes)[0], (len(X), 1))


def test_no_test_speaker_is_fitted_or_scored(monkeypatch):
    monkeypatch.syspath_prepend(SCRIPT.parent)
    spec = importlib.util.spec_from_file_location("compare_defaults", SCRIPT)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    table = make_table()
    rows = [np.array([float(number)]) for number in range(len(table))]
    watched = ModelSpec(name="watched", accepts="vector", build=lambda params, *, n_classes, seed: Watched())
    Watched.seen.clear()
    found = list(script.inner_scores(watched, {}, rows, table, "loso", 3))
    folds = split(table, "loso")
    assert [fold for fold, _ in found] == [fold.fold for fold in folds] and len(Watched.seen) == 3 * len(folds)
    for place, fold in enumerate(folds):
        inside = set(table["speaker"][table["id"].isin(fold.train)])
        outside = set(table["speaker"][table["id"].isin(fold.test)])
        judged = set()
        for fitted, answered in Watched.seen[3 * place : 3 * place + 3]:
            fit_on, scored_on = (set(table["speaker"].iloc[sorted(part)]) for part in (fitted, answered))
            assert not (fit_on | scored_on) & outside and not fit_on & scored_on
            judged |= scored_on
        assert judged == inside
