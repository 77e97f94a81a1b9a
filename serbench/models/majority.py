"""The floor: every utterance gets the class frequencies of the training part."""

from __future__ import annotations

from serbench.models.params import complete
from serbench.specs import ModelSpec


def build(params, *, n_classes, seed):
    """Build the estimator: `predict_proba` returns the training frequencies, whatever the features."""
    from sklearn.dummy import DummyClassifier

    complete("majority", {}, params)
    return DummyClassifier(strategy="prior")


MAJORITY = ModelSpec(
    name="majority", accepts="vector", build=build, description="class frequencies of the training part"
)
