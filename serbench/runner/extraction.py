"""Bring the feature store up to date with a plan."""

from __future__ import annotations

import itertools
import json
from collections import deque
from collections.abc import Sequence

from serbench.registry import Registry
from serbench.runner.dispatch import work_off
from serbench.runner.execute import extract
from serbench.runner.inputs import store_of, stored_spec
from serbench.runner.interrupt import Interrupt
from serbench.runner.jobs import ExtractJob
from serbench.runner.observers import Observer
from serbench.runner.plan import Plan
from serbench.runner.pool import Pool, WorkerDied
from serbench.runner.tuning.choices import feature_choices
from serbench.specs import Circumstances

CHUNK = 48


def extract_missing(
    plan: Plan,
    registry: Registry,
    circumstances: Circumstances,
    pool: Pool,
    observers: Sequence[Observer],
    interrupt: Interrupt,
) -> None:
    """Compute in parallel the features that the cells to run need and the store lacks.

    A file that cannot be described is named to the observers; the cells that need it fail, each with its reason.
    """
    jobs = _jobs(plan, registry, circumstances)
    total, done = sum(len(job.items) for job in jobs), 0
    for job, result in work_off(pool, extract, deque(jobs), interrupt):
        if isinstance(result, WorkerDied):
            result = [(path, str(result)) for _, path in job.items]
        elif isinstance(result, Exception):
            raise result
        done += len(job.items)
        for observer in observers:
            observer.extracting(done, total)
            for path, reason in result:
                observer.warned(f"no features of {path}: {reason}")


def _jobs(plan: Plan, registry: Registry, circumstances: Circumstances) -> list[ExtractJob]:
    store = store_of(circumstances)
    wanted = {}
    for item in plan.todo:
        for entry in itertools.chain(*feature_choices(item.cell.tuning, item.cell.features)):
            if entry["name"] not in circumstances.features_files:
                wanted[json.dumps([item.task.key, entry], sort_keys=True)] = (item.task, entry)
    # Files that lack the same sets go together, so that one analysis feeds them all.
    lacking: dict[tuple[str, str], list[tuple]] = {}
    for task, entry in wanted.values():
        spec = stored_spec(registry, entry["name"])
        paths = dict(zip(task.table["content"], task.table["path"], strict=True))
        for content in store.missing(spec, entry["params"], list(paths)):
            sets = lacking.setdefault((content, paths[content]), [])
            if (entry["name"], entry["params"]) not in sets:
                sets.append((entry["name"], entry["params"]))
    groups: dict[str, list[tuple[str, str]]] = {}
    for item, sets in lacking.items():
        groups.setdefault(json.dumps(sets, sort_keys=True), []).append(item)
    return [
        ExtractJob(circumstances, tuple((name, params) for name, params in json.loads(sets)), tuple(chunk))
        for sets, items in groups.items()
        for chunk in _chunks(items, circumstances.jobs)
    ]


def _chunks(items: list, workers: int) -> list[list]:
    size = max(1, min(CHUNK, -(-len(items) // workers)))
    return [items[start : start + size] for start in range(0, len(items), size)]
