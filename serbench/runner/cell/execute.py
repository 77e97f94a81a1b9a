"""Run one job inside a worker: extract features, or fit and predict one cell."""

from __future__ import annotations

import datetime
import pickle
import traceback
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from serbench.containment import contained
from serbench.errors import ResultsError, SerbenchError
from serbench.features.augmentation import Alteration
from serbench.features.encoders.running import release
from serbench.features.extract import extract_into
from serbench.records import DEGRADED, Record, cell_path, empty_predictions, make_predictions, read_cell, write_cell
from serbench.records.derived import warn
from serbench.runner.cell.enrolment import validation_enrolment
from serbench.runner.cell.fitting import FittedModel
from serbench.runner.cell.inputs import open_registry, read_altered, store_of, stored_spec
from serbench.runner.cell.jobs import CellJob, CellResult, ExtractJob, Finished, is_stale, lacks_model, model_folder
from serbench.runner.cell.locks import lock
from serbench.runner.cell.training import Clock, train_cell

LONGEST = 10_000


def extract(job: ExtractJob) -> list[tuple[str, str]]:
    """Compute missing features and return the failures as (path, reason)."""
    registry = open_registry(job.circumstances)
    sets = [(stored_spec(registry, name, params), params) for name, params in job.sets]
    return extract_into(store_of(job.circumstances), sets, job.items, job.alteration)


def run_cell(job: CellJob) -> CellResult | None:
    """Run one cell and write its file; None if another process has it in hand.

    A cell that raises is a failed record; only a file that cannot be written raises.
    """
    release()
    with lock(job.circumstances.own_folder(job.folder) / "locks" / f"{job.cell.id}.lock", wait=False) as held:
        if not held:
            return None
        done = None if job.force else _finished(job)
        if done and not lacks_model(job.cell, job.folder, job.requested):
            return CellResult.of(*done)
        # A lock may not reach beyond this host: what another one has finished meanwhile stays.
        absent = not cell_path(job.folder, job.cell.id).exists()
        record, predictions = _attempt(job)
        if done and record.status != "ok":
            # Fitted again for its model, which cannot be had: what was done stays.
            return CellResult(record)
        if write_cell(job.folder, record, predictions, keep=absent and not job.force) is None:
            if finished := _finished(job):
                warn(f"cell {job.cell.id}: another machine has finished it first; its answers stay")
                return CellResult.of(*finished)
            write_cell(job.folder, record, predictions)
        return CellResult.of(record, predictions)


def run_cell_remotely(job: CellJob) -> Finished | CellResult | None:
    """Run one cell for a caller elsewhere: a record that is on storage does not come back, only its id."""
    result = run_cell(job)
    return Finished(job.cell.id, result.uar) if result and result.record.status == "ok" else result


def _finished(job: CellJob) -> tuple[Record, pd.DataFrame] | None:
    # Another run on the same results may have done the cell since this one was planned.
    try:
        record, predictions = read_cell(cell_path(job.folder, job.cell.id))
    except (FileNotFoundError, ResultsError):
        return None
    done = record.status == "ok" and not is_stale(record, job.corpus["fingerprint"], job.plugin_hash, job.requested)
    return (record, predictions) if done else None


def _attempt(job: CellJob) -> tuple[Record, pd.DataFrame]:
    try:
        with contained():
            return _compute(job)
    except ResultsError:
        raise
    except MemoryError as error:
        return failed_record(job, _out_of_memory(job, error)), empty_predictions()
    except Exception as error:
        return failed_record(job, _told(error), traceback.format_exc()), empty_predictions()


def _out_of_memory(job: CellJob, error: MemoryError) -> str:
    allowed = job.circumstances.memory
    limit = f" (a worker may take {allowed / 2**30:.1f} GiB, --memory)" if allowed else ""
    return f"out of memory{limit}" + (f": {error}" if str(error) else "")


def _told(error: Exception) -> str:
    try:
        return str(error) if isinstance(error, SerbenchError) else f"{type(error).__name__}: {error}"
    except Exception:
        return f"{type(error).__name__} (its message cannot be shown)"


def _storable(text: str) -> str:
    """Text without halves of characters, which no file takes, and of a length that a reader takes."""
    short = text if len(text) <= LONGEST else f"{text[:LONGEST]} … ({len(text)} characters)"
    return short.encode("utf-8", "replace").decode("utf-8")


def failed_record(job: CellJob, reason: str, trace: str = "", status: str = "failed") -> Record:
    """A record of a cell that has no predictions."""
    told = {"reason": _storable(reason), "traceback": _storable(trace)}
    return Record(job.cell, status, **told, **_common(job))


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
    trained = train_cell(job, clock)
    recipe, fitted, enroller = trained.recipe, trained.fitted, trained.enroller
    table, matrix, labels = recipe.table, recipe.matrix, recipe.labels
    calibration_model, calibration = fitted, trained.training
    if job.requested.validation and not recipe.spec.validation:
        # The model itself trains on the whole training part: another one, fitted without it, parts this part.
        calibration = recipe.training(validate=True)
        calibration_model = recipe.fit(calibration)
        clock.lap("calibration")
    validation = calibration.validation
    if enroller:
        parts = [("test", *enroller.answer(fitted, job.enrolment))]
        if len(validation):
            drawn = validation_enrolment(recipe, validation)
            parts.append(("validation", *enroller.answer(calibration_model, drawn)))
    else:
        parts = [("test", job.test, fitted.predict_proba(matrix.take(job.test)))]
        if len(validation):
            parts.append(("validation", validation, calibration_model.predict_proba(matrix.take(validation))))
    parts += _degraded_predictions(job, fitted, recipe.features, table)
    made = [make_predictions(table.iloc[rows], labels, probabilities, role) for role, rows, probabilities in parts]
    predictions = pd.concat(made, ignore_index=True) if len(made) > 1 else made[0]
    clock.lap("predict")
    sizes = {
        "train": len(trained.training.fit),
        "validation": len(validation),
        "test": len(parts[0][1]),
        "dimensions": int(matrix.dimensions),
        **({} if fitted.drawn is None else {"drawn": fitted.drawn}),
        **_size(fitted.estimator),
    }
    if job.requested.model:
        sizes["bytes"] = recipe.save(fitted, model_folder(job.folder, job.cell.id))
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
        enrolment=enroller.to_json() if enroller else {},
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
