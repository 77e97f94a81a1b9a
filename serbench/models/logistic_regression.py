"""Multinomial logistic regression on standardised vectors."""

from __future__ import annotations

from serbench.models.params import complete
from serbench.specs import ModelSpec

PARAMS = {"C": 0.01, "class_weight": "balanced", "max_iter": 500, "scaler": "standard"}


def build(params, *, n_classes, seed):
    """Build scaler and regression (L2 penalty, L-BFGS)."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    from serbench.models.shallow.scaling import make_scaler

    chosen = complete("logistic_regression", PARAMS, params)
    return make_pipeline(make_scaler(chosen.pop("scaler")), LogisticRegression(**chosen))


def space(trial):
    """Search the strength of the penalty."""
    return {
        "C": trial.suggest_float("C", 1e-4, 1e2, log=True),
        "class_weight": trial.suggest_categorical("class_weight", ["balanced", None]),
    }


LOGISTIC_REGRESSION = ModelSpec(
    name="logistic_regression",
    accepts="vector",
    build=build,
    params=PARAMS,
    space=space,
    description="multinomial logistic regression",
)
