"""Support vector machine on standardised vectors; probabilities are the softmax of one-vs-rest decision values."""

from __future__ import annotations

from functools import cache

from serbench.models.params import MAX_TRAIN, complete
from serbench.specs import ModelSpec

PARAMS = {
    "kernel": "rbf",
    "C": 10.0,
    "gamma": "scale",
    "class_weight": "balanced",
    "scaler": "standard",
    MAX_TRAIN: None,
}


def build(params, *, n_classes, seed):
    """Build scaler and support vector classifier."""
    from sklearn.pipeline import make_pipeline

    from serbench.models.shallow.scaling import make_scaler
    from serbench.models.shallow.svc import SoftmaxSVC

    chosen = complete("svm", PARAMS, params)
    del chosen[MAX_TRAIN]
    scaler = make_scaler(chosen.pop("scaler"))
    return make_pipeline(scaler, SoftmaxSVC(**chosen, break_ties=True, random_state=seed))


def space(trial):
    """Search the kernel, its width and the price of an error."""
    params = {
        "kernel": trial.suggest_categorical("kernel", ["rbf", "linear"]),
        "C": trial.suggest_float("C", 1e-3, 1e2, log=True),
        "class_weight": trial.suggest_categorical("class_weight", ["balanced", None]),
    }
    if params["kernel"] == "rbf":
        params["gamma"] = trial.suggest_float("gamma", 1e-5, 1e-1, log=True)
    return params


def search(X, y, Xv, yv, *, n_classes, seed):
    """Scale once and keep the inner products: every trial's kernel is made from them."""
    from serbench.models.shallow.kernels import KernelTrials
    from serbench.models.shallow.scaling import scale_both

    @cache
    def trials(scaler):
        scaled, scaled_v = scale_both(scaler, X, Xv)
        return KernelTrials(scaled, y, scaled_v, seed)

    def evaluate(params):
        chosen = complete("svm", PARAMS, params)
        del chosen[MAX_TRAIN]
        return trials(chosen.pop("scaler")).predict_proba(**chosen), {}

    return evaluate


SVM = ModelSpec(
    name="svm",
    accepts="vector",
    build=build,
    params=PARAMS,
    space=space,
    search=search,
    description="RBF support vector machine; softmax of the one-vs-rest decision values",
)
