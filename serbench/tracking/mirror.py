"""Mirror a suite's rows into MLflow: one experiment per suite, a parent run per row, a child run per fold.

Writing again what is there already changes nothing: runs are found by the row's and the cell's id in their tags, a fold
counts as written once its run has ended, a row once its tags carry the state of what was written.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from serbench.errors import SerbenchError, TrackingError
from serbench.reporting.leaderboard import leaderboard
from serbench.reporting.loading import load_predictions, load_records
from serbench.runner.cell.locks import lock
from serbench.scoring.margins import summed_confusion
from serbench.tracking.artifacts import write_artifacts
from serbench.tracking.models import log_model, saved_model
from serbench.tracking.rows import (
    CELL,
    MADE,
    ROW,
    STATE,
    WITH_CELLS,
    FoldRun,
    RowRun,
    describe,
)  # fmt: skip
from serbench.tracking.store import artifact_root, lock_file, open_client
from serbench.tracking.views import view_tags

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

PARENT = "mlflow.parentRunId"
PAGE = 1000
BATCH = 1000
PARAMS_PER_BATCH = 100
# MLflow's pages print a metric with all digits that it has; the results keep the whole number.
DIGITS = 4
KIND = "custom_model_development"
DESCRIPTION = (
    "One run per leaderboard row, its folds below it; the views, top right, sort and filter.\n\n"
    "`uar_low` and `uar_high` bound the 95 % interval of `uar`; `fold_uar` is one fold's; `epoch/…` are curves of deep "
    "models; `tags.speaker_independent = \"true\"` keeps the rows whose test speakers were never trained on."
)  # fmt: skip


@dataclass(frozen=True)
class Mirrored:
    """What a call has written: rows and folds that are new or changed, and all rows looked at."""

    rows: int
    folds: int
    looked_at: int


@dataclass
class Known:
    """Runs that the experiment holds: rows by id, folds by cell id."""

    rows: dict[str, Run] = field(default_factory=dict)
    folds: dict[str, Run] = field(default_factory=dict)


def mirror(results: Path, suite: str, uri: str, *, rows: Collection[str] | None = None) -> Mirrored:
    """Write what is new of a suite into a tracking store.

    Parameters
    ----------
    results : Path
    suite : str
    uri : str
        From `serbench.tracking.store.tracking_uri`.
    rows : collection of str, optional
        Ids of the rows to write; None writes all that have a finished or failed cell.

    Raises
    ------
    TrackingError
        If the store cannot be reached or refuses.
    """
    described = list(_described(load_records(results, suite), rows))
    if not described:
        return Mirrored(0, 0, 0)
    try:
        # One writer at a time, since two would write the same row twice or make the same database at once.
        with lock(lock_file(uri, results), wait=True):
            return _write(open_client(uri), results, suite, uri, described)
    except SerbenchError:
        raise
    except Exception as error:
        # Whatever MLflow, its database or its connection may raise: nothing of it is the benchmark's fault.
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise TrackingError(
            f"cannot write to the tracking store: {reason[:300]}",
            where=uri,
            hint=f"results are safe; `serbench track {suite}` writes them once the store answers",
        ) from error


def _described(records: pd.DataFrame, rows: Collection[str] | None) -> Iterator[tuple[RowRun, pd.DataFrame]]:
    chosen = records["row"] != "" if rows is None else records["row"].isin(list(rows))
    records = records[chosen]
    begun = set(records.loc[records["status"].isin(WITH_CELLS), "row"])
    records = records[records["row"].isin(begun)]
    # The best row is written last: MLflow lists the newest run first.
    for entry in reversed(leaderboard(records).to_dict("records")):
        cells = records[records["row"] == entry["row"]]
        yield describe(entry, cells), cells


def _write(
    client: MlflowClient, results: Path, suite: str, uri: str, described: list[tuple[RowRun, pd.DataFrame]]
) -> Mirrored:
    curves = any(fold.curves for row, _ in described for fold in row.folds)
    experiment = _experiment(client, suite, uri, view_tags(curves=curves))
    known = _known_runs(client, experiment)
    written_rows = written_folds = 0
    for row, cells in described:
        before = known.rows.get(row.row)
        if before is not None and before.data.tags.get(STATE) == row.state:
            continue
        run_id = before.info.run_id if before else _create_row(client, experiment, row)
        for fold in row.folds:
            written_folds += _write_fold(client, experiment, run_id, row, fold, known, Path(results) / suite)
        _write_row(client, run_id, row, cells, Path(results) / suite, before)
        written_rows += 1
    return Mirrored(written_rows, written_folds, len(described))


def _experiment(client: MlflowClient, suite: str, uri: str, views: Mapping[str, str]) -> str:
    found = client.get_experiment_by_name(suite)
    if found is None:
        tags = {"mlflow.note.content": DESCRIPTION, "mlflow.experimentKind": KIND, **views}
        return client.create_experiment(suite, artifact_location=artifact_root(uri, suite), tags=tags)
    if found.lifecycle_stage == "deleted":
        client.restore_experiment(found.experiment_id)
    for name, value in views.items():
        if name not in found.tags:
            client.set_experiment_tag(found.experiment_id, name, value)
    return found.experiment_id


def _known_runs(client: MlflowClient, experiment: str) -> Known:
    known = Known()
    token = None
    while True:
        page = client.search_runs([experiment], max_results=PAGE, page_token=token)
        for run in page:
            tags = run.data.tags
            if CELL in tags:
                known.folds[tags[CELL]] = run
            elif ROW in tags:
                known.rows[tags[ROW]] = run
        token = page.token
        if not token:
            return known


def _create_row(client: MlflowClient, experiment: str, row: RowRun) -> str:
    from mlflow.entities import Dataset, DatasetInput, InputTag

    run = client.create_run(experiment, start_time=row.start, tags={ROW: row.row}, run_name=row.name)
    dataset = Dataset(
        name=row.dataset["name"],
        digest=row.dataset["digest"],
        source_type="corpus",
        source=json.dumps(row.dataset["source"], ensure_ascii=False),
        profile=json.dumps(row.dataset["profile"], ensure_ascii=False),
    )
    inputs = [DatasetInput(dataset, [InputTag("mlflow.data.context", "training and test")])]
    client.log_inputs(run.info.run_id, inputs)
    return run.info.run_id


def _write_fold(
    client: MlflowClient, experiment: str, parent: str, row: RowRun, fold: FoldRun, known: Known, folder: Path
) -> bool:
    before = known.folds.get(fold.cell)
    if before is not None:
        tags = before.data.tags
        current = tags.get(MADE) == fold.made and before.info.status == fold.status and tags.get(PARENT) == parent
        if current:
            return False
        # Parameters and curves of a run can only be added to: a cell that was run again gets a new run.
        client.delete_run(before.info.run_id)
    tags = {PARENT: parent, CELL: fold.cell, ROW: row.row, MADE: fold.made, **fold.tags}
    run_id = client.create_run(experiment, start_time=fold.start, tags=tags, run_name=fold.name).info.run_id
    metrics = [*_metrics(fold.metrics, fold.end), *_curves(fold)]
    _log(client, run_id, metrics, fold.params, {})
    if fold.status == "FINISHED" and (model := saved_model(folder, fold.cell)):
        _log_model(client, experiment, run_id, model, fold.dimensions)
    client.set_terminated(run_id, fold.status, end_time=fold.end)
    return True


def _log_model(client: MlflowClient, experiment: str, run_id: str, folder: Path, dimensions: int) -> None:
    try:
        log_model(client, experiment, run_id, folder, dimensions)
    except SerbenchError as error:
        # A plug-in's model may be one that only its author can load; its scores are tracked all the same.
        client.set_tag(run_id, "model_not_logged", str(error))


def _write_row(
    client: MlflowClient, run_id: str, row: RowRun, cells: pd.DataFrame, folder: Path, before: Run | None
) -> None:
    done = cells[cells["status"] == "ok"]
    if len(done):
        labels = list(done["cell"].iloc[0].labels["labels"])
        with tempfile.TemporaryDirectory(prefix="serbench-") as temporary:
            confusion = summed_confusion(done["tested"], len(labels))
            write_artifacts(Path(temporary), row.name, labels, confusion, _predictions(folder, done))
            client.log_artifacts(run_id, temporary)
    there = before.data.params if before else {}
    params = {name: value for name, value in row.params.items() if name not in there}
    # Of two values at one step MLflow shows the one logged later, so a row that has grown needs the time of now.
    shown = before.data.metrics if before else {}
    changed = {name: value for name, value in row.metrics.items() if shown.get(name) != round(value, DIGITS)}
    _log(client, run_id, _metrics(changed, None if before else row.end), params, {**row.tags, STATE: row.state})
    client.set_terminated(run_id, row.status, end_time=row.end)


def _predictions(folder: Path, done: pd.DataFrame) -> pd.DataFrame:
    frames = load_predictions(folder.parent, done)
    return pd.concat(
        [frames[item.id].assign(fold=item.fold, seed=item.seed) for item in done.itertuples()], ignore_index=True
    )


def _metrics(values: dict[str, float], moment: int | None) -> list:
    from mlflow.entities import Metric
    from mlflow.utils.time import get_current_time_millis

    moment = get_current_time_millis() if moment is None else moment
    return [Metric(name, round(value, DIGITS), moment, 0) for name, value in values.items()]


def _curves(fold: FoldRun) -> list:
    from mlflow.entities import Metric

    found = []
    for name, values in fold.curves.items():
        share = (fold.end - fold.start) / max(len(values), 1)
        found += [
            Metric(name, round(float(value), DIGITS), round(fold.start + share * (epoch + 1)), epoch)
            for epoch, value in enumerate(values)
        ]
    return found


def _log(client: MlflowClient, run_id: str, metrics: list, params: dict[str, str], tags: dict[str, str]) -> None:
    from mlflow.entities import Param, RunTag

    parameters = [Param(name, value) for name, value in params.items()]
    labels = [RunTag(name, value) for name, value in tags.items()]
    room = BATCH - PARAMS_PER_BATCH - len(labels)
    # Tags, which say that all is there, go with the last batch.
    chunks = [metrics[at : at + room] for at in range(0, len(metrics), room)] or [[]]
    for number, chunk in enumerate(chunks):
        last = number == len(chunks) - 1
        client.log_batch(
            run_id, metrics=chunk, params=parameters[:PARAMS_PER_BATCH] if last else [], tags=labels if last else []
        )
