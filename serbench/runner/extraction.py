"""Bring the feature store up to date with a plan."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from typing import Any

import pandas as pd

from serbench.circumstances import Circumstances
from serbench.features.augmentation import Alteration
from serbench.records import feature_sets
from serbench.registry import Registry
from serbench.runner.cell.copies import alterations
from serbench.runner.cell.execute import extract
from serbench.runner.cell.inputs import store_of, stored_spec
from serbench.runner.cell.jobs import ExtractJob
from serbench.runner.dispatch import run_jobs
from serbench.runner.executors.at_most import AtMost, workers_for
from serbench.runner.executors.base import Executor, WorkerDied
from serbench.runner.interrupt import Interrupt
from serbench.runner.observers import Observer
from serbench.runner.planning.cells import Plan, PlannedCell

CHUNK = 48
# Each job leaves a shard for each of its sets, and looks into those that are there: so many jobs for one group of files
# at the most keep that from growing with their square, and the open files below what systems allow.
MOST_JOBS = 512
# For what runs a plug-in's code, where nobody says otherwise.
PLUGIN_SECONDS = 3600.0


def seconds_allowed(plan: Plan, circumstances: Circumstances, *, foreign: bool) -> float | None:
    """Seconds that a job may take: as the command line says, else the suite, else an hour if it is a plug-in's."""
    return circumstances.cell_timeout or plan.suite.timeout or (PLUGIN_SECONDS if foreign else None)


def extract_missing(
    plan: Plan,
    registry: Registry,
    circumstances: Circumstances,
    executor: Executor,
    observers: Sequence[Observer],
    interrupt: Interrupt,
) -> list[str]:
    """Compute in parallel the features that the cells to run need and the store lacks.

    A file that cannot be described is named to the observers, and returned with its reason; the cells that need it
    fail, each with it.
    """
    failed = []
    jobs = _jobs(plan, registry, circumstances)
    total, done = sum(len(job.items) for job in jobs), 0
    if jobs:
        for observer in observers:
            observer.extracting(0, total)
    for job, result in _results(jobs, registry, circumstances, executor, observers, interrupt):
        if isinstance(result, WorkerDied):
            result = [(path, str(result)) for _, path in job.items]
        elif isinstance(result, Exception):
            raise result
        done += len(job.items)
        for observer in observers:
            observer.extracting(done, total)
            for path, reason in result:
                observer.warned(f"no features of {path}: {reason}")
        failed += [f"{path}: {reason}" for path, reason in result]
    return failed


def _results(
    jobs: Sequence[ExtractJob],
    registry: Registry,
    circumstances: Circumstances,
    executor: Executor,
    observers: Sequence[Observer],
    interrupt: Interrupt,
) -> Iterator[tuple[ExtractJob, Any]]:
    """Jobs as they end; those that need much memory come last, encoder by encoder, as many as there is room for."""
    tick = partial(_tell_working, observers)
    needs = {id(job): _heaviest(job, registry) for job in jobs}
    yield from run_jobs(executor, extract, [job for job in jobs if not needs[id(job)][0]], interrupt, tick)
    heavy = sorted((job for job in jobs if needs[id(job)][0]), key=lambda job: needs[id(job)])
    for (memory, _), same in groupby(heavy, key=lambda job: needs[id(job)]):
        if interrupt.stopped:
            return
        workers, why = workers_for(memory, circumstances)
        for observer in observers:
            observer.warned(f"{workers} of {circumstances.jobs} workers extract with an encoder: {why}")
        yield from run_jobs(AtMost(executor, workers), extract, list(same), interrupt, tick)


def _heaviest(job: ExtractJob, registry: Registry) -> tuple[int, str]:
    specs = [stored_spec(registry, name, params) for name, params in job.sets]
    return max((spec.memory, spec.version) for spec in specs)


def _tell_working(observers: Sequence[Observer], under_way: Sequence[ExtractJob]) -> None:
    for observer in observers:
        observer.working([])


@dataclass
class _Need:
    """Utterances whose features of one set are needed under one alteration."""

    entry: Mapping[str, Any]
    alteration: Alteration | None
    paths: dict[str, str] = field(default_factory=dict)

    def key(self, content: str) -> str:
        """What the store calls them."""
        return self.alteration.key(content) if self.alteration else content


def _jobs(plan: Plan, registry: Registry, circumstances: Circumstances) -> list[ExtractJob]:
    store = store_of(circumstances)
    # Files that lack the same sets go together, so that one analysis feeds them all; those of an encoder by themselves.
    missing: dict[tuple[str, str, str, str], list[tuple]] = {}
    by_version: dict[str, Alteration | None] = {}
    for need in _needs(plan, circumstances):
        entry, version = need.entry, need.key("")
        by_version[version] = need.alteration
        spec = stored_spec(registry, entry["name"], entry["params"])
        by_key = {need.key(content): (content, path) for content, path in need.paths.items()}
        for key in store.missing(spec, entry["params"], list(by_key)):
            sets = missing.setdefault((version, *by_key[key], spec.version if spec.fill else ""), [])
            if (entry["name"], entry["params"]) not in sets:
                sets.append((entry["name"], entry["params"]))
    groups: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for (version, content, path, _), sets in missing.items():
        groups.setdefault((version, json.dumps(sets, sort_keys=True)), []).append((content, path))
    return [
        ExtractJob(
            circumstances,
            tuple((name, params) for name, params in json.loads(sets)),
            tuple(chunk),
            by_version[version],
            seconds_allowed(plan, circumstances, foreign=_is_foreign(registry, json.loads(sets))),
        )
        for (version, sets), items in groups.items()
        for chunk in _chunks(items, circumstances.jobs)
    ]


def _is_foreign(registry: Registry, sets: Iterable[tuple[str, Any]]) -> bool:
    return any(registry.source_hash("features", name) for name, _ in sets)


def _needs(plan: Plan, circumstances: Circumstances) -> Iterable[_Need]:
    needs: dict[str, _Need] = {}
    for item in plan.todo:
        if item.cell.members:
            continue
        for entry in feature_sets(item.cell):
            if entry["name"] in circumstances.features_files:
                continue
            for alteration, rows in _versions(item):
                version = alteration.key("") if alteration else ""
                name = json.dumps([item.task.key, entry, version], sort_keys=True)
                need = needs.setdefault(name, _Need(entry, alteration))
                need.paths.update(zip(rows["content"], rows["path"], strict=True))
    return needs.values()


def _versions(item: PlannedCell) -> Iterable[tuple[Alteration | None, pd.DataFrame]]:
    """The utterances of a cell as they are, its copies, and its test part under each degradation."""
    originals = item.task.originals
    yield None, originals
    for alteration in alterations(item.cell.augment):
        yield alteration, originals
    if item.requested.degradations:
        tested = originals[originals["id"].isin(item.split.test)]
        for _, changes in item.requested.degradations:
            yield Alteration(changes), tested


def _chunks(items: list, workers: int) -> list[list]:
    size = max(1, min(max(CHUNK, -(-len(items) // MOST_JOBS)), -(-len(items) // workers)))
    return [items[start : start + size] for start in range(0, len(items), size)]
