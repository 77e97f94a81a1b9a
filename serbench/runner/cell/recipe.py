"""What a job's model is fitted with, its search done: the same for a fold and for all utterances."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from serbench.features.enrolment import Adaptation
from serbench.features.matrix import FeatureMatrix
from serbench.models.saving import save_model
from serbench.runner.cell.copies import followed_by_copies, with_permuted_labels
from serbench.runner.cell.fitting import FittedModel, Training, fit_model, training_parts
from serbench.runner.cell.inputs import open_registry, read_matrix, read_task_table, stored_spec
from serbench.runner.cell.jobs import CellJob
from serbench.runner.cell.tuning.cell import tune_cell
from serbench.specs import ModelSpec


@dataclass(frozen=True)
class Recipe:
    """Data, features and parameters of a job.

    Attributes
    ----------
    table : DataFrame
        The task table, with labels as the job trains on them.
    matrix : FeatureMatrix
        Of all its utterances.
    params : dict
        Complete.
    features : sequence of mapping
        The sets in the matrix, as in `Cell.features`; a search may have chosen them.
    tuning : dict
        `Record.tuning`.
    adaptation : Adaptation, optional
        How new speakers are normalised, where some of their utterances are heard; the matrix is normalised then.
    """

    job: CellJob
    spec: ModelSpec
    table: pd.DataFrame
    matrix: FeatureMatrix
    params: dict[str, Any]
    features: Sequence[Mapping[str, Any]]
    tuning: dict[str, Any]
    adaptation: Adaptation | None = None

    @property
    def labels(self) -> list[str]:
        """The label list."""
        return list(self.job.cell.labels["labels"])

    def training(self, *, validate: bool) -> Training:
        """The job's training part, with a validation part cut from it if asked for."""
        job = self.job
        return training_parts(
            self.table,
            job.train,
            job.test,
            job.independence,
            validate=validate,
            mistake=job.mistake,
            seed=job.seed("validation"),
        )

    def fit(self, training: Training) -> FittedModel:
        """Fit on training rows and their copies; what is split together with its copies has them already."""
        job = self.job
        if not job.mistake.splits_copies:
            training = replace(training, fit=followed_by_copies(self.table, training.fit))
        return fit_model(
            self.spec, self.params, self.matrix, self.table, self.labels, training, seed=job.seed(self.spec.name)
        )

    def save(self, fitted: FittedModel, folder: Path) -> int:
        """Write a fitted model into a folder and return the bytes it fills."""
        registry = open_registry(self.job.circumstances)
        meta = {
            "cell": self.job.cell.to_json(),
            "params": self.params,
            "labels": self.labels,
            "seen": fitted.seen.tolist(),
            "features": list(self.features),
            "feature_versions": {
                item["name"]: stored_spec(registry, item["name"], item["params"]).version for item in self.features
            },
        }
        if self.adaptation is not None:
            meta["enrolment"] = self.adaptation.to_json()
        return sum(file.stat().st_size for file in save_model(fitted.estimator, folder, meta))


def read_recipe(job: CellJob) -> tuple[ModelSpec, pd.DataFrame, FeatureMatrix]:
    """The model, the table and the features of a job."""
    spec: ModelSpec = open_registry(job.circumstances).model(job.cell.model["name"], job.cell.model["params"])
    table = read_task_table(job.task_file)
    matrix = read_matrix(job.task_file, job.cell, job.circumstances)
    if job.cell.permute_labels:
        table = with_permuted_labels(table, job.train, job.test, job.seed("permutation"))
    return spec, table, matrix


def choose(job: CellJob, spec: ModelSpec, table: pd.DataFrame, matrix: FeatureMatrix) -> Recipe:
    """Complete what `read_recipe` gave with parameters, searched in the training part where the row is tuned."""
    params = {**spec.params, **job.cell.model["params"]}
    if not job.cell.tuning:
        return Recipe(job, spec, table, matrix, params, job.cell.features, {})
    tuned = tune_cell(job, spec, table)
    return Recipe(job, spec, table, tuned.matrix, tuned.params, tuned.features, tuned.record)
