"""Linear discriminant analysis with shrinkage, after a projection to principal components."""

from __future__ import annotations

from functools import cache

from serbench.models.params import complete
from serbench.specs import ModelSpec

PARAMS = {"n_components": 200, "shrinkage": "auto", "scaler": "standard"}


def build(params, *, n_classes, seed):
    """Build scaler, projection and discriminant (equal priors: every class counts the same)."""
    from sklearn.pipeline import make_pipeline

    from serbench.models.shallow.discriminant import make_discriminant
    from serbench.models.shallow.projection import BoundedPCA
    from serbench.models.shallow.scaling import make_scaler

    chosen = complete("lda", PARAMS, params)
    discriminant = make_discriminant(chosen["shrinkage"], n_classes)
    return make_pipeline(make_scaler(chosen["scaler"]), BoundedPCA(chosen["n_components"]), discriminant)


def space(trial):
    """Search the projection and the shrinkage ("auto": Ledoit and Wolf's)."""
    shrinkage = trial.suggest_categorical("shrinkage", ["auto", 0.01, 0.03, 0.1, 0.3])
    return {"n_components": trial.suggest_int("n_components", 20, 400, log=True), "shrinkage": shrinkage}


def search(X, y, Xv, yv, *, n_classes, seed):
    """Scale and project once: fewer components are the first of them."""
    from serbench.models.shallow.discriminant import make_discriminant
    from serbench.models.shallow.projection import project_once
    from serbench.models.shallow.scaling import scale_both

    @cache
    def projected(scaler):
        return project_once(*scale_both(scaler, X, Xv))

    def evaluate(params):
        chosen = complete("lda", PARAMS, params)
        (vectors, vectors_v), kept = projected(chosen["scaler"]), slice(chosen["n_components"])
        discriminant = make_discriminant(chosen["shrinkage"], n_classes).fit(vectors[:, kept], y)
        return discriminant.predict_proba(vectors_v[:, kept]), {}

    return evaluate


LDA = ModelSpec(
    name="lda",
    accepts="vector",
    build=build,
    params=PARAMS,
    space=space,
    search=search,
    description="shrinkage linear discriminant analysis on principal components",
)
