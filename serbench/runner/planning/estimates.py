"""How long a plan will take, estimated from earlier records."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from statistics import mean

from serbench.records import INNER_FOLDS, Cell, Record

LONG = 86_400.0
# No model of the package is fitted and judged faster on a corpus of a thousand utterances.
SECONDS_OF_A_FIT = 0.02


def least_seconds(cells: Sequence[Cell], jobs: int) -> float:
    """Wall seconds that the fits of cells take at the least, judged by their number alone."""
    fits = sum(1 + fits_of_search(cell) for cell in cells)
    return fits * SECONDS_OF_A_FIT / max(1, min(jobs, len(cells)))


def expected_seconds(cells: Sequence[Cell], records: Iterable[Record], jobs: int) -> tuple[float, int]:
    """Estimate the wall seconds of cells to run.

    Parameters
    ----------
    cells : sequence of Cell
    records : iterable of Record
        Finished cells: of earlier runs, or the committed ones.
    jobs : int
        Cells side by side.

    Returns
    -------
    seconds : float
        Of the cells for which there is an earlier record of the same model and number of trials, best of the same
        features and corpus; a tuned cell without one is estimated from the fits of the untuned model, and takes less.
    unknown : int
        Cells without such a record.
    """
    known: dict[tuple, list[float]] = defaultdict(list)
    fits: dict[tuple, list[float]] = defaultdict(list)
    for record in records:
        if record.status == "ok":
            for key in _keys(record.cell):
                known[key].append(sum(record.seconds.values()))
            if not record.cell.tuning:
                for key in _keys(record.cell):
                    fits[key].append(record.seconds.get("fit", 0.0))
    total, unknown = 0.0, 0
    for cell in cells:
        key = next((key for key in _keys(cell) if key in known), None)
        untuned = next((key for key in _keys(replace(cell, tuning={})) if key in fits), None)
        if key is not None:
            total += mean(known[key])
        elif untuned is not None:
            total += mean(fits[untuned]) * (1 + fits_of_search(cell))
        else:
            unknown += 1
    return total / max(1, min(jobs, len(cells))), unknown


def estimate(cells: Sequence[Cell], records: Iterable[Record], jobs: int) -> str:
    """How long cells will take, in words: ``about 3 min 20 s``, ``at least …`` where some cannot be judged, or unknown.

    Parameters
    ----------
    records : iterable of Record
        As in `expected_seconds`.
    """
    seconds, unknown = expected_seconds(cells, records, jobs)
    if unknown == len(cells):
        return "unknown yet" if cells else duration(0)
    return f"{'at least' if unknown else 'about'} {duration(seconds)}"


def duration(seconds: float) -> str:
    """Seconds in words, e.g. ``3 min 20 s``."""
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return f"{rest} s"
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min {rest} s"


def fits_of_search(cell: Cell) -> float:
    """Fits of a cell's search, in fits of its whole training part; pruning and what trials share save some of them."""
    inner = cell.tuning.get("inner", INNER_FOLDS)
    return cell.tuning.get("trials", 0) * max(inner - 1, 0.75)


def _keys(cell: Cell) -> list[tuple]:
    trials = cell.tuning.get("trials", 0)
    named = (cell.model_name, cell.feature_name, cell.corpus)
    return [(trials, *named[:length]) for length in (3, 2, 1)]
