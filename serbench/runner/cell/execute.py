"""Run one job inside a worker: extract features, or fit and predict one cell."""

from __future__ import annotations

import datetime
import pickle
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from serbench.errors import ResultsError, SerbenchError
from serbench.features.augmentation import Alteration
from serbench.features.extract import extract_into
from serbench.records import DEGRADED, Record, cell_path, empty_predictions, make_predictions, read_cell, write_cell
from serbench.runner.cell.fitting import FittedModel
from serbench.runner.cell.inputs import open_registry, read_altered, store_of, stored_spec
from serbench.runner.cell.jobs import CellJob, CellResult, ExtractJob, is_stale
from serbench.runner.cell.locks import lock
from serbench.runner.cell.recipe import choose, read_recipe


def extract(job: ExtractJob) -> list[tuple[str, str]]:
    """Compute missing features and return the failures as (path, reason)."""
    registry = open_registry(job.circumstances)
    sets = [(stored_spec(registry, name), params) for name, params in job.sets]
    return extract_into(store_of(job.circumstances), sets, job.items, job.alteration)


def run_cell(job: CellJob) -> CellResult | None:
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
        return CellResult.of(record, predictions)


def _finished(job: CellJob) -> CellResult | None:
    # Another run on the same results may have done the cell since this one was planned.
    try:
        record, predictions = read_cell(cell_path(job.folder, job.cell.id))
    except (FileNotFoundError, ResultsError):
        return None
    done = record.status == "ok" and not is_stale(record, job.corpus["fingerprint"], job.plugin_hash, job.requested)
    return CellResult.of(record, predictions) if done else None


def _attempt(job: CellJob) -> tuple[Record, pd.DataFrame]:
    try:
        return _compute(job)
    except ResultsError:
        raise
    except MemoryError:
        return failed_record(job, "out of memory"), empty_predictions()
    except Exception as error:
        return failed_record(job, _told(error), traceback.format_exc()), empty_predictions()


def _told(error: Exception) -> str:
    try:
        return str(error) if isinstance(error, SerbenchError) else f"{type(error).__name__}: {error}"
    except Exception:
        return f"{type(error).__name__} (its message cannot be shown)"


def _storable(text: str) -> str:
    """Text without halves of characters, which no file takes."""
    return text.encode("utf-8", "replace").decode("utf-8")


def failed_record(job: CellJob, reason: str, trace: str = "", status: str = "failed") -> Record:
    """A record of a cell that has no predictions."""
    return Record(job.cell, status, reason=_storable(reason), traceback=_storable(trace), **_common(job))


def _common(job: CellJob) -> dict[str, Any]:
    return {
        "audit": job.audit,
        "environment": job.environment,
        "corpus": job.corpus,
        "plugin_hash": job.plugin_hash,
        "created": now(),
    }


def now() -> str:
    """The time of a record, to the microsecond: an ensemble knows by it which answers of a member it averaged."""
    return datetime.datetime.now(datetime.UTC).isoformat()


def _compute(job: CellJob) -> tuple[Record, pd.DataFrame]:
    clock = Clock()
    spec, table, matrix = read_recipe(job)
    clock.lap("features")
    recipe = choose(job, spec, table, matrix)
    if recipe.tuning:
        clock.lap("tuning", recipe.tuning["seconds"])
    matrix, labels = recipe.matrix, recipe.labels
    training = recipe.training(validate=spec.validation)
    fitted = recipe.fit(training)
    clock.lap("fit")
    calibration_model, calibration = fitted, training
    if job.requested.validation and not spec.validation:
        # The model itself trains on the whole training part: another one, fitted without it, parts this part.
        calibration = recipe.training(validate=True)
        calibration_model = recipe.fit(calibration)
        clock.lap("calibration")
    parts = [("test", job.test, fitted.predict_proba(matrix.take(job.test)))]
    if len(calibration.validation):
        parts.append(
            ("validation", calibration.validation, calibration_model.predict_proba(matrix.take(calibration.validation)))
        )
    parts += _degraded_predictions(job, fitted, recipe.features, table)
    predictions = pd.concat(
        [make_predictions(table.iloc[rows], labels, probabilities, role) for role, rows, probabilities in parts],
        ignore_index=True,
    )
    clock.lap("predict")
    sizes = {
        "train": len(training.fit),
        "validation": len(calibration.validation),
        "test": len(job.test),
        "dimensions": int(matrix.dimensions),
        **_size(fitted.estimator),
    }
    if job.save_model:
        sizes["bytes"] = recipe.save(fitted, job.folder / "models" / job.cell.id)
    record = Record(
        job.cell,
        "ok",
        params=recipe.params,
        seconds=clock.seconds,
        sizes=sizes,
        validation=calibration.level,
        history=getattr(fitted.estimator, "history", {}),
        tuning=recipe.tuning,
        degradations=[name for name, _ in job.requested.degradations],
        **_common(job),
    )
    return record, predictions


def _degraded_predictions(
    job: CellJob, fitted: FittedModel, features: Sequence[Mapping[str, Any]], table: pd.DataFrame
) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Role, rows and probabilities of the test part under each degradation that is requested."""
    for name, changes in job.requested.degradations:
        degraded = read_altered(table.iloc[job.test], features, Alteration(changes), job.circumstances)
        yield DEGRADED + name, job.test, fitted.predict_proba(degraded.take(range(len(job.test))))


def _size(estimator: Any) -> dict[str, int]:
    # A network is measured by its weights, anything else by what it would fill on disk; nothing is written.
    count = getattr(estimator, "count_params", None)
    if callable(count):
        return {"weights": int(count())}
    try:
        return {"bytes": len(pickle.dumps(estimator))}
    except Exception:
        # A plug-in's estimator may hold what cannot be serialised; its size stays unknown.
        return {}


class Clock:
    """Wall seconds between laps."""

    def __init__(self):
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str, seconds: float | None = None) -> None:
        """Name the time since the last lap; `seconds` replaces it where part of the work was done by an earlier run."""
        now = time.perf_counter()
        self.seconds[name], self._last = round(now - self._last if seconds is None else seconds, 4), now
