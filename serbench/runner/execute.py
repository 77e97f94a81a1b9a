"""Run one job inside a worker: extract features, or fit and predict one cell."""

from __future__ import annotations

import datetime
import time
import traceback
from typing import Any

import numpy as np
import pandas as pd

from serbench.errors import ResultsError, SerbenchError
from serbench.features.extract import extract_into
from serbench.models.saving import save_model
from serbench.protocols.inner import validation_split
from serbench.records import Record, cell_path, empty_predictions, make_predictions, read_record, write_cell
from serbench.runner.fitting import FittedModel, Training, fit_model
from serbench.runner.inputs import open_registry, read_matrix, read_task_table, store_of, stored_spec
from serbench.runner.jobs import CellJob, ExtractJob
from serbench.runner.locks import lock
from serbench.runner.plan import is_stale
from serbench.runner.tuning.cell import tune_cell
from serbench.specs import ModelSpec


def extract(job: ExtractJob) -> list[tuple[str, str]]:
    """Compute missing features and return the failures as (path, reason)."""
    registry = open_registry(job.circumstances)
    sets = [(stored_spec(registry, name), params) for name, params in job.sets]
    return extract_into(store_of(job.circumstances), sets, job.items)


def run_cell(job: CellJob) -> Record | None:
    """Run one cell and write its file; None if another process has it in hand.

    A cell that raises is a failed record; only a file that cannot be written raises.
    """
    with lock(job.folder / "locks" / f"{job.cell.id}.lock", wait=False) as held:
        if not held:
            return None
        if not job.force and (finished := _finished(job)):
            return finished
        record, predictions = _attempt(job)
        write_cell(job.folder, record, predictions)
        return record


def _finished(job: CellJob) -> Record | None:
    # Another run on the same results may have done the cell since this one was planned.
    try:
        record = read_record(cell_path(job.folder, job.cell.id))
    except (FileNotFoundError, ResultsError):
        return None
    done = record.status == "ok" and not is_stale(record, job.corpus["fingerprint"], job.plugin_hash)
    return record if done else None


def _attempt(job: CellJob) -> tuple[Record, pd.DataFrame]:
    try:
        return _compute(job)
    except ResultsError:
        raise
    except MemoryError:
        return failed_record(job, "out of memory"), empty_predictions()
    except Exception as error:
        reason = str(error) if isinstance(error, SerbenchError) else f"{type(error).__name__}: {error}"
        return failed_record(job, reason, traceback.format_exc()), empty_predictions()


def failed_record(job: CellJob, reason: str, trace: str = "", status: str = "failed") -> Record:
    """A record of a cell that has no predictions."""
    return Record(job.cell, status, reason=reason, traceback=trace, **_common(job))


def _common(job: CellJob) -> dict[str, Any]:
    return {
        "audit": job.audit,
        "environment": job.environment,
        "corpus": job.corpus,
        "plugin_hash": job.plugin_hash,
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }


def _compute(job: CellJob) -> tuple[Record, pd.DataFrame]:
    spec: ModelSpec = open_registry(job.circumstances).get("model", job.cell.model["name"])
    clock = Clock()
    table = read_task_table(job.task_file)
    matrix = read_matrix(job.task_file, job.cell, job.circumstances)
    clock.lap("features")
    labels = list(job.cell.labels["labels"])
    params, tuning = {**spec.params, **job.cell.model["params"]}, {}
    if job.cell.tuning:
        tuned = tune_cell(job, spec, table)
        params, matrix, tuning = tuned.params, tuned.matrix, tuned.record
        clock.lap("tuning", tuning["seconds"])
    training = _training_parts(job, spec, table)
    fitted = fit_model(spec, params, matrix, table, labels, training, seed=job.seed(spec.name))
    clock.lap("fit")
    parts = {"test": job.test} | ({"validation": training.validation} if len(training.validation) else {})
    predictions = pd.concat(
        [
            make_predictions(table.iloc[rows], labels, fitted.predict_proba(matrix.take(rows)), role)
            for role, rows in parts.items()
        ],
        ignore_index=True,
    )
    clock.lap("predict")
    sizes = {
        "train": len(training.fit),
        "validation": len(training.validation),
        "test": len(job.test),
        "dimensions": int(matrix.dimensions),
        **_weights(fitted.estimator),
    }
    if job.save_model:
        sizes["bytes"] = _save(fitted, job, params)
    record = Record(
        job.cell,
        "ok",
        params=params,
        seconds=clock.seconds,
        sizes=sizes,
        validation=training.level,
        history=getattr(fitted.estimator, "history", {}),
        tuning=tuning,
        **_common(job),
    )
    return record, predictions


def _training_parts(job: CellJob, spec: ModelSpec, table: pd.DataFrame) -> Training:
    if not spec.validation:
        return Training(job.train, np.array([], dtype=int), "")
    rows = table.iloc[job.train].reset_index(drop=True)
    fit, validation, level = validation_split(rows, job.independence, seed=job.seed("validation"))
    return Training(job.train[fit], job.train[validation], level)


def _weights(estimator: Any) -> dict[str, int]:
    count = getattr(estimator, "count_params", None)
    return {"weights": int(count())} if callable(count) else {}


def _save(fitted: FittedModel, job: CellJob, params: dict[str, Any]) -> int:
    meta = {
        "cell": job.cell.to_json(),
        "params": params,
        "labels": job.cell.labels["labels"],
        "seen": fitted.seen.tolist(),
        "features": list(job.cell.features),
    }
    files = save_model(fitted.estimator, job.folder / "models" / job.cell.id, meta)
    return sum(file.stat().st_size for file in files)


class Clock:
    """Wall seconds between laps."""

    def __init__(self):
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str, seconds: float | None = None) -> None:
        """Name the time since the last lap; `seconds` replaces it where part of the work was done by an earlier run."""
        now = time.perf_counter()
        self.seconds[name], self._last = round(now - self._last if seconds is None else seconds, 4), now
