"""Every model of the package keeps the contract that plug-ins are held to."""

import numpy as np
import pytest

from serbench.contracts import NotApplicable, expect, run_checks
from serbench.models.contract import check_model
from serbench.registry import build_registry
from serbench.specs import ModelSpec

VECTOR = ["majority", "svm", "knn", "random_forest", "xgboost", "logistic_regression", "lda"]
TINY = {
    "cnn": {"filters": 8, "blocks": 1},
    "lstm": {"units": 8, "layers": 1},
    "cnn_lstm": {"filters": 8, "units": 8},
    "rnn": {"units": 8, "layers": 1, "cell": "gru"},
    "cnn2d": {"filters": 4, "blocks": 2},
}


@pytest.mark.parametrize("name", [*VECTOR, *TINY])
def test_model_keeps_its_contract(name):
    spec = build_registry().get("model", name)
    checks = check_model(spec, TINY.get(name))
    failed = [f"{check.name}: {check.detail}" for check in checks if check.ok is False]
    assert not failed
    # Every model but the floor has a space, and all can be saved.
    skipped = {check.name for check in checks if check.ok is None}
    assert skipped <= {"clones", "search space"} if name in TINY or name == "majority" else not skipped


class Broken:
    """Alters its input, forgets its classes, and answers differently each time."""

    classes_ = ("a", "b", "c")

    def fit(self, X, y):
        self.width = y.max() + 1
        return self

    def predict_proba(self, X):
        return np.random.default_rng().random((len(X), self.width))


def test_a_broken_model_fails_the_checks_that_it_breaks():
    spec = ModelSpec(name="broken", accepts="vector", build=lambda params, *, n_classes, seed: Broken())
    outcome = {check.name: check.ok for check in check_model(spec)}
    for broken in ("probabilities", "classes", "same seed, same output", "single utterance", "order of utterances"):
        assert outcome[broken] is False
    for kept in ("builds", "fewer classes", "input unchanged"):
        assert outcome[kept] is True


def test_mixed_up_columns_are_found():
    class Reversed:
        def fit(self, X, y):
            from sklearn.naive_bayes import GaussianNB

            self.inner = GaussianNB().fit(X, y)
            self.classes_ = self.inner.classes_
            return self

        def predict_proba(self, X):
            return self.inner.predict_proba(X)[:, ::-1]

    spec = ModelSpec(name="reversed", accepts="vector", build=lambda params, *, n_classes, seed: Reversed())
    outcome = {check.name: check for check in check_model(spec)}
    assert outcome["label order"].ok is False
    assert outcome["probabilities"].ok is True


def test_a_model_that_cannot_be_built_fails_without_raising():
    def build(params, *, n_classes, seed):
        raise RuntimeError("no such thing")

    checks = check_model(ModelSpec(name="unbuildable", accepts="vector", build=build))
    assert checks[0].ok is False
    assert "RuntimeError: no such thing" in checks[0].detail


def test_outcomes_of_checks():
    def fails():
        expect(1 > 2, "one is not above two")

    def skips():
        raise NotApplicable("nothing there")

    outcome = {
        check.name: (check.ok, check.detail) for check in run_checks({"f": fails, "s": skips, "o": lambda: "fine"})
    }
    assert outcome == {"f": (False, "one is not above two"), "s": (None, "nothing there"), "o": (True, "fine")}
