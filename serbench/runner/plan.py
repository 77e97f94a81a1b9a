"""From a suite to cells: which there are, and which of them are done."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from serbench.errors import BrokenPromise, ProtocolError, ResultsError, SuiteError, UnknownName
from serbench.protocols.splitting import split
from serbench.records import Cell, Record, cell_path, read_record
from serbench.registry import Registry
from serbench.runner.selection import Filters, entry_key, select
from serbench.runner.suite import Entry, Suite, Tuning
from serbench.runner.task import Task, build_task
from serbench.runner.tuning.choices import INNER, feature_choices
from serbench.specs import Circumstances, FeatureSpec, ModelSpec, ProtocolSpec, Split

STATES = ("done", "stale", "failed", "damaged", "new")
ALL_FOLDS = "*"


@dataclass(frozen=True)
class PlannedCell:
    """A cell with what is needed to run it."""

    cell: Cell
    task: Task
    split: Split
    independence: frozenset[str]
    plugin_hash: str
    state: str = "new"


@dataclass(frozen=True)
class SkippedRow:
    """A row whose protocol is not available on its corpus."""

    cell: Cell
    task: Task
    reason: str


@dataclass(frozen=True)
class Plan:
    """All cells of one suite under the filters given."""

    suite: Suite
    folder: Path
    cells: tuple[PlannedCell, ...]
    skipped: tuple[SkippedRow, ...] = ()
    force: bool = False
    tasks: tuple[Task, ...] = field(default=())

    @property
    def todo(self) -> list[PlannedCell]:
        """Cells to run."""
        return [item for item in self.cells if self.force or item.state != "done"]

    def count(self, state: str) -> int:
        """Number of cells in a state."""
        return sum(item.state == state for item in self.cells)


def make_plan(
    suite: Suite,
    registry: Registry,
    circumstances: Circumstances,
    filters: Filters | None = None,
    *,
    force: bool = False,
) -> Plan:
    """Open the corpora, split them, check every promise, and list the cells with their states.

    Raises
    ------
    SerbenchError
        For anything in the suite or its corpora that cannot be run.
    """
    filters = filters or Filters()
    suite = select(suite, registry, filters)
    folder = circumstances.results / suite.name
    cells: dict[str, PlannedCell] = {}
    skipped: dict[str, SkippedRow] = {}
    tasks = [build_task(suite, entry, registry, circumstances) for entry in suite.corpora]
    for task in tasks:
        for protocol, seed in {(entry_key(entry), seed): (entry, seed) for entry, seed in _splittings(suite)}.values():
            rows = list(_rows(suite, task, registry, protocol, seed))
            spec = registry.get("protocol", protocol.name, where=f"suite '{suite.name}'")
            try:
                splits = split(task.table, spec, seed, **protocol.params)
            except BrokenPromise:
                raise
            except ProtocolError as error:
                skipped.update({row.id: SkippedRow(row, task, str(error)) for row in rows})
                continue
            for fold in _chosen(splits, filters.fold):
                for row in rows:
                    cell = replace(row, fold=fold.fold)
                    hashes = _plugin_hash(cell, registry)
                    cells.setdefault(cell.id, PlannedCell(cell, task, fold, spec.independence, hashes))
    _refuse_empty(suite, filters, cells, skipped)
    _refuse_untuned(suite, filters, cells, skipped)
    looked_up = tuple(replace(item, state=state_of(item, folder)) for item in cells.values())
    return Plan(suite, folder, _ordered(looked_up, registry), tuple(skipped.values()), force, tuple(tasks))


def _rows(suite: Suite, task: Task, registry: Registry, protocol: Entry, seed: int) -> Iterable[Cell]:
    where = f"suite '{suite.name}'"
    for block in suite.grid:
        if entry_key(protocol) not in {entry_key(entry) for entry in block.protocols}:
            continue
        for entry in block.features:
            sets = [registry.get("features", item.name, where=where) for item in entry.sets]
            for item in block.models:
                model = registry.get("model", item.name, where=where)
                if fits(model, sets):
                    cell = Cell(
                        corpus=task.name,
                        labels=task.labels,
                        features=tuple(_resolved(s, e, where) for s, e in zip(sets, entry.sets, strict=True)),
                        normalise=entry.normalise,
                        model=_resolved(model, item, where),
                        protocol=_resolved(registry.get("protocol", protocol.name, where=where), protocol, where),
                        fold=ALL_FOLDS,
                        seed=seed,
                        corpus_options=task.options,
                        excluded=task.excluded,
                    )
                    yield cell
                    tuning = block.tuning or suite.tuning
                    if tuning and model.space:
                        yield replace(cell, tuning=_resolved_tuning(tuning, cell, model, registry, where))


def _resolved_tuning(tuning: Tuning, cell: Cell, model: ModelSpec, registry: Registry, where: str) -> dict[str, Any]:
    """`Cell.tuning`: what differs from the defaults, and of the choices those that this model can take."""
    alternatives = []
    for entry in tuning.features:
        sets = [registry.get("features", item.name, where=where) for item in entry.sets]
        resolved = [_resolved(spec, item, where) for spec, item in zip(sets, entry.sets, strict=True)]
        if fits(model, sets) and resolved != list(cell.features):
            alternatives.append(resolved)
    found = {
        "timeout": tuning.timeout,
        "inner": tuning.inner if tuning.inner != INNER else None,
        "features": alternatives,
        "choices": {name: values for name, values in tuning.choices.items() if name in model.params},
    }
    return {"trials": tuning.trials, **{name: value for name, value in found.items() if value}}


def fits(model: ModelSpec, sets: Sequence[FeatureSpec]) -> bool:
    """Whether a model takes these feature sets: of its kind, among those it names, and only vectors side by side."""
    right_kind = all(item.kind == model.accepts for item in sets)
    named = not model.features or all(item.name in model.features for item in sets)
    return right_kind and named and (len(sets) == 1 or model.accepts == "vector")


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
    return "stale" if is_stale(record, item.task.fingerprint, item.plugin_hash) else "done"


def is_stale(record: Record, fingerprint: str, plugin_hash: str) -> bool:
    """Whether a finished cell was made from another corpus or another plug-in source."""
    return record.corpus.get("fingerprint") != fingerprint or record.plugin_hash != plugin_hash


def _resolved(spec: Any, entry: Entry, where: str) -> dict[str, Any]:
    # A plug-in model without declared parameters takes any; the rest take what they declare.
    declared = spec.params or not isinstance(spec, ModelSpec)
    for name in entry.params if declared else ():
        if name not in spec.params:
            raise UnknownName.among(f"parameter of '{spec.name}'", name, spec.params, where=where)
    missing = object()
    given = spec.pin(entry.params) if isinstance(spec, ProtocolSpec) and spec.pin else entry.params
    params = {key: value for key, value in given.items() if value != spec.params.get(key, missing)}
    return {"name": spec.name, "version": spec.version, "params": params}


def _plugin_hash(cell: Cell, registry: Registry) -> str:
    named = [("model", cell.model["name"]), ("protocol", cell.protocol["name"])]
    used = itertools.chain(*feature_choices(cell.tuning, cell.features))
    named += [("features", entry["name"]) for entry in used]
    return "+".join(filter(None, (registry.source_hash(*key) for key in named)))


def _splittings(suite: Suite) -> Iterable[tuple[Entry, int]]:
    for block in suite.grid:
        for protocol in block.protocols:
            for seed in suite.seeds:
                yield protocol, seed


def _chosen(splits: list[Split], folds: Sequence[str]) -> list[Split]:
    for name in folds:
        if name not in {split.fold for split in splits}:
            raise UnknownName.among("fold", name, [split.fold for split in splits])
    return [split for split in splits if not folds or split.fold in folds]


def _ordered(cells: Iterable[PlannedCell], registry: Registry) -> tuple[PlannedCell, ...]:
    # Classical cells first, and the untuned before the tuned (quick answers); cells on the same features next to each
    # other, so that a worker loads each matrix once.
    def order(item: PlannedCell):
        cell = item.cell
        deep, tuned = registry.get("model", cell.model["name"]).accepts == "sequence", bool(cell.tuning)
        return deep, tuned, cell.corpus, cell.feature_name, cell.model_name, cell.protocol_name, cell.seed, cell.fold

    return tuple(sorted(cells, key=order))


def _refuse_empty(suite: Suite, filters: Filters, cells: Mapping, skipped: Mapping) -> None:
    if cells or skipped:
        return
    given = ", ".join(f"{name}={list(value)}" for name, value in vars(filters).items() if value)
    raise SuiteError(
        "no cell is left: no model fits these feature sets" + (f" under the filters {given}" if given else ""),
        where=f"suite '{suite.name}'",
        hint="`serbench list models` shows what each accepts",
    )


def _refuse_untuned(suite: Suite, filters: Filters, cells: Mapping, skipped: Mapping) -> None:
    rows = [item.cell for item in (*cells.values(), *skipped.values())]
    if filters.trials is None or any(cell.tuning for cell in rows):
        return
    raise SuiteError(
        f"nothing to tune: no search space in {', '.join(sorted({cell.model['name'] for cell in rows}))}",
        where=f"suite '{suite.name}'",
        hint="choose a model that declares a `space`, or leave --trials out",
    )
