"""Tuned rows on augmented training parts: copies follow their parents into the fits and never validate anything."""

import dataclasses

import in_one_process
import numpy as np
import pandas as pd
import pytest
from tuning_cells import without_seconds

from serbench.circumstances import Circumstances
from serbench.runner.cell import recipe
from serbench.runner.cell.inputs import open_registry
from serbench.runner.cell.tuning import cell as tuning_cell
from serbench.runner.cell.tuning.objective import Objective
from serbench.runner.planning.plan import make_plan
from serbench.runner.planning.selection import Filters
from serbench.runner.suite.file import load_suite

COPIES = 2
EXTRA = f"augment: {{noise: {{snr_db: [10, 20]}}, copies: {COPIES}}}\ntuning: {{trials: 3, inner: 2}}\n"
MARKS = ("", *(f"#{copy}" for copy in range(1, COPIES + 1)))


@pytest.fixture
def around(tiny_data, shared_cache, tmp_path):
    return Circumstances(data=tiny_data, cache=shared_cache, results=tmp_path / "results", jobs=1)


@pytest.fixture
def plan_of(tiny_suite, around):
    """Plan the rows of one model and one protocol of `tiny`, tuned and augmented."""

    def make(model="lda", protocol="speaker_kfold", around=around, **filters):
        if "augment" not in (text := tiny_suite.read_text()):
            tiny_suite.write_text(
                text.replace("stratified_kfold, params: {k: 3}", "leaky_augment_before_split") + EXTRA
            )
        chosen = Filters(model=(model,), protocol=(protocol,), **filters)
        return make_plan(load_suite(str(tiny_suite)), open_registry(around), around, chosen)

    return make


@pytest.fixture
def searched(monkeypatch):
    """What every search was made on."""
    seen = []
    monkeypatch.setattr(tuning_cell, "Objective", lambda **parts: seen.append(parts) or Objective(**parts))
    return seen


@pytest.fixture
def fitted(monkeypatch):
    """Ids of the rows of each fit outside of a search."""
    seen = []
    real = recipe.fit_model

    def spy(spec, params, matrix, table, labels, training, **settings):
        seen.append((table["id"].iloc[training.fit].tolist(), params))
        return real(spec, params, matrix, table, labels, training, **settings)

    monkeypatch.setattr(recipe, "fit_model", spy)
    return seen


def carried_out(plan, around):
    """Run a plan in this process: cell id -> (planned, record, predictions)."""
    done = in_one_process.carried_out(plan, around)
    assert {record.status for record, _ in done.values()} == {"ok"}, [record.traceback for record, _ in done.values()]
    return {item.cell.id: (item, *done[item.cell.id]) for item in plan.cells}


def with_copies(names):
    return sorted(f"{name}{mark}" for name in names for mark in MARKS)


def test_the_search_is_judged_by_originals_and_fits_with_their_copies(plan_of, around, searched, fitted):
    done = list(carried_out(plan_of(), around).values())
    assert len(done) == 6 and len(searched) == 3 and all(item.cell.augment for item, *_ in done)
    tuned = [item for item, *_ in done if item.cell.tuning]
    for item, made in zip(tuned, searched, strict=True):
        rows, ids = made["rows"], made["rows"]["id"].to_numpy()
        assert sorted(ids) == with_copies(item.split.train)
        assert list(made["matrices"][0].ids) == list(ids)
        validated = []
        for fit, test in made["folds"]:
            # No copy validates, no voice is on both sides, and every copy fits where its original does.
            assert not any("#" in name for name in ids[test])
            assert not set(rows["speaker"].iloc[fit]) & set(rows["speaker"].iloc[test])
            originals = [name for name in ids[fit] if "#" not in name]
            assert sorted(ids[fit]) == with_copies(originals)
            assert sorted([*originals, *ids[test]]) == sorted(item.split.train)
            validated += list(ids[test])
        assert sorted(validated) == sorted(item.split.train) and len(made["folds"]) == 2
    for (item, record, predictions), (ids, params) in zip(done, fitted, strict=True):
        assert sorted(ids) == with_copies(item.split.train) and params == record.params
        assert sorted("tiny/" + predictions["utterance"]) == sorted(item.split.test)
        assert set(predictions["role"]) == {"test"} and record.audit["verdict"] == "speaker-independent"


def test_copies_hold_other_features_than_their_originals(plan_of, around, searched):
    carried_out(plan_of(fold=("1",)), around)
    matrix, name = searched[0]["matrices"][0], searched[0]["rows"]["id"].iloc[0]
    versions = matrix.select([f"{name}{mark}" for mark in MARKS]).values
    assert len(np.unique(versions, axis=0)) == len(MARKS)


STOPPER = """
import numpy as np
from serbench import ModelSpec
class Stopper:
    def fit(self, X, y, validation):
        self.classes_, self.history = np.unique(y), {"rows": [len(X), len(validation[0])]}
        return self
    def predict_proba(self, X):
        return np.full((len(X), len(self.classes_)), 1 / len(self.classes_))
STOPPER = ModelSpec(name="stopper", accepts="vector", validation=True, params={"rate": 0.1},
                    space=lambda trial: {"rate": trial.suggest_float("rate", 0.0, 1.0)},
                    build=lambda params, *, n_classes, seed: Stopper())
"""


def test_a_model_that_stops_early_is_stopped_by_originals_of_other_speakers(plan_of, around, tmp_path, monkeypatch):
    (tmp_path / "stopper.py").write_text(STOPPER)
    around = dataclasses.replace(around, plugins=(tmp_path / "stopper.py",))
    parts = []
    real = recipe.fit_model

    def spy(spec, params, matrix, table, labels, training, **settings):
        parts.append((table.iloc[training.fit], table.iloc[training.validation]))
        return real(spec, params, matrix, table, labels, training, **settings)

    monkeypatch.setattr(recipe, "fit_model", spy)
    done = carried_out(plan_of(model="stopper", around=around, fold=("1",)), around)
    assert [bool(record.tuning) for _, record, _ in done.values()] == [False, True]
    for (item, record, _), (fit, validation) in zip(done.values(), parts, strict=True):
        assert len(validation) and not validation["id"].str.contains("#").any()
        assert not set(fit["speaker"]) & set(validation["speaker"])
        assert sorted(fit["id"]) == with_copies(set(item.split.train) - set(validation["id"]))
        assert record.history["rows"] == [len(fit), len(validation)]


@pytest.mark.parametrize("model", ["lda", "knn"])
def test_a_tuned_and_augmented_row_is_reproducible(plan_of, around, tmp_path, model):
    found = []
    for number in (1, 2):
        # The second run computes its features anew, copies included.
        where = dataclasses.replace(around, results=tmp_path / str(number), cache=tmp_path / f"cache{number}")
        plan = plan_of(model=model, around=where, fold=("1",))
        found.append(carried_out(plan, where))
        assert {item.state for item in plan_of(model=model, around=where, fold=("1",)).cells} == {"done"}
    assert found[0].keys() == found[1].keys() and len(found[0]) == 2
    for name, (item, record, predictions) in found[0].items():
        _, other, again = found[1][name]
        pd.testing.assert_frame_equal(predictions, again, check_exact=True)
        assert record.params == other.params and bool(record.tuning) == bool(item.cell.tuning)
        if record.tuning:
            assert without_seconds(record.tuning) == without_seconds(other.tuning)
            assert record.tuning["reproducible"] and len(record.tuning["trials"]) == 3
            assert (record.tuning["inner"], record.tuning["folds"]) == ("speaker", 2)


def test_where_copies_are_split_from_their_parents_the_search_takes_them_as_they_fell(plan_of, around, searched):
    ((item, record, predictions),) = [
        entry
        for entry in carried_out(plan_of(protocol="leaky_augment_before_split"), around).values()
        if entry[1].tuning
    ]
    (made,) = searched
    assert sorted(made["rows"]["id"]) == sorted(item.split.train)
    assert any("#" in name for _, test in made["folds"] for name in made["rows"]["id"].iloc[test])
    assert predictions["utterance"].str.contains("#").any()
    assert "augmented copies of test parents in training" in record.audit["verdict"]
