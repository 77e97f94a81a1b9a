"""Plans carried out in the process of the test, so that it can look into every step."""

from __future__ import annotations

import pandas as pd

from serbench.circumstances import Circumstances
from serbench.records import Record, cell_path, read_cell
from serbench.runner.cell.inputs import open_registry
from serbench.runner.engine import run_plan
from serbench.runner.executors.in_process import InProcess
from serbench.runner.planning.cells import Plan


class Recording(InProcess):
    """Keeps the jobs that it was given."""

    def __init__(self):
        super().__init__()
        self.jobs = []

    def submit(self, function, job, **settings):
        self.jobs.append(job)
        super().submit(function, job, **settings)


def carried_out(
    plan: Plan, around: Circumstances, executor: InProcess | None = None, **settings: bool
) -> dict[str, tuple[Record, pd.DataFrame]]:
    """Run what a plan has left; cell id -> (record, predictions) of all its cells, in the plan's order."""
    run_plan(plan, open_registry(around), around, executor=executor or InProcess(), **settings)
    return {item.cell.id: read_cell(cell_path(plan.folder, item.cell.id)) for item in plan.cells}
