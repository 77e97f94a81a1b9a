"""The worth of one set of parameters: mean UAR over inner folds, cut from the training part."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import numpy as np
import pandas as pd

from serbench.features.matrix import FeatureMatrix
from serbench.models.params import MAX_TRAIN
from serbench.runner.cell.fitting import Training, contiguous_codes, drawn_for, fit_model, over_all_labels
from serbench.scoring import label_codes, uar
from serbench.specs import ModelSpec

Watch = Callable[[int, dict], bool]
Evaluate = Callable[[Mapping[str, Any], Watch | None], tuple[np.ndarray, dict[str, Any]]]


@dataclass
class Objective:
    """Scores parameters on inner folds; what is shared between trials is kept for its life.

    Attributes
    ----------
    rows : DataFrame
        Task table rows of the training part alone: nothing of the test part is within reach.
    matrices : sequence of FeatureMatrix
        Over the same rows, one for each choice of features.
    folds : sequence of (train, test)
        Positions in `rows`.
    level : {"speaker", "text", "stratified"}
        How the folds were cut.
    seed : int
        Of the model, the same in every trial and in the final fit.
    """

    spec: ModelSpec
    rows: pd.DataFrame
    labels: Sequence[str]
    matrices: Sequence[FeatureMatrix]
    folds: Sequence[tuple[np.ndarray, np.ndarray]]
    level: str
    seed: int
    _evaluators: dict[tuple[Any, ...], Evaluate] = field(default_factory=dict, repr=False)

    def __call__(
        self,
        params: Mapping[str, Any],
        choice: int,
        after_fold: Callable[[int, float], None],
        watch: Watch | None = None,
    ) -> tuple[float, dict[str, Any]]:
        """Score one set of parameters.

        Parameters
        ----------
        choice : int
            Position in `matrices`.
        after_fold : callable
            ``after_fold(folds done, mean UAR so far)``; may raise to give the trial up.
        watch : callable, optional
            Follows the epochs of the first fold; see `fit_model`.

        Returns
        -------
        value : float
            Mean UAR over the folds.
        found : dict
            What the fits found out (boosting rounds): medians over the folds.
        """
        truth = label_codes(self.rows["label"], self.labels)
        scores: list[float] = []
        found: list[dict[str, Any]] = []
        for number, (_, test) in enumerate(self.folds):
            probabilities, discovered = self._evaluator(number, choice, params)(params, None if number else watch)
            scores.append(uar(truth[test], probabilities.argmax(axis=1), labels=range(len(self.labels))))
            found.append(discovered)
            after_fold(number + 1, float(np.mean(scores)))
        return float(np.mean(scores)), medians(found)

    def _evaluator(self, number: int, choice: int, params: Mapping[str, Any]) -> Evaluate:
        key = (number, choice, params.get(MAX_TRAIN))
        if key not in self._evaluators:
            train, test = self.folds[number]
            if self.spec.search:
                train = drawn_for(params, self.rows, train, self.seed)
            make = self._together if self.spec.search else self._apart
            self._evaluators[key] = make(self.matrices[choice], train, test)
        return self._evaluators[key]

    def _together(self, matrix: FeatureMatrix, train: np.ndarray, test: np.ndarray) -> Evaluate:
        n_labels = len(self.labels)
        seen, codes = contiguous_codes(label_codes(self.rows["label"], self.labels), train, n_labels)
        evaluate = self.spec.search(
            matrix.take(train), codes[train], matrix.take(test), codes[test], n_classes=len(seen), seed=self.seed
        )

        def answer(params: Mapping[str, Any], watch: Watch | None) -> tuple[np.ndarray, dict[str, Any]]:
            probabilities, discovered = evaluate(params)
            return over_all_labels(probabilities, len(test), seen, n_labels), discovered

        return answer

    def _apart(self, matrix: FeatureMatrix, train: np.ndarray, test: np.ndarray) -> Evaluate:
        # A model with a validation part is stopped by the inner test part: the epoch is a choice like the others.
        training = Training(train, test if self.spec.validation else test[:0], self.level)

        def answer(params: Mapping[str, Any], watch: Watch | None) -> tuple[np.ndarray, dict[str, Any]]:
            fitted = fit_model(self.spec, params, matrix, self.rows, self.labels, training, seed=self.seed, watch=watch)
            return fitted.predict_proba(matrix.take(test)), {}

        return answer


def medians(found: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The median of each whole number over the folds; of anything else the first.

    Examples
    --------
    >>> medians([{"rounds": 90}, {"rounds": 140}, {"rounds": 100}])
    {'rounds': 100}
    """
    return {name: _middle([fold[name] for fold in found]) for name in found[0]}


def _middle(values: Sequence[Any]) -> Any:
    return round(median(values)) if isinstance(values[0], int) else values[0]
