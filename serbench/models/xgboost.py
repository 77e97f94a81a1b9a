"""Gradient-boosted trees (XGBoost, histogram method) on vectors."""

from __future__ import annotations

from serbench.models.params import complete, threads
from serbench.specs import ModelSpec

PARAMS = {
    "n_estimators": 300,
    "learning_rate": 0.1,
    "max_depth": 3,
    "min_child_weight": 1.0,
    "subsample": 0.8,
    "colsample_bytree": 0.3,
    "reg_lambda": 1.0,
    "reg_alpha": 0.0,
    "max_bin": 64,
    # At most so many values of a vector are looked at, none repeating another; None: all of them.
    "screen": None,
    "early_stopping_rounds": None,
    "device": "cpu",
}
MOST_ROUNDS, PATIENCE = 400, 20


def build(params, *, n_classes, seed):
    """Build the booster; ``device="cuda"`` trains on a graphics card. Only a search stops early.

    ``screen=400`` fits several times faster on long vectors, to at most 400 values that do not repeat one another.
    """
    from xgboost import XGBClassifier

    chosen = complete("xgboost", PARAMS, params)
    del chosen["early_stopping_rounds"]
    chosen |= {"tree_method": "hist", "n_jobs": threads(), "random_state": seed, "verbosity": 0}
    screen = chosen.pop("screen")
    if screen is None:
        return XGBClassifier(**chosen)
    from serbench.models.shallow.screening import ScreenedXGBClassifier

    return ScreenedXGBClassifier(screen=screen, **chosen)


def space(trial):
    """Search depth, rate, subsampling and regularisation; early stopping finds the rounds."""
    return {
        "n_estimators": MOST_ROUNDS,
        "early_stopping_rounds": PATIENCE,
        "learning_rate": trial.suggest_float("learning_rate", 0.03, 0.3, log=True),
        "max_depth": trial.suggest_int("max_depth", 2, 6),
        "min_child_weight": trial.suggest_float("min_child_weight", 0.5, 10.0, log=True),
        "subsample": trial.suggest_float("subsample", 0.5, 1.0),
        "colsample_bytree": trial.suggest_float("colsample_bytree", 0.03, 0.5, log=True),
        "reg_lambda": trial.suggest_float("reg_lambda", 1e-2, 10.0, log=True),
        "reg_alpha": trial.suggest_float("reg_alpha", 0.0, 1.0),
    }


def search(X, y, Xv, yv, *, n_classes, seed):
    """Stop when the inner test part gets no better, and tell the rounds that were best."""
    known = yv >= 0

    def evaluate(params):
        booster, patience = build(params, n_classes=n_classes, seed=seed), params.get("early_stopping_rounds")
        if patience is None:
            return booster.fit(X, y).predict_proba(Xv), {}
        booster.set_params(early_stopping_rounds=patience)
        booster.fit(X, y, eval_set=[(Xv[known], yv[known])], verbose=False)
        return booster.predict_proba(Xv), {"n_estimators": booster.best_iteration + 1, "early_stopping_rounds": None}

    return evaluate


XGBOOST = ModelSpec(
    name="xgboost",
    accepts="vector",
    build=build,
    params=PARAMS,
    space=space,
    search=search,
    description="gradient-boosted trees (XGBoost)",
)
