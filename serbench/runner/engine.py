"""Carry out a plan: features first, then cells side by side, each finished cell a file."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

import numpy as np

from serbench.circumstances import Circumstances
from serbench.errors import SerbenchError
from serbench.records import Cell, Record, cell_path, empty_predictions, member_cells, read_record, write_cell
from serbench.records.derived import make_way
from serbench.records.ledger import note_scored
from serbench.registry import Registry
from serbench.runner.cell.ensembles import average_members
from serbench.runner.cell.environment import describe_environment
from serbench.runner.cell.execute import failed_record, now, run_cell_remotely
from serbench.runner.cell.jobs import CellJob, CellResult, Finished
from serbench.runner.dispatch import run_jobs
from serbench.runner.executors.base import Executor, WorkerDied
from serbench.runner.extraction import extract_missing, seconds_allowed
from serbench.runner.interrupt import Interrupt
from serbench.runner.observers import Observer
from serbench.runner.planning.audits import Audits
from serbench.runner.planning.cells import Plan, SkippedRow
from serbench.runner.planning.grid import ALL_FOLDS, without_weights
from serbench.runner.planning.plan_files import record_plan, write_task_table
from serbench.runner.planning.task import Task
from serbench.runner.search_progress import SearchProgress


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    Attributes
    ----------
    ran, failed, skipped : int
        Cells run in this call, those of them that failed, and rows whose protocol is unavailable.
    stopped : bool
        By Ctrl-C or `fail_fast`, with cells left to run.
    seconds : float
        Wall time.
    """

    ran: int
    failed: int
    skipped: int
    stopped: bool
    seconds: float


def run_plan(
    plan: Plan,
    registry: Registry,
    circumstances: Circumstances,
    observers: Sequence[Observer] = (),
    *,
    executor: Executor | None = None,
    fail_fast: bool = False,
) -> Outcome:
    """Run what a plan has left to do.

    Parameters
    ----------
    executor : Executor, optional
        Where jobs are run, instead of `circumstances.executor`; closed at the end.

    Raises
    ------
    ResultsError
        If results cannot be written; finished cells are safe.
    """
    started = time.perf_counter()
    record_plan(plan, circumstances.own_folder(plan.folder))
    _record_skipped(plan, circumstances)
    ran = failed = 0
    with open_workers(plan, registry, circumstances, observers, executor) as (executor, interrupt):
        for observer in observers:
            observer.planned(plan)
        if plan.todo:
            for record, uar in _results(plan, registry, circumstances, observers, executor, interrupt):
                note_scored(plan.folder, record)
                for observer in observers:
                    observer.finished(record, uar)
                ran += 1
                failed += record.status == "failed"
                if fail_fast and failed:
                    interrupt.stop()
    stopped = interrupt.stopped and ran < len(plan.todo)
    return Outcome(ran, failed, len(plan.skipped), stopped, time.perf_counter() - started)


def extract_plan(
    plan: Plan, registry: Registry, circumstances: Circumstances, observers: Sequence[Observer] = ()
) -> tuple[list[str], bool]:
    """Extract the features that a plan has need of, and run none of its cells.

    Returns
    -------
    failed : list of str
        Files of which there are none, each with its reason.
    stopped : bool
        By Ctrl-C.
    """
    with open_workers(plan, registry, circumstances, observers) as (executor, interrupt):
        failed = extract_missing(plan, registry, circumstances, executor, observers, interrupt)
    return failed, interrupt.stopped


@contextmanager
def open_workers(
    plan: Plan,
    registry: Registry,
    circumstances: Circumstances,
    observers: Sequence[Observer],
    executor: Executor | None = None,
) -> Iterator[tuple[Executor, Interrupt]]:
    """An executor that is closed at the end, at once where something raises or Ctrl-C comes twice."""
    if executor is None:
        work = plan.folder / "work"
        make_way(work / "workers.log")
        work.mkdir(parents=True, exist_ok=True)
        executor = registry.get("executor", circumstances.executor, where="--executor").open(circumstances, work)
    with ExitStack() as stack:
        for observer in observers:
            stack.callback(observer.ended)
        interrupt = stack.enter_context(Interrupt())
        interrupt.on_second(lambda: executor.close(kill=True))
        stack.push(lambda kind, *_: executor.close(kill=kind is not None))
        yield executor, interrupt


def _results(
    plan: Plan,
    registry: Registry,
    circumstances: Circumstances,
    observers: Sequence[Observer],
    executor: Executor,
    interrupt: Interrupt,
) -> Iterator[CellResult]:
    """Cells as they end; ensembles after their members."""
    if jobs := list(cell_jobs(plan, registry, circumstances)):
        extract_missing(plan, registry, circumstances, executor, observers, interrupt)
        searches = SearchProgress(plan, observers)

        def tick(under_way: list[CellJob]) -> None:
            searches.tick()
            for observer in observers:
                observer.working([job.cell for job in under_way])

        for job, result in run_jobs(executor, run_cell_remotely, jobs, interrupt, tick):
            yield _told(job, result)
    yield from _averaged(plan, circumstances, interrupt)


def _averaged(plan: Plan, circumstances: Circumstances, interrupt: Interrupt) -> Iterator[CellResult]:
    """Ensembles, in this process: their members are done, and an average takes no time."""
    environment, audits = describe_environment(circumstances.threads), Audits(circumstances.cache)
    for item in plan.todo:
        if not item.cell.members or interrupt.stopped:
            continue
        paths = [cell_path(plan.folder, cell.id) for cell in member_cells(item.cell)]
        if plan.shard is not None and not all(path.exists() for path in paths):
            continue  # Members of other shards are not done yet: a later run averages them.
        common = {
            "audit": audits.of(item),
            "environment": environment,
            "corpus": item.task.summary(),
            "plugin_hash": item.plugin_hash,
            "created": now(),
        }
        try:
            record, predictions = average_members(item.cell, plan.folder, common)
        except SerbenchError as error:
            record, predictions = Record(item.cell, "failed", reason=str(error), **common), empty_predictions()
        write_cell(plan.folder, record, predictions)
        yield CellResult.of(record, predictions)


def cell_jobs(plan: Plan, registry: Registry, circumstances: Circumstances) -> Iterator[CellJob]:
    """What the workers are handed of a plan: its cells to run, without ensembles."""
    environment = describe_environment(circumstances.threads)
    tables = {task.key: write_task_table(plan, task) for task in plan.tasks}
    summaries = {task.key: task.summary() for task in plan.tasks}
    audits = Audits(circumstances.cache)
    # Of each fold once: cells on it share them, as they are found by comparing names, and large.
    positions: dict[tuple[str, int], tuple[np.ndarray, np.ndarray]] = {}
    for item in plan.todo:
        if item.cell.members:
            continue
        audit = audits.of(item)
        # Folds from a file promise nothing; where they are speaker-disjoint all the same, so is the validation part.
        found = {"speaker"} if audit["speaker_independent"] else set()
        fold = item.task.key, id(item.split)
        if fold not in positions:
            positions[fold] = _positions(item.task, item.split.train), _positions(item.task, item.split.test)
        train, test = positions[fold]
        yield CellJob(
            cell=item.cell,
            circumstances=circumstances,
            folder=plan.folder,
            task_file=tables[item.task.key],
            train=train,
            test=test,
            independence=item.independence | found,
            audit=audit,
            corpus=summaries[item.task.key],
            plugin_hash=item.plugin_hash,
            environment=environment,
            force=plan.force,
            mistake=item.mistake,
            requested=item.requested,
            enrolment=item.enrolment,
            nicknames=item.task.nicknames,
            seconds=seconds_allowed(plan, circumstances, foreign=bool(item.plugin_hash)),
            resources=_resources(item.cell, registry),
        )


def _resources(cell: Cell, registry: Registry) -> dict[str, float]:
    params = {**registry.get("model", cell.model["name"]).params, **cell.model["params"]}
    return {"GPU": 1.0} if str(params.get("device", "")).startswith(("cuda", "gpu")) else {}


def _positions(task: Task, ids: Iterable[str]) -> np.ndarray:
    return np.flatnonzero(task.table["id"].isin(set(ids)).to_numpy())


def _told(job: CellJob, result: Finished | CellResult | Exception) -> CellResult:
    if isinstance(result, Finished):
        return CellResult(read_record(cell_path(job.folder, result.id)), result.uar)
    return result if isinstance(result, CellResult) else _failure(job, result)


def _failure(job: CellJob, error: Exception) -> CellResult:
    if not isinstance(error, WorkerDied):
        raise error
    record = failed_record(job, str(error))
    write_cell(job.folder, record, empty_predictions())
    return CellResult(record)


def _record_skipped(plan: Plan, circumstances: Circumstances) -> None:
    # A skipped row stands for all its folds; it goes when its protocol, or weights, have become available.
    current = {row.cell.id for row in plan.skipped}
    for row in plan.skipped:
        write_cell(plan.folder, _skipped_record(row, circumstances), empty_predictions())
    for item in {(item.cell.row, item.cell.seed): item for item in plan.cells}.values():
        row = replace(item.cell, fold=ALL_FOLDS)
        for stand_in in {row.id, without_weights(row).id} - current:
            path = cell_path(plan.folder, stand_in)
            make_way(path)
            path.unlink(missing_ok=True)


def _skipped_record(row: SkippedRow, circumstances: Circumstances) -> Record:
    return Record(
        row.cell,
        "skipped",
        reason=row.reason,
        corpus=row.task.summary(),
        environment=describe_environment(circumstances.threads),
    )
