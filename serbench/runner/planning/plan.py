"""From a suite to cells: which there are, and which of them are done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from serbench.circumstances import Circumstances
from serbench.errors import BrokenPromise, EnrolmentError, ProtocolError, ResultsError, UnknownName
from serbench.identity import canonical_json
from serbench.protocols.enrolment import draw_for_fold
from serbench.protocols.splitting import split
from serbench.records import Cell, cell_path, member_cells, named_parts, read_record
from serbench.registry import Registry
from serbench.runner.cell.ensembles import members_created
from serbench.runner.cell.jobs import RequestedOutputs, cell_seed, is_stale, lacks_model
from serbench.runner.planning.cells import Plan, PlannedCell, SkippedRow
from serbench.runner.planning.copies import with_copies
from serbench.runner.planning.ensembles import ensemble_rows, refuse_missing_members
from serbench.runner.planning.grid import single_rows, splittings
from serbench.runner.planning.packages import missing_packages
from serbench.runner.planning.refusals import (
    refuse_empty,
    refuse_unalterable,
    refuse_unknown_labels,
    refuse_untuned,
)
from serbench.runner.planning.rerun import named_rows, refuse_unknown_rows, with_run_settings
from serbench.runner.planning.selection import Filters, select
from serbench.runner.planning.task import Task, build_task, present_entries
from serbench.runner.suite.schema import Entry, Suite
from serbench.specs import ProtocolSpec, Split

STATES = ("done", "unsaved", "stale", "failed", "damaged", "new")


def make_plan(
    suite: Suite,
    registry: Registry,
    circumstances: Circumstances,
    filters: Filters | None = None,
    *,
    force: bool = False,
    save_models: bool = False,
) -> Plan:
    """Open the corpora, split them, check every promise, and list the cells with their states.

    With `save_models` cells are run that are done but have left no model (`unsaved`).

    Raises
    ------
    SerbenchError
        For anything in the suite or its corpora that cannot be run.
    """
    filters = filters or Filters()
    filters = with_run_settings(filters, suite, circumstances) if filters.row else filters
    suite = select(suite, registry, filters)
    folder = circumstances.results / suite.name
    cells: dict[str, PlannedCell] = {}
    skipped: dict[str, SkippedRow] = {}
    entries = present_entries(suite, registry, circumstances) or suite.corpora
    tasks = [build_task(suite, entry, registry, circumstances) for entry in entries]
    for task in tasks:
        for protocol, seed in splittings(suite):
            spec = registry.get("protocol", protocol.name, where=f"suite '{suite.name}'")
            listed, without = _listed_rows(suite, task, registry, protocol, seed, filters)
            skipped.update({row.id: SkippedRow(row, task, without[row.id]) for row in listed if row.id in without})
            listed = [row for row in listed if row.id not in without]
            for training_task, rows in _by_training_task(task, listed):
                pool = training_task if spec.mistake.splits_copies else task
                try:
                    splits = split(pool.table, spec, seed, **protocol.params)
                except BrokenPromise:
                    raise
                except ProtocolError as error:
                    skipped.update({row.id: SkippedRow(row, task, str(error)) for row in rows})
                    continue
                folds = _chosen(splits, filters.fold)
                for row in rows:
                    try:
                        items = [_planned(row, training_task, fold, spec, suite, registry) for fold in folds]
                    except EnrolmentError as error:
                        skipped[row.id] = SkippedRow(row, task, str(error))
                        continue
                    for item in items:
                        cells.setdefault(item.cell.id, item)
    refuse_unknown_labels(suite, tasks)
    refuse_unknown_rows(suite, filters, (item.cell for item in (*cells.values(), *skipped.values())))
    refuse_empty(suite, filters, cells, skipped)
    refuse_untuned(suite, filters, cells, skipped)
    refuse_unalterable(suite, cells.values(), circumstances)
    whole = not any(vars(filters).values())
    if whole:
        rows = [item.cell for item in (*cells.values(), *skipped.values())]
        refuse_missing_members(suite.ensembles, rows, where=f"suite '{suite.name}'")
    looked_up = _looked_up(cells, folder, save_models)
    in_use = {item.task.key: item.task for item in looked_up} | {task.key: task for task in tasks}
    return Plan(
        suite, folder, _ordered(looked_up, registry), tuple(skipped.values()), force, tuple(in_use.values()), whole
    )


def _listed_rows(
    suite: Suite, task: Task, registry: Registry, protocol: Entry, seed: int, filters: Filters
) -> tuple[list[Cell], dict[str, str]]:
    """Rows of one corpus, protocol and seed, ensembles included; and by id, why some of them cannot be run here."""
    # A row that is named may be a sanity run: its id says so.
    permuted = (False, True) if filters.row and not filters.permute_labels else (filters.permute_labels,)
    mistake = registry.get("protocol", protocol.name).mistake
    listed: list[Cell] = []
    without: dict[str, str] = {}
    for permute_labels in permuted:
        rows = single_rows(suite, task, registry, protocol, seed, permute_labels=permute_labels)
        without |= {row.id: reason for row in rows if (reason := missing_packages(row, registry))}
        # A mistake makes its point on single models.
        ensembles = [] if mistake else ensemble_rows(suite.ensembles, rows, without)
        for row in ensembles:
            reasons = [without[cell.id] for cell in member_cells(row) if cell.id in without]
            if reasons:
                without[row.id] = "; ".join(dict.fromkeys(reasons))
        listed += [*rows, *ensembles]
    return named_rows(listed, filters.row) if filters.row else listed, without


def _looked_up(cells: Mapping[str, PlannedCell], folder: Path, save_models: bool) -> list[PlannedCell]:
    """Cells with their states; the members of ensembles answer a validation part too."""
    members = {cell.id for item in cells.values() for cell in member_cells(item.cell)}
    found: dict[str, PlannedCell] = {}
    # Ensembles come last: their state depends on that of their members.
    for name, item in sorted(cells.items(), key=lambda pair: bool(pair[1].cell.members)):
        requested = replace(item.requested, validation=name in members, model=save_models)
        item = replace(item, requested=requested)
        state = state_of(item, folder)
        if state == "done" and any(found[cell.id].state != "done" for cell in member_cells(item.cell)):
            state = "stale"
        found[name] = replace(item, state=state)
    return list(found.values())


def _by_training_task(task: Task, rows: Iterable[Cell]) -> list[tuple[Task, list[Cell]]]:
    """Rows by the task that they are trained on: the corpus as it is, or with the copies that they ask for."""
    by_augment: dict[str, list[Cell]] = {}
    for row in rows:
        by_augment.setdefault(canonical_json(row.augment), []).append(row)
    return [(with_copies(task, same[0].augment) if same[0].augment else task, same) for same in by_augment.values()]


def _planned(
    row: Cell, training_task: Task, fold: Split, spec: ProtocolSpec, suite: Suite, registry: Registry
) -> PlannedCell:
    cell = replace(row, fold=fold.fold)
    # Copies among the test part have no degraded versions; a mistake is not worth more.
    degradations = suite.robustness.degradations() if suite.robustness and not (spec.mistake or cell.enrol) else {}
    enrolment = None
    if cell.enrol:
        seed = cell_seed(cell, training_task.nicknames, "enrolment")
        enrolment = draw_for_fold(training_task.table, fold, cell.enrol, seed=seed)
    return PlannedCell(
        cell=cell,
        task=training_task,
        split=fold,
        independence=spec.independence,
        plugin_hash="+".join(filter(None, (registry.source_hash(*part) for part in named_parts(cell)))),
        mistake=spec.mistake,
        requested=RequestedOutputs(degradations=tuple(degradations.items())),
        enrolment=enrolment,
    )


def state_of(item: PlannedCell, folder: Path) -> str:
    """Whether a cell is done, or why it has to run."""
    path = cell_path(folder, item.cell.id)
    if not path.exists():
        return "new"
    try:
        record = read_record(path)
    except ResultsError:
        return "damaged"
    if record.status != "ok":
        return "failed"
    if item.cell.members and record.params.get("members") != members_created(item.cell, folder):
        return "stale"
    if is_stale(record, item.task.fingerprint, item.plugin_hash, item.requested):
        return "stale"
    return "unsaved" if lacks_model(item.cell, folder, item.requested) else "done"


def _chosen(splits: list[Split], folds: Sequence[str]) -> list[Split]:
    for name in folds:
        if name not in {split.fold for split in splits}:
            raise UnknownName.among("fold", name, [split.fold for split in splits])
    return [split for split in splits if not folds or split.fold in folds]


def _ordered(cells: Iterable[PlannedCell], registry: Registry) -> tuple[PlannedCell, ...]:
    # Classical cells first, and the untuned before the tuned (quick answers); cells on the same features next to each
    # other, so that a worker loads each matrix once; ensembles after their members.
    def order(item: PlannedCell):
        cell = item.cell
        deep = not cell.members and registry.get("model", cell.model["name"]).accepts == "sequence"
        return (
            bool(cell.members),
            deep,
            bool(cell.tuning),
            cell.corpus,
            replace(cell, enrol={}).feature_name,
            cell.model_name,
            cell.protocol_name,
            cell.seed,
            cell.fold,
            cell.feature_name,
        )

    return tuple(sorted(cells, key=order))
