"""Train the model of one cell, as its job says: labels, search, validation part, copies, fit."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd

from serbench.features.matrix import FeatureMatrix
from serbench.runner.cell.copies import followed_by_copies, with_permuted_labels
from serbench.runner.cell.fitting import FittedModel, Training, fit_model, training_parts
from serbench.runner.cell.inputs import read_matrix, read_task_table
from serbench.runner.cell.jobs import CellJob
from serbench.runner.cell.tuning.cell import tune_cell
from serbench.specs import ModelSpec


class Clock:
    """Wall seconds between laps."""

    def __init__(self):
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str, seconds: float | None = None) -> None:
        """Name the time since the last lap; `seconds` replaces it where part of the work was done by an earlier run."""
        now = time.perf_counter()
        self.seconds[name], self._last = round(now - self._last if seconds is None else seconds, 4), now

    def take(self, name: str, seconds: float, *, out_of: str) -> None:
        """Name a part of a lap."""
        self.seconds[name] = round(seconds, 4)
        self.seconds[out_of] = round(self.seconds[out_of] - self.seconds[name], 4)


@dataclass
class TrainedCell:
    """A cell's fitted model, with what its answers and its record are made of.

    Attributes
    ----------
    table : DataFrame
        Task table, with the labels that it was trained on.
    matrix : FeatureMatrix
        The features, those that a search has chosen where there was one.
    features : tuple of mapping
        Their sets, as in `Cell.features`.
    params, tuning : mapping
        As in the record.
    """

    job: CellJob
    spec: ModelSpec
    table: pd.DataFrame
    matrix: FeatureMatrix
    features: tuple[Mapping[str, Any], ...]
    params: Mapping[str, Any]
    tuning: Mapping[str, Any]
    training: Training = field(init=False)
    fitted: FittedModel = field(init=False)

    def __post_init__(self) -> None:
        self.training = self.parts(validate=self.spec.validation)
        self.fitted = self.fit(self.training)

    def parts(self, *, validate: bool) -> Training:
        """Rows to fit on and to validate on."""
        job, seed = self.job, self.job.seed("validation")
        return training_parts(
            self.table, job.train, job.test, job.independence, validate=validate, mistake=job.mistake, seed=seed
        )

    def fit(self, training: Training) -> FittedModel:
        """Fit the cell's model on these rows and on their copies."""
        job = self.job
        # What is split together with its copies has them already.
        if job.cell.augment and not job.mistake.splits_copies:
            training = replace(training, fit=followed_by_copies(self.table, training.fit))
        labels, seed = list(job.cell.labels["labels"]), job.seed(self.spec.name)
        return fit_model(self.spec, self.params, self.matrix, self.table, labels, training, seed=seed)


def train_cell(job: CellJob, spec: ModelSpec, clock: Clock) -> TrainedCell:
    """Read what a cell's model is trained on, search where that is asked for, and fit it."""
    table = read_task_table(job.task_file)
    matrix = read_matrix(job.task_file, job.cell, job.circumstances)
    clock.lap("features")
    if job.cell.permute_labels:
        table = with_permuted_labels(table, job.train, job.test, job.seed("permutation"))
    params, tuning, features = {**spec.params, **job.cell.model["params"]}, {}, job.cell.features
    if job.cell.tuning:
        tuned = tune_cell(job, spec, table)
        params, matrix, tuning, features = tuned.params, tuned.matrix, tuned.record, tuned.features
        clock.lap("tuning", tuning["seconds"])
    trained = TrainedCell(job, spec, table, matrix, features, params, tuning)
    clock.lap("fit")
    clock.take("start_up", trained.fitted.start_up, out_of="fit")
    return trained
