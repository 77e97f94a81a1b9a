"""Every model of the package keeps the contract that plug-ins are held to."""

import numpy as np
import pytest

from serbench.contracts import NotApplicable, expect, run_checks
from serbench.models.contract import check_model
from serbench.registry import build_registry
from serbench.specs import ModelSpec

FLATTEN = {"filters": 16, "frames": 8, "pool": 1, "dropout": 0.0, "dense_dropout": 0.0}
SCALES = {"filters": 8, "blocks": 2, "frames": 16, "pool": 1, "dropout": 0.0, "learning_rate": 0.01}
PARALLEL = {"frames": 16, "pool": 1, "dropout": 0.0, "learning_rate": 0.003}
# Sizes that train in no time; a model that is not named here is checked with its defaults.
TINY = {
    "cnn": {"filters": 8, "blocks": 1},
    "lstm": {"units": 8, "layers": 1},
    "cnn_lstm": {"filters": 8, "units": 8},
    "rnn": {"units": 8, "layers": 1, "cell": "gru"},
    "cnn2d": {"filters": 4, "blocks": 2},
    "transformer": {"width": 8, "heads": 2, "layers": 1},
    "tcn": {"filters": 8, "blocks": 2},
    "conv1d_flatten": FLATTEN,
    "conv1d_flatten_fixed": FLATTEN,
    "conv1d_vector": {"filters": 32, "kernel": 3, "pool_values": 2, "dropout": 0.0, "learning_rate": 0.01},
    "tim_net": SCALES,
    "tim_net_fixed": SCALES,
    "light_sernet": PARALLEL,
    "light_sernet_fixed": PARALLEL,
}
# Floors: one looks at nothing, and knowing the speaker alone does not tell the made-up labels apart.
BY_DESIGN = {"majority": {"learns"}, "speaker_identity": {"label order", "learns"}}


# What is chosen by its weights is checked where there are some (test_fine_tuning.py).
SPECS = [spec for spec in build_registry().all("model") if spec.choose is None]


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_model_keeps_its_contract(spec):
    checks = check_model(spec, TINY.get(spec.name))
    failed = {check.name: check.detail for check in checks if check.ok is False}
    assert set(failed) <= BY_DESIGN.get(spec.name, set()), failed
    # Networks are no estimators of scikit-learn's; every model can be saved, and searched if it has a space: what
    # the trials share is then held to what fitting anew gives.
    skipped = {check.name for check in checks if check.ok is None}
    allowed = {"clones"} if "epochs" in spec.params else set()
    assert skipped <= allowed | (set() if spec.space or spec.search else {"search space"})


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


def test_a_model_that_learns_nothing_fails():
    def build(params, *, n_classes, seed):
        from sklearn.ensemble import HistGradientBoostingClassifier

        # No leaf may hold so few utterances: every answer is the classes' frequencies.
        return HistGradientBoostingClassifier(min_samples_leaf=params["leaf"], max_iter=10, random_state=seed)

    for leaf, learns in ((500, False), (20, True)):
        spec = ModelSpec(name="boosted", accepts="vector", build=build, params={"leaf": leaf})
        outcome = {check.name: check for check in check_model(spec)}
        assert outcome["learns"].ok is learns, outcome["learns"].detail
    assert "it learns nothing" in check_model(ModelSpec("boosted", "vector", build, params={"leaf": 500}))[5].detail


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
