"""Train a leaderboard row on all its utterances and write a model folder."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from serbench.circumstances import Circumstances
from serbench.errors import ModelError, SerbenchError, UnknownName, UsageError
from serbench.identity import seed_for
from serbench.inference.clips import read_clip
from serbench.inference.folder import MemberEntry, write_manifest
from serbench.inference.inputs import measure, ranges
from serbench.inference.known import write_known
from serbench.inference.results import OutOfFold
from serbench.records import member_title
from serbench.registry import Registry
from serbench.reporting.loading import load_records, suites_in
from serbench.reporting.lookup import find_cells
from serbench.runner.cell.enrolment import enrolling
from serbench.runner.cell.inputs import open_registry
from serbench.runner.cell.jobs import TEST_ONLY, CellJob
from serbench.runner.cell.recipe import choose, read_recipe
from serbench.runner.dispatch import run_jobs
from serbench.runner.engine import open_workers
from serbench.runner.extraction import extract_missing
from serbench.runner.observers import Observer
from serbench.runner.planning.cells import Plan, PlannedCell
from serbench.runner.planning.plan import make_plan
from serbench.runner.planning.plan_files import write_task_table
from serbench.runner.planning.selection import Filters
from serbench.runner.suite.file import load_suite

ALL_UTTERANCES = "all utterances"
MEASURED = 400


@dataclass(frozen=True)
class MemberJob:
    """Fit one member on everything and write it into a folder."""

    job: CellJob
    folder: Path


def train(
    row: str,
    folder: Path,
    around: Circumstances,
    *,
    suite: str | None = None,
    observers: Sequence[Observer] = (),
) -> Path:
    """Fit a row's recipe on all its utterances, with a search inside where the row is tuned, and write a model folder.

    Parameters
    ----------
    row : str
        ``SUITE/ROW``: the suite, then the row's id or ``corpus/protocol/features/model``, of which the corpus may be
        left out. The row has to be complete in the results folder: the error sheet comes from there.
    folder : Path
        Made; must not be there, or be empty.
    suite : str, optional
        The suite's file, where its name does not find it.

    Raises
    ------
    UnknownName
        For a suite or a row that is not there.
    ModelError
        If there is something in the folder, or nothing honest is known of the row's errors.
    """
    folder = Path(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ModelError("there is something already", where=str(folder), hint="give a new folder (-o), or remove it")
    records, cells = _find(row, around.results)
    tested = OutOfFold(around.results, records, cells)
    registry = open_registry(around)
    _refuse_files(tested, around)
    plan, items = _plan(suite or tested.entry["suite"], tested, registry, around)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as temporary:
        staged = Path(temporary) / "model"
        task = items[0].task
        members = _fit(plan, items, registry, around, observers, staged, Path(temporary))
        sheet = tested.sheet(
            [corpus.spec for corpus in task.corpora], len(task.originals), _input_ranges(task.originals["path"])
        )
        entries = [
            MemberEntry(folder=name, weight=weight, temperature=temperature)
            for name, weight, temperature in zip(members, tested.weights, tested.temperatures, strict=True)
        ]
        write_manifest(staged, entries, sheet.labels, tested.temperature, sheet)
        if folder.exists():
            folder.rmdir()
        shutil.move(staged, folder)
    return folder


def _find(row: str, results: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    suite, slash, rest = row.partition("/")
    known = suites_in(results)
    if not slash:
        hint = f"such as {suite}/ROW; `serbench leaderboard {suite}` lists its rows"
        if suite not in known:
            hint = f"such as {next(iter(known), 'SUITE')}/{row}; `serbench show {row}` tells the suite"
        raise UsageError(f"'{row}' is not SUITE/ROW", hint=hint)
    if suite not in known:
        raise UnknownName.among("suite with results", suite, known, where=str(results))
    records = load_records(results, suite)
    # A path means the plain row; tuned and augmented ones of the same name have ids.
    plain = records[[cell is not None and not (cell.tuning or cell.augment) for cell in records["cell"]]]
    for among, wanted in itertools.product((plain, records), (rest, f"*/{rest}", row)):
        try:
            return records, find_cells(among, wanted)
        except UnknownName as error:
            unknown = error
    raise unknown


def _refuse_files(tested: OutOfFold, around: Circumstances) -> None:
    named = {entry["name"] for cell in tested.members for entry in cell.features}
    if own := sorted(named & set(around.features_files)):
        raise ModelError(
            f"'{', '.join(own)}' was read from a file, and cannot be computed from other recordings",
            where=f"row {tested.entry['row']}",
            hint="train a row on features that serbench or a plug-in computes",
        )


def _plan(suite: str, tested: OutOfFold, registry: Registry, around: Circumstances) -> tuple[Plan, list[PlannedCell]]:
    """A plan of the row's members alone, each with one cell to take over: that of its first fold."""
    plan = make_plan(load_suite(suite), registry, around, Filters(row=(tested.entry["row"],)), force=True)
    wanted = [member.row for member in tested.members]
    by_row = {item.cell.row: item for item in reversed(plan.cells)}
    if absent := [member_title(member) for member in tested.members if member.row not in by_row]:
        skipped = "; ".join(dict.fromkeys(item.reason for item in plan.skipped))
        raise ModelError(
            f"cannot be trained here: {skipped or ', '.join(absent)}", where=f"row {tested.entry['row']}",
            hint="install what is missing, or train another row",
        )  # fmt: skip
    items = [
        replace(
            by_row[name],
            cell=replace(by_row[name].cell, fold=ALL_UTTERANCES, seed=tested.cell.seed),
            requested=TEST_ONLY,
        )
        for name in wanted
    ]
    return replace(plan, cells=tuple(items)), items


def _fit(
    plan: Plan,
    items: Sequence[PlannedCell],
    registry: Registry,
    around: Circumstances,
    observers: Sequence[Observer],
    staged: Path,
    work: Path,
) -> list[str]:
    jobs = []
    for number, item in enumerate(items):
        everything = np.arange(len(item.task.originals))
        job = CellJob(
            cell=item.cell,
            circumstances=around,
            folder=work,
            task_file=write_task_table(replace(plan, folder=work), item.task),
            train=everything,
            test=everything[:0],
            independence=item.independence,
            audit={},
            corpus=item.task.summary(),
            plugin_hash=item.plugin_hash,
            environment={},
            nicknames=item.task.nicknames,
        )
        jobs.append(MemberJob(job, staged / f"member-{number}"))
    with open_workers(replace(plan, folder=work), registry, around, observers) as (executor, interrupt):
        extract_missing(plan, registry, around, executor, observers, interrupt)
        for job, result in run_jobs(executor, fit_member, jobs, interrupt):
            if isinstance(result, Exception):
                where = member_title(job.job.cell)
                raise result if isinstance(result, SerbenchError) else ModelError(str(result), where=where)
        if interrupt.stopped:
            raise KeyboardInterrupt
    return [job.folder.name for job in jobs]


def fit_member(request: MemberJob) -> str:
    """Fit one member in a worker: choose its parameters, fit, save, and measure what it was trained on."""
    job = request.job
    recipe, _ = enrolling(choose(job, *read_recipe(job)))
    training = recipe.training(validate=recipe.spec.validation)
    recipe.save(recipe.fit(training), request.folder)
    write_known(request.folder, list(recipe.matrix.take(job.train)), seed_for(0, "examples"))
    return str(request.folder)


def _input_ranges(paths: pd.Series) -> dict:
    drawn = np.random.default_rng(seed_for(0, "inputs")).permutation(len(paths))[:MEASURED]
    return ranges(measure(read_clip(path)) for path in paths.iloc[np.sort(drawn)])
