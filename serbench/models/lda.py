"""Linear discriminant analysis with shrinkage, after a projection to principal components."""

from __future__ import annotations

from serbench.models.params import complete
from serbench.specs import ModelSpec

PARAMS = {"n_components": 200, "shrinkage": "auto"}


def build(params, *, n_classes, seed):
    """Build scaler, projection and discriminant (equal priors: every class counts the same)."""
    import numpy as np
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from serbench.models.shallow.projection import BoundedPCA

    chosen = complete("lda", PARAMS, params)
    discriminant = LinearDiscriminantAnalysis(
        solver="lsqr", shrinkage=chosen["shrinkage"], priors=np.full(n_classes, 1 / n_classes)
    )
    return make_pipeline(StandardScaler(), BoundedPCA(chosen["n_components"]), discriminant)


def space(trial):
    """Search the projection and the shrinkage ("auto": Ledoit and Wolf's)."""
    shrinkage = trial.suggest_categorical("shrinkage", ["auto", 0.01, 0.03, 0.1, 0.3])
    return {"n_components": trial.suggest_int("n_components", 20, 400, log=True), "shrinkage": shrinkage}


LDA = ModelSpec(
    name="lda",
    accepts="vector",
    build=build,
    params=PARAMS,
    space=space,
    description="shrinkage linear discriminant analysis on principal components",
)
