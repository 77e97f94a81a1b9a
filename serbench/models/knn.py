"""Nearest neighbours on standardised vectors, after a projection to principal components."""

from __future__ import annotations

from functools import cache

from serbench.models.params import MAX_TRAIN, complete
from serbench.specs import ModelSpec

PARAMS = {
    "n_neighbors": 10,
    "weights": "distance",
    "metric": "euclidean",
    "n_components": 100,
    "scaler": "standard",
    MAX_TRAIN: None,
}


def build(params, *, n_classes, seed):
    """Build scaler, projection and neighbours."""
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline

    from serbench.models.shallow.projection import BoundedPCA
    from serbench.models.shallow.scaling import make_scaler

    chosen = complete("knn", PARAMS, params)
    del chosen[MAX_TRAIN]
    projection = BoundedPCA(chosen.pop("n_components"))
    scaler = make_scaler(chosen.pop("scaler"))
    return make_pipeline(scaler, projection, KNeighborsClassifier(**chosen, algorithm="brute", n_jobs=1))


def space(trial):
    """Search the neighbourhood, its metric and the projection."""
    return {
        "n_neighbors": trial.suggest_int("n_neighbors", 1, 40, log=True),
        "weights": trial.suggest_categorical("weights", ["uniform", "distance"]),
        "metric": trial.suggest_categorical("metric", ["euclidean", "manhattan", "cosine"]),
        "n_components": trial.suggest_int("n_components", 10, 200, log=True),
    }


def search(X, y, Xv, yv, *, n_classes, seed):
    """Scale and project once: fewer components are the first of them."""
    from sklearn.neighbors import KNeighborsClassifier

    from serbench.models.shallow.projection import project_once
    from serbench.models.shallow.scaling import scale_both

    @cache
    def projected(scaler):
        return project_once(*scale_both(scaler, X, Xv))

    def evaluate(params):
        chosen = complete("knn", PARAMS, params)
        del chosen[MAX_TRAIN]
        vectors, vectors_v = projected(chosen.pop("scaler"))
        kept = slice(chosen.pop("n_components"))
        neighbours = KNeighborsClassifier(**chosen, algorithm="brute", n_jobs=1).fit(vectors[:, kept], y)
        return neighbours.predict_proba(vectors_v[:, kept]), {}

    return evaluate


KNN = ModelSpec(
    name="knn",
    accepts="vector",
    version="2",
    build=build,
    params=PARAMS,
    space=space,
    search=search,
    description="k nearest neighbours in the space of the first principal components",
)
