"""Random forest on vectors."""

from __future__ import annotations

from serbench.models.params import complete, threads
from serbench.specs import ModelSpec

PARAMS = {
    "n_estimators": 300,
    "max_depth": None,
    "max_features": "sqrt",
    "min_samples_leaf": 1,
    "class_weight": "balanced",
}


def build(params, *, n_classes, seed):
    """Build the forest."""
    from sklearn.ensemble import RandomForestClassifier

    chosen = complete("random_forest", PARAMS, params)
    return RandomForestClassifier(**chosen, n_jobs=threads(), random_state=seed)


def space(trial):
    """Search the number and the depth of the trees, and what a split may look at."""
    return {
        "n_estimators": trial.suggest_int("n_estimators", 100, 600, step=100),
        "max_depth": trial.suggest_categorical("max_depth", [None, 8, 16]),
        "max_features": trial.suggest_categorical("max_features", ["sqrt", "log2", 0.05, 0.1]),
        "min_samples_leaf": trial.suggest_int("min_samples_leaf", 1, 8, log=True),
    }


RANDOM_FOREST = ModelSpec(
    name="random_forest", accepts="vector", build=build, params=PARAMS, space=space, description="random forest"
)
