"""What a run writes beside its cells: the plan, the splits, and the task tables for its workers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

from serbench.protocols.splitting import splits_table
from serbench.records import Cell, atomic_path, cell_path
from serbench.reporting.row_ids import row_id
from serbench.runner.locks import lock
from serbench.runner.plan import Plan
from serbench.runner.task import Task

PLAN_FILE = "plan.json"
SPLITS_FILE = "splits.parquet"
SPLIT_KEYS = ["corpus", "protocol", "seed", "fold"]


def record_plan(plan: Plan) -> None:
    """Write the plan and its splits; what earlier runs of other parts of the suite wrote stays.

    A plan of the whole suite drops rows that an older version of it had and none of whose cells was run.

    Raises
    ------
    ResultsError
        If the results folder cannot be written.
    """
    with lock(plan.folder / "locks" / "plan.lock", wait=True):
        _add_cells(plan)
        _add_splits(plan)


def write_task_table(plan: Plan, task: Task) -> Path:
    """Write a task's table where the workers find it."""
    path = plan.folder / "work" / f"{task.key}.parquet"
    if not path.exists():
        with atomic_path(path) as temporary:
            task.table.to_parquet(temporary)
    return path


def _add_cells(plan: Plan) -> None:
    path = plan.folder / PLAN_FILE
    before = _read_json(path)
    known = {item["id"]: item["cell"] for item in before}
    if plan.whole:
        rows = {key: row_id(Cell.from_json(cell)) for key, cell in known.items()}
        begun = {row for key, row in rows.items() if cell_path(plan.folder, key).exists()}
        known = {key: cell for key, cell in known.items() if rows[key] in begun}
    known.update({item.cell.id: item.cell.to_json() for item in plan.cells})
    after = [{"id": key, "cell": cell} for key, cell in sorted(known.items())]
    if after != before:
        with atomic_path(path) as temporary:
            temporary.write_text(json.dumps(after), encoding="utf-8")


def _read_json(path: Path) -> list[dict[str, Any]]:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        # A plan cut short says nothing that this run does not write anew.
        return []


def _add_splits(plan: Plan) -> None:
    path = plan.folder / SPLITS_FILE
    # Augmented rows meet the folds of their plain twins.
    folds = {(item.task.name, item.cell.protocol_name, item.cell.seed, item.split.fold): item for item in plan.cells}
    tables = [
        splits_table(item.task.name, item.cell.protocol_name, item.cell.seed, [item.split], item.task.table)
        for item in folds.values()
    ]
    if not tables or not plan.todo:
        return
    new = pd.concat(tables, ignore_index=True)
    if path.exists():
        old = pd.read_parquet(path)
        replaced = pd.MultiIndex.from_frame(old[SPLIT_KEYS]).isin(pd.MultiIndex.from_frame(new[SPLIT_KEYS]))
        new = pd.concat([old[~replaced], new], ignore_index=True)
    with atomic_path(path) as temporary:
        new.to_parquet(temporary, compression="zstd")
