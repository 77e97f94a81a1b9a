"""How long a plan will take, judged by earlier records."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from statistics import mean

from serbench.records import Cell, Record
from serbench.runner.plan import Plan


def expected_seconds(plan: Plan, records: Iterable[Record], jobs: int) -> tuple[float, int]:
    """Estimate the wall seconds of the cells to run.

    Parameters
    ----------
    records : iterable of Record
        Finished cells: of earlier runs, or the committed ones.
    jobs : int
        Cells side by side.

    Returns
    -------
    seconds : float
        Of the cells for which there is an earlier record of the same model, best of the same features and corpus.
    unknown : int
        Cells without such a record.
    """
    known: dict[tuple, list[float]] = defaultdict(list)
    for record in records:
        if record.status == "ok":
            for key in _keys(record.cell):
                known[key].append(sum(record.seconds.values()))
    total, unknown = 0.0, 0
    for item in plan.todo:
        key = next((key for key in _keys(item.cell) if key in known), None)
        if key is None:
            unknown += 1
        else:
            total += mean(known[key])
    return total / max(1, min(jobs, len(plan.todo))), unknown


def _keys(cell: Cell) -> list[tuple]:
    return [(cell.model_name, cell.feature_name, cell.corpus), (cell.model_name, cell.feature_name), (cell.model_name,)]
