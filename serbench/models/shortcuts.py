"""The second floor, above `majority`: a small forest on what is no speech."""

from __future__ import annotations

from serbench.models.params import complete, threads
from serbench.specs import ModelSpec

PARAMS = {"n_estimators": 200, "min_samples_leaf": 5, "class_weight": "balanced"}


def build(params, *, n_classes, seed):
    """Build the forest."""
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(**complete("shortcuts", PARAMS, params), n_jobs=threads(), random_state=seed)


SHORTCUTS = ModelSpec(
    name="shortcuts",
    accepts="vector",
    build=build,
    params=PARAMS,
    features=("shortcuts",),
    description="what duration, level, silence, bandwidth and format alone tell: a row that does not beat it is marked",
)
