"""A cell that hears utterances of its test speakers: features normalised by speaker, the way chosen inside training.

With n = 0 a new speaker is unknown, and the cell is the plain row on the utterances that the others score.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Any

import numpy as np
import pandas as pd

from serbench.errors import EnrolmentError
from serbench.features.enrolment import METHODS, Adaptation, Population, adapted
from serbench.features.matrix import FeatureMatrix
from serbench.protocols.enrolment import Enrolment, draw_enrolment
from serbench.protocols.inner import inner_folds
from serbench.records import Cell
from serbench.records.enrolling import ANY
from serbench.runner.cell.fitting import FittedModel, fit_model, training_parts
from serbench.runner.cell.jobs import cell_seed
from serbench.runner.cell.recipe import Recipe
from serbench.scoring import label_codes, uar

# Pseudo-utterances of the population that a new speaker's statistics are shrunk with.
STRENGTHS = (0.5, 1.0, 2.0, 5.0, 10.0)
INNER = 3


@dataclass(frozen=True)
class Enroller:
    """Normalises the features of a cell, and answers for its new speakers.

    Attributes
    ----------
    adaptation : Adaptation, optional
        None with n = 0.
    reached : float, optional
        UAR on training speakers treated as new ones.
    """

    table: pd.DataFrame
    matrix: FeatureMatrix
    train: np.ndarray
    adaptation: Adaptation | None = None
    reached: float | None = None

    def known_matrix(self) -> FeatureMatrix:
        """Features with each training speaker normalised by all their own."""
        if self.adaptation is None:
            return self.matrix
        return adapted(self.matrix, self.adaptation, _by_speaker(self.table, self.train), {})

    def answer(self, fitted: FittedModel, enrolment: Enrolment) -> tuple[np.ndarray, np.ndarray]:
        """Positions that are scored, and their probabilities (n, labels) after the enrolment.

        A fitted estimator that has ``adapt(X) -> estimator`` is adapted to each speaker's features heard, without
        labels; it must leave itself as it is.
        """
        places = pd.Series(np.arange(len(self.table)), index=self.table["id"])
        scored = places[list(enrolment.scored)].to_numpy()
        heard = {speaker: places[list(names)].to_numpy() for speaker, names in enrolment.heard.items()}
        if self.adaptation is None:
            return scored, fitted.predict_proba(self.matrix.take(scored))
        speakers = self.table["speaker"].to_numpy()
        new = {name: (own, np.flatnonzero(speakers == name)) for name, own in heard.items()}
        matrix = adapted(self.matrix, self.adaptation, {}, new, others=enrolment.others)
        if not callable(getattr(fitted.estimator, "adapt", None)):
            return scored, fitted.predict_proba(matrix.take(scored))
        answers = np.zeros((len(scored), fitted.n_labels))
        for name, own in heard.items():
            rows = np.flatnonzero(speakers[scored] == name)
            for part in rows[:, None] if enrolment.others else [rows]:
                known = np.setdiff1d(own, scored[part])
                adapted_model = replace(fitted, estimator=fitted.estimator.adapt(matrix.take(known)))
                answers[part] = adapted_model.predict_proba(matrix.take(scored[part]))
        return scored, answers

    def to_json(self) -> dict[str, Any]:
        """What a record keeps."""
        if self.adaptation is None:
            return {}
        return {"method": self.adaptation.method, "strength": self.adaptation.strength, "uar": self.reached}


def enrolling(recipe: Recipe) -> tuple[Recipe, Enroller | None]:
    """The recipe with features normalised as the cell's `enrol` asks for, and what answers for new speakers then."""
    if not recipe.job.cell.enrol:
        return recipe, None
    enroller = enroller_of(recipe)
    return replace(recipe, matrix=enroller.known_matrix(), adaptation=enroller.adaptation), enroller


def enroller_of(recipe: Recipe) -> Enroller:
    """Choose how new speakers are normalised, by treating training speakers as new ones.

    The choice is that of the fold and of n: neither the test part nor the draw enters it.

    Raises
    ------
    EnrolmentError
        If training has fewer than two speakers, or none with utterances enough.
    """
    job, table = recipe.job, recipe.table
    if not job.cell.enrol["utterances"]:
        return Enroller(table, recipe.matrix, job.train)
    population = Population.of(recipe.matrix, _by_speaker(table, job.train))
    method, strength, reached = _choice(_Inner.of(recipe), _setting(job.cell))
    return Enroller(table, recipe.matrix, job.train, Adaptation(method, strength, population), reached)


def validation_enrolment(recipe: Recipe, positions: np.ndarray) -> Enrolment:
    """Draw for a validation part whose speakers are treated as new ones, as an ensemble is calibrated on."""
    rows = recipe.table.iloc[np.sort(positions)]
    if not recipe.job.cell.enrol["utterances"]:
        return Enrolment({}, tuple(rows["id"]))
    return draw_enrolment(
        rows, _setting(recipe.job.cell), seed=recipe.job.seed("enrolled validation"), short="leave out"
    )


def _setting(cell: Cell) -> dict[str, Any]:
    # Within training a single n is looked at: nothing more is kept from scoring.
    setting = cell.enrol
    number = setting["utterances"]
    return {**setting, "apart": {} if number == "all" else {setting.get("label", ANY): number}}


class _Inner:
    """Fits of the inner folds of one outer fold, each made once for all n."""

    def __init__(self, recipe: Recipe):
        job, cell = recipe.job, replace(recipe.job.cell, seed=0)
        self.recipe = recipe
        self.seed = cell_seed(cell, job.nicknames, "inner enrolment")
        rows = recipe.table.iloc[job.train].reset_index(drop=True)
        folds, _ = inner_folds(rows, {"speaker"}, k=INNER, seed=self.seed)
        # A network costs as much as all the classical fits together.
        folds = folds[:1] if recipe.spec.accepts == "sequence" else folds
        self.folds = [(job.train[fit], job.train[test]) for fit, test in folds]
        self.fitted = cache(self._fitted)

    @classmethod
    def of(cls, recipe: Recipe) -> _Inner:
        """Those of a recipe, from memory where the last cell was of the same fold."""
        job = recipe.job
        key = replace(job.cell, seed=0, enrol={}).id, str(job.task_file), job.corpus.get("fingerprint"), job.plugin_hash
        slot = _slot(*key)
        if not slot:
            slot["inner"] = cls(recipe)
        return slot["inner"]

    def _fitted(self, number: int, method: str) -> tuple[Enroller, FittedModel]:
        recipe, (fit, test) = self.recipe, self.folds[number]
        population = Population.of(recipe.matrix, _by_speaker(recipe.table, fit))
        enroller = Enroller(recipe.table, recipe.matrix, fit, Adaptation(method, STRENGTHS[0], population))
        training = training_parts(
            recipe.table, fit, test, recipe.job.independence, validate=recipe.spec.validation,
            mistake=recipe.job.mistake, seed=self.seed,
        )  # fmt: skip
        return enroller, fit_model(
            recipe.spec, recipe.params, enroller.known_matrix(), recipe.table, recipe.labels, training, seed=self.seed
        )

    def reached(self, setting: Mapping[str, Any]) -> dict[tuple[str, float], float]:
        """UAR of each method and strength, pooled over the inner folds."""
        table, labels = self.recipe.table, self.recipe.labels
        truths = label_codes(table["label"].tolist(), labels)
        answers: dict[tuple[str, float], list[np.ndarray]] = {}
        rows: list[np.ndarray] = []
        for number, (_, test) in enumerate(self.folds):
            try:
                drawn = draw_enrolment(table.iloc[np.sort(test)], setting, seed=self.seed, short="leave out")
            except EnrolmentError:
                continue
            for method in METHODS:
                enroller, model = self.fitted(number, method)
                for strength in STRENGTHS:
                    tried = replace(enroller, adaptation=replace(enroller.adaptation, strength=strength))
                    scored, probabilities = tried.answer(model, drawn)
                    answers.setdefault((method, strength), []).append(probabilities.argmax(axis=1))
            rows.append(scored)
        if not rows:
            raise EnrolmentError(
                f"no training speaker has more than {setting['utterances']} such utterances",
                hint="how to shrink is chosen on training speakers: enrol fewer",
            )
        truth = truths[np.concatenate(rows)]
        return {key: uar(truth, np.concatenate(found), labels=range(len(labels))) for key, found in answers.items()}


@lru_cache(maxsize=1)
def _slot(*key: Any) -> dict[str, _Inner]:
    # A recipe holds tables and cannot be a key: what was made under a key is put here.
    return {}


def _choice(inner: _Inner, setting: Mapping[str, Any]) -> tuple[str, float, float]:
    reached = inner.reached(setting)
    (method, strength), best = max(reached.items(), key=lambda item: item[1])
    return method, strength, round(best, 4)


def _by_speaker(table: pd.DataFrame, positions: Iterable[int]) -> dict[str, np.ndarray]:
    rows = table["speaker"].iloc[positions]
    return {str(name): np.asarray(positions)[found] for name, found in rows.groupby(rows.to_numpy()).indices.items()}
