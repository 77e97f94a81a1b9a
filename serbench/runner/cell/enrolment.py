"""A cell that hears utterances of its test speakers: features normalised by speaker, the way chosen inside training.

With n = 0 a new speaker is unknown, and the cell is the plain row on the utterances that the others score.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Any

import numpy as np
import pandas as pd

from serbench.errors import EnrolmentError
from serbench.features.enrolment import METHODS, Adaptation, Population, adapted
from serbench.features.matrix import FeatureMatrix
from serbench.identity import canonical_json
from serbench.protocols.enrolment import Enrolment, draw_enrolment
from serbench.protocols.inner import inner_folds
from serbench.records import Cell
from serbench.records.enrolling import ANY
from serbench.runner.cell.copies import are_originals, followed_by_copies
from serbench.runner.cell.fitting import FittedModel, Training, fit_model, training_parts
from serbench.runner.cell.jobs import CellJob, cell_seed
from serbench.runner.cell.recipe import Recipe
from serbench.scoring import label_codes, uar

# Pseudo-utterances of the population that a new speaker's statistics are shrunk with.
STRENGTHS = (0.5, 1.0, 2.0, 5.0, 10.0)
INNER = 3
# What a worker remembers. Cells that differ in n come one after the other; the next seed meets all folds again.
KEPT_FOLDS, KEPT_FITS = 24, 3


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
        """Features with each training speaker, copies included, normalised by all that they said themselves.

        Copies have no part in the statistics: they are altered voices, each by a factor of its own and so together
        nobody's, while a new speaker is normalised by originals alone. What is subtracted and divided by is then the
        same with copies and without.
        """
        if self.adaptation is None:
            return self.matrix
        own = _by_speaker(self.table, self.train)
        known = {name: (said, followed_by_copies(self.table, said)) for name, said in own.items()}
        return adapted(self.matrix, self.adaptation, known, {})

    def answer(self, fitted: FittedModel, enrolment: Enrolment) -> tuple[np.ndarray, np.ndarray]:
        """Positions that are scored, and their probabilities (n, labels) after the enrolment.

        A fitted estimator that has ``adapt(X) -> estimator`` is adapted to each speaker's features heard, without
        labels; it must leave itself as it is.
        """
        if self.adaptation is None:
            rows = np.flatnonzero(self.table["id"].isin(set(enrolment.scored)))
            return rows, fitted.predict_proba(self.matrix.take(rows))
        # Of the new speakers alone, as they spoke: what is known of the others is in the model.
        own_rows = np.flatnonzero(self.table["speaker"].isin(set(enrolment.heard)) & are_originals(self.table))
        speakers = self.table["speaker"].to_numpy()[own_rows]
        places = pd.Series(np.arange(len(own_rows)), index=self.table["id"].to_numpy()[own_rows])
        scored = places[list(enrolment.scored)].to_numpy()
        heard = {speaker: places[list(names)].to_numpy() for speaker, names in enrolment.heard.items()}
        new = {name: (own, np.flatnonzero(speakers == name)) for name, own in heard.items()}
        own_matrix = self.matrix.select([self.matrix.ids[row] for row in own_rows])
        matrix = adapted(own_matrix, self.adaptation, {}, new, others=enrolment.others)
        if not callable(getattr(fitted.estimator, "adapt", None)):
            return own_rows[scored], fitted.predict_proba(matrix.take(scored))
        answers = np.zeros((len(scored), fitted.n_labels))
        for name, own in heard.items():
            rows = np.flatnonzero(speakers[scored] == name)
            for part in rows[:, None] if enrolment.others else [rows]:
                known = np.setdiff1d(own, scored[part])
                adapted_model = replace(fitted, estimator=fitted.estimator.adapt(matrix.take(known)))
                answers[part] = adapted_model.predict_proba(matrix.take(scored[part]))
        return own_rows[scored], answers

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
    method, strength, reached = _inner_of(recipe).choice(_setting(job.cell))
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
        self.chosen: dict[str, tuple[str, float, float]] = {}

    def _fitted(self, number: int, method: str) -> tuple[Enroller, FittedModel]:
        recipe, (fit, test) = self.recipe, self.folds[number]
        population = Population.of(recipe.matrix, _by_speaker(recipe.table, fit))
        enroller = Enroller(recipe.table, recipe.matrix, fit, Adaptation(method, STRENGTHS[0], population))
        training = training_parts(
            recipe.table, fit, test, recipe.job.independence, validate=recipe.spec.validation,
            mistake=recipe.job.mistake, seed=self.seed,
        )  # fmt: skip
        training = replace(training, fit=followed_by_copies(recipe.table, training.fit))
        return enroller, fit_model(
            recipe.spec, recipe.params, enroller.known_matrix(), recipe.table, recipe.labels, training, seed=self.seed
        )

    def choice(self, setting: Mapping[str, Any]) -> tuple[str, float, float]:
        """The best method and strength, and the UAR that they reached."""
        key = canonical_json(setting)
        if key not in self.chosen:
            reached = self.reached(setting)
            best = max(reached, key=lambda pair: reached[pair])
            self.chosen[key] = (*best, round(reached[best], 4))
        return self.chosen[key]

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


# A recipe holds tables and cannot be a key: what is made under a key is put into its slot.
@lru_cache(maxsize=KEPT_FOLDS)
def _inner_slot(*key: Any) -> dict[str, Any]:
    return {}


@lru_cache(maxsize=KEPT_FITS)
def _fit_slot(*key: Any) -> dict[str, Any]:
    return {}


def _inner_of(recipe: Recipe) -> _Inner:
    """The inner folds of a recipe, from memory where a cell of the same fold and model was run before."""
    slot = _inner_slot(replace(recipe.job.cell, seed=0, enrol={}).id, *_made_of(recipe.job))
    if not slot:
        slot["made"] = _Inner(recipe)
    return slot["made"]


def fit_known(recipe: Recipe, training: Training) -> tuple[FittedModel, float]:
    """Fit on known speakers, and the seconds it took: every n under one method has the same model."""
    method = recipe.adaptation.method if recipe.adaptation else ""
    slot = _fit_slot(replace(recipe.job.cell, enrol={}).id, method, *_made_of(recipe.job))
    if not slot:
        begun = time.perf_counter()
        slot["made"] = recipe.fit(training)
        slot["seconds"] = time.perf_counter() - begun
    return slot["made"], slot["seconds"]


def _made_of(job: CellJob) -> tuple[Any, ...]:
    return str(job.task_file), job.corpus.get("fingerprint"), job.plugin_hash, job.force


def _by_speaker(table: pd.DataFrame, positions: Iterable[int]) -> dict[str, np.ndarray]:
    rows = table["speaker"].iloc[positions]
    return {str(name): np.asarray(positions)[found] for name, found in rows.groupby(rows.to_numpy()).indices.items()}
