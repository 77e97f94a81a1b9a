"""Fit a model on the training rows of a task and answer over the whole label list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from serbench.errors import ModelError
from serbench.features.matrix import FeatureMatrix
from serbench.specs import ModelSpec


@dataclass(frozen=True)
class Training:
    """Positions to fit on and to validate on, and how the latter were cut ("" where there are none)."""

    fit: np.ndarray
    validation: np.ndarray
    level: str


@dataclass(frozen=True)
class FittedModel:
    """An estimator with the codes of the classes it has seen, answering over the whole label list."""

    estimator: Any
    seen: np.ndarray
    n_labels: int

    def predict_proba(self, features: Any) -> np.ndarray:
        """Probabilities (n, n_labels); a class absent from training has probability 0."""
        answered = np.asarray(self.estimator.predict_proba(features), dtype=np.float64)
        expected = (len(features), len(self.seen))
        if answered.shape != expected or not np.isfinite(answered).all():
            raise ModelError(
                f"predict_proba returned shape {answered.shape} (expected {expected}) or values that are not finite",
                hint="`serbench check FILE` tests a model of your own",
            )
        full = np.zeros((len(features), self.n_labels))
        full[:, self.seen] = answered
        return full


def fit_model(
    spec: ModelSpec,
    params: Mapping[str, Any],
    matrix: FeatureMatrix,
    table: pd.DataFrame,
    labels: Sequence[str],
    training: Training,
    *,
    seed: int,
) -> FittedModel:
    """Build and fit a model on the training rows; it sees contiguous codes of the classes present there."""
    position = {label: code for code, label in enumerate(labels)}
    codes = table["label"].map(position).to_numpy()
    seen = np.unique(codes[training.fit])
    contiguous = np.full(len(labels), -1)
    contiguous[seen] = np.arange(len(seen))
    if len(seen) < 2:
        raise ModelError("the training part holds fewer than two classes", hint="choose another protocol or labels")
    arguments: dict[str, Any] = {}
    if len(training.validation):
        usable = training.validation[contiguous[codes[training.validation]] >= 0]
        arguments["validation"] = (matrix.take(usable), contiguous[codes[usable]])
    if spec.groups:
        arguments["groups"] = table["speaker"].to_numpy()[training.fit]
    estimator = spec.build(dict(params), n_classes=len(seen), seed=seed)
    estimator.fit(matrix.take(training.fit), contiguous[codes[training.fit]], **arguments)
    return FittedModel(estimator, seen, len(labels))
