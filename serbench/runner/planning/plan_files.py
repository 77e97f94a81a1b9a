"""What a run writes beside its cells: the plan, the splits, and the task tables for its workers."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from serbench.protocols.splitting import splits_table
from serbench.records import Cell, atomic_path, cell_path
from serbench.records.derived import read_derived
from serbench.records.plan_file import read_plan, write_plan
from serbench.records.splits_file import add_splits, read_splits
from serbench.runner.cell.locks import lock
from serbench.runner.planning.cells import Plan
from serbench.runner.planning.task import Task


def record_plan(plan: Plan, own: Path | None = None) -> None:
    """Write the plan and its splits; what earlier runs of other parts of the suite wrote stays.

    `own` is the folder of the locks where it is not the plan's. A plan of the whole suite drops rows that an older
    version of it had and none of whose cells was run.

    Raises
    ------
    ResultsError
        If the results folder cannot be written.
    """
    with lock((own or plan.folder) / "locks" / "plan.lock", wait=True):
        _add_cells(plan)
        _add_splits(plan)


def write_task_table(plan: Plan, task: Task) -> Path:
    """Write a task's table where the workers find it."""
    path = plan.folder / "work" / f"{task.key}.parquet"
    if read_derived(path, pd.read_parquet, None) is None:
        with atomic_path(path) as temporary:
            task.table.to_parquet(temporary)
    return path


def _add_cells(plan: Plan) -> None:
    before = read_plan(plan.folder)
    known = {item["id"]: item["cell"] for item in before}
    if plan.whole:
        rows = {key: Cell.from_json(cell).row for key, cell in known.items()}
        begun = {row for key, row in rows.items() if cell_path(plan.folder, key).exists()}
        known = {key: cell for key, cell in known.items() if rows[key] in begun}
    known.update({item.cell.id: item.cell.to_json() for item in plan.cells})
    after = [{"id": key, "cell": cell} for key, cell in sorted(known.items())]
    if after != before:
        write_plan(plan.folder, after)


def _add_splits(plan: Plan) -> None:
    # Augmented rows meet the folds of their rows without copies.
    folds = {(item.task.name, item.cell.protocol_name, item.cell.seed, item.split.fold): item for item in plan.cells}
    tables = [
        splits_table(item.task.name, item.cell.protocol_name, item.cell.seed, [item.split], item.task.table)
        for item in folds.values()
    ]
    # Without work to do they are there already, unless they were damaged or removed.
    if tables and (plan.todo or read_splits(plan.folder) is None):
        add_splits(plan.folder, pd.concat(tables, ignore_index=True))
