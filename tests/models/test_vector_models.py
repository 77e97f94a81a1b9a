import numpy as np
import pytest
from scipy.special import softmax
from sklearn.decomposition import PCA
from sklearn.svm import SVC

from serbench.errors import UnknownName
from serbench.models.params import complete, threads
from serbench.models.shallow import svc
from serbench.models.shallow.projection import BoundedPCA
from serbench.models.shallow.svc import SoftmaxSVC
from serbench.registry import build_registry


def overlapping(n=120, classes=4, seed=0):
    random = np.random.default_rng(seed)
    y = np.arange(n) % classes
    return random.normal(size=(n, 6)) + y[:, None] * 0.4, y


@pytest.mark.parametrize("classes", [2, 4])
def test_svm_probabilities_agree_with_its_predictions(classes):
    X, y = overlapping(classes=classes)
    model = SoftmaxSVC(break_ties=True).fit(X, y)
    fresh = np.random.default_rng(1).normal(size=(500, 6))
    np.testing.assert_array_equal(model.predict_proba(fresh).argmax(axis=1), model.predict(fresh))


def test_svm_probabilities_are_the_softmax_of_decision_values():
    X, y = overlapping()
    model = SoftmaxSVC(break_ties=True).fit(X, y)
    np.testing.assert_allclose(model.predict_proba(X), softmax(model.decision_function(X), axis=1))


@pytest.mark.parametrize(
    ("n", "d", "wanted", "kept"), [(50, 80, 200, 49), (300, 80, 200, 80), (300, 80, 7, 7), (2, 5, 9, 1)]
)
def test_pca_never_asks_for_more_than_the_data_have(n, d, wanted, kept):
    X = np.random.default_rng(0).normal(size=(n, d))
    projected = BoundedPCA(wanted).fit(X).transform(X)
    assert projected.shape == (n, kept)
    np.testing.assert_allclose(projected, PCA(kept, svd_solver="full").fit_transform(X))


def test_majority_answers_the_training_frequencies():
    model = build_registry().get("model", "majority").build({}, n_classes=3, seed=0)
    model.fit(np.zeros((4, 2)), np.array([0, 0, 1, 2]))
    np.testing.assert_allclose(model.predict_proba(np.ones((2, 2))), [[0.5, 0.25, 0.25]] * 2)


def test_lda_gives_every_class_the_same_prior():
    X, _ = overlapping(n=400)
    rare = np.array([0] * 390 + [1] * 10)
    noise = np.random.default_rng(2).normal(size=X.shape)
    model = build_registry().get("model", "lda").build({}, n_classes=2, seed=0).fit(noise, rare)
    assert abs(model.predict_proba(np.random.default_rng(3).normal(size=(500, 6)))[:, 1].mean() - 0.5) < 0.15


def test_scalers_are_fitted_on_training_data_alone():
    X, y = overlapping()
    for name in ("svm", "knn", "logistic_regression", "lda"):
        model = build_registry().get("model", name).build({}, n_classes=4, seed=0).fit(X, y)
        model.predict_proba(X + 100)
        np.testing.assert_allclose(model[0].mean_, X.mean(axis=0))


def test_unknown_parameter_is_refused_with_the_nearest_name():
    with pytest.raises(UnknownName, match="unknown parameter of svm 'gama'") as caught:
        build_registry().get("model", "svm").build({"gama": 1}, n_classes=2, seed=0)
    assert "did you mean 'gamma'" in str(caught.value)


def test_complete_fills_up_with_defaults():
    assert complete("any", {"a": 1, "b": 2}, {"b": 3}) == {"a": 1, "b": 3}


@pytest.mark.parametrize(("value", "wanted"), [("3", 3), ("", 1), ("0", 1), ("many", 1)])
def test_threads_come_from_the_environment(value, wanted, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", value)
    assert threads() == wanted


def test_screened_boosting_looks_at_telling_values_that_do_not_repeat_one_another(tmp_path):
    from xgboost import XGBClassifier

    from serbench.models.shallow.screening import distinct_values

    random = np.random.default_rng(0)
    y = np.arange(150) % 3
    X = random.normal(size=(150, 40)).astype(np.float32)
    X[:, [7, 19, 33]] += 1.5 * (y[:, None] == np.arange(3))
    X[:, 20:23] = -2 * X[:, [19]] + 0.05 * random.normal(size=(150, 3))
    X[:, 5] = 1.0
    kept = set(distinct_values(X, y, 3))
    assert {7, 33} < kept and len(kept & {19, 20, 21, 22}) == 1
    assert 5 not in distinct_values(X, y, 40)
    correlations = np.abs(np.corrcoef(X[:, distinct_values(X, y, 40)].T))
    assert correlations[~np.eye(len(correlations), dtype=bool)].max() < 0.8

    spec = build_registry().get("model", "xgboost")
    params = {**spec.params, "n_estimators": 30, "colsample_bytree": 1.0, "screen": 3}
    few = spec.build(params, n_classes=3, seed=0).fit(X, y)
    assert {int(name[1:]) for name in few.get_booster().get_fscore()} == kept
    few.save_model(tmp_path / "model.json")
    loaded = XGBClassifier()
    loaded.load_model(tmp_path / "model.json")
    np.testing.assert_array_equal(loaded.predict_proba(X), few.predict_proba(X))


def test_the_vote_is_the_mean_of_regression_and_discriminant():
    registry, (X, y) = build_registry(), overlapping(n=200)
    own = {"logistic_regression": {"C": 0.003}, "lda": {"shrinkage": 0.1}, "linear_vote": {}}
    fitted = {}
    for name, params in own.items():
        spec = registry.get("model", name)
        fitted[name] = spec.build({**spec.params, **params}, n_classes=4, seed=0).fit(X, y).predict_proba(X)
    # Six dimensions have six components: nothing is lost, and the penalty is the same in every direction.
    both = (fitted["logistic_regression"] + fitted["lda"]) / 2
    np.testing.assert_allclose(fitted["linear_vote"], both, atol=1e-4)
    assert not np.allclose(fitted["logistic_regression"], fitted["lda"], atol=0.02)


def test_components_from_the_covariance_are_those_from_the_vectors():
    X, _ = overlapping(n=300)
    first, second = (np.abs(BoundedPCA(4, solver).fit(X).transform(X)) for solver in ("full", "covariance_eigh"))
    np.testing.assert_allclose(first, second, atol=1e-8)


@pytest.mark.parametrize("classes", [2, 3, 6])
@pytest.mark.parametrize("kernel", ["rbf", "linear", "poly"])
def test_kernels_by_products_of_matrices_give_what_libsvm_gives(kernel, classes):
    generator = np.random.default_rng(0)
    y = generator.integers(0, classes, 150)
    X = generator.normal(size=(150, 20)) + 1.5 * np.eye(20)[y]
    params = {"kernel": kernel, "C": 3.0, "class_weight": "balanced", "break_ties": classes > 2}
    others = generator.normal(size=(40, 20))
    own, plain = SoftmaxSVC(**params).fit(X, y), SVC(**params).fit(X, y)
    np.testing.assert_array_equal(own.support_, plain.support_)
    np.testing.assert_allclose(own.support_vectors_, plain.support_vectors_)
    np.testing.assert_allclose(own.decision_function(others), plain.decision_function(others), atol=1e-9)
    np.testing.assert_array_equal(own.predict(others), plain.predict(others))


def test_a_training_part_too_large_for_its_kernel_is_fitted_value_by_value(monkeypatch):
    generator = np.random.default_rng(0)
    y = generator.integers(0, 3, 60)
    X = generator.normal(size=(60, 5)) + np.eye(5)[y]
    expected = SoftmaxSVC().fit(X, y).decision_function(X)
    monkeypatch.setattr(svc, "MOST", 59)
    monkeypatch.setattr(SoftmaxSVC, "_values", None)
    fitted = SoftmaxSVC().fit(X, y)
    monkeypatch.undo()
    np.testing.assert_allclose(fitted.decision_function(X), expected, atol=1e-9)
