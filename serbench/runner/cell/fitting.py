"""Fit a model on the training rows of a task and answer over the whole label list."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import ThreadpoolController

from serbench.errors import ModelError
from serbench.features.matrix import FeatureMatrix
from serbench.identity import seed_for
from serbench.models.params import MAX_TRAIN, threads
from serbench.protocols.balanced_folds import draw_evenly
from serbench.protocols.inner import validation_split
from serbench.scoring import label_codes
from serbench.specs import Mistake, ModelSpec


@dataclass(frozen=True)
class Training:
    """Positions to fit on and to validate on, and how the latter were cut ("" where there are none)."""

    fit: np.ndarray
    validation: np.ndarray
    level: str


def training_parts(
    table: pd.DataFrame,
    train: np.ndarray,
    test: np.ndarray,
    independence: Collection[str],
    *,
    validate: bool,
    mistake: Mistake,
    seed: int,
) -> Training:
    """Cut the validation part from the training part, with the protocol's own independence.

    Parameters
    ----------
    table : DataFrame
        Task table.
    train, test : ndarray of int
        Positions on each side.
    validate : bool
        Whether there is a validation part at all.
    mistake : Mistake
        One that validates on test takes the test part for it.
    """
    if not validate:
        return Training(train, train[:0], "")
    if mistake.validates_on_test:
        return Training(train, test, "test")
    fit, validation, level = validation_split(table.iloc[train].reset_index(drop=True), independence, seed=seed)
    return Training(train[fit], train[validation], level)


@dataclass(frozen=True)
class FittedModel:
    """An estimator with the codes of the classes it has seen, answering over the whole label list.

    `start_up` are the seconds that building took: the first time in a process it loads the libraries. `drawn` are the
    utterances that a model with `max_train` was fitted to, where there were more.
    """

    estimator: Any
    seen: np.ndarray
    n_labels: int
    start_up: float = 0.0
    drawn: int | None = None

    def predict_proba(self, features: Any) -> np.ndarray:
        """Probabilities (n, n_labels); a class absent from training has probability 0."""
        return over_all_labels(self.estimator.predict_proba(features), len(features), self.seen, self.n_labels)


def over_all_labels(answered: Any, utterances: int, seen: np.ndarray, n_labels: int) -> np.ndarray:
    """Spread probabilities of the classes seen over the whole label list.

    Raises
    ------
    ModelError
        If they are not finite or not of shape (utterances, len(seen)).
    """
    answered = np.asarray(answered)
    expected = (utterances, len(seen))
    if answered.dtype.kind not in "fiub":
        raise ModelError(f"predict_proba returned {answered.dtype}, not numbers", hint="see `serbench check FILE`")
    answered = answered.astype(np.float64)
    if answered.shape != expected or not np.isfinite(answered).all():
        raise ModelError(
            f"predict_proba returned shape {answered.shape} (expected {expected}) or values that are not finite",
            hint="`serbench check FILE` tests a model of your own",
        )
    full = np.zeros((utterances, n_labels))
    full[:, seen] = answered
    return full


def contiguous_codes(codes: np.ndarray, train: np.ndarray, n_labels: int) -> tuple[np.ndarray, np.ndarray]:
    """The classes present in training, and every utterance's code among them (-1 for a class that is not)."""
    seen = np.unique(codes[train])
    position = np.full(n_labels, -1)
    position[seen] = np.arange(len(seen))
    return seen, position[codes]


def drawn_for(params: Mapping[str, Any], table: pd.DataFrame, train: np.ndarray, seed: int) -> np.ndarray:
    """The training rows that a model takes: all, or `max_train` of them, drawn evenly over speakers and classes.

    Raises
    ------
    ModelError
        If `max_train` is no number of rows.
    """
    most = params.get(MAX_TRAIN)
    if most is None:
        return train
    if isinstance(most, bool) or not isinstance(most, int) or most < 2:
        raise ModelError(f"{MAX_TRAIN} is {most!r}", hint="give a whole number from 2 up, or null for all rows")
    if len(train) <= most:
        return train
    return train[draw_evenly(table.iloc[train], most, seed_for(seed, MAX_TRAIN))]


def fit_model(
    spec: ModelSpec,
    params: Mapping[str, Any],
    matrix: FeatureMatrix,
    table: pd.DataFrame,
    labels: Sequence[str],
    training: Training,
    *,
    seed: int,
    watch: Callable[[int, dict], bool] | None = None,
) -> FittedModel:
    """Build and fit a model on the training rows; it sees contiguous codes of the classes present there.

    Of a model with the parameter `max_train` it is so many of these rows (see `drawn_for`).

    Parameters
    ----------
    watch : callable, optional
        Handed to an estimator that has an attribute of this name: ``watch(epoch, history) -> bool`` is called after
        each epoch, and True stops the training.
    """
    fit = drawn_for(params, table, training.fit, seed)
    seen, codes = contiguous_codes(label_codes(table["label"], labels), fit, len(labels))
    if len(seen) < 2:
        raise ModelError("the training part holds fewer than two classes", hint="choose another protocol or labels")
    arguments: dict[str, Any] = {}
    if spec.validation and len(training.validation):
        usable = training.validation[codes[training.validation] >= 0]
        arguments["validation"] = (matrix.take(usable), codes[usable])
    if spec.groups:
        arguments["groups"] = table["speaker"].to_numpy()[fit]
    begun = time.perf_counter()
    estimator = spec.build(dict(params), n_classes=len(seen), seed=seed)
    start_up = time.perf_counter() - begun
    if watch is not None:
        estimator.watch = watch
    # A plug-in's library may have come with threads of its own.
    with _thread_pools(len(sys.modules)).limit(limits=threads()):
        estimator.fit(matrix.take(fit), codes[fit], **arguments)
    drawn = len(fit) if len(fit) < len(training.fit) else None
    return FittedModel(estimator, seen, len(labels), start_up, drawn)


@lru_cache(maxsize=1)
def _thread_pools(modules: int) -> ThreadpoolController:
    # They are looked for among all that the process has loaded: again where modules have come since.
    return ThreadpoolController()
