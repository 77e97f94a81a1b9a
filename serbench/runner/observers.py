"""Who is told how a run goes: progress on the terminal, and later others such as a tracker."""

from __future__ import annotations

import sys
from typing import Protocol

import numpy as np
import pandas as pd

from serbench.records import Record
from serbench.runner.plan import Plan


class Observer(Protocol):
    """Told by the parent process alone, in this order."""

    def planned(self, plan: Plan) -> None:
        """Cells are known; nothing has run."""

    def extracting(self, done: int, total: int) -> None:
        """Files whose features were missing, and how many of them are done."""

    def warned(self, text: str) -> None:
        """Something the user should know; the run goes on."""

    def finished(self, record: Record, predictions: pd.DataFrame) -> None:
        """A cell's file is written."""

    def ended(self) -> None:
        """Nothing runs any more."""


class Progress:
    """Progress on the terminal: bars where it is one, now and then a line where it is not."""

    def __init__(self, every: int = 20):
        self._every = every
        self._done = self._failed = self._total = 0
        self._bar = None

    def planned(self, plan: Plan) -> None:
        """Start the bar over the cells to run."""
        self._total = len(plan.todo)
        if self._total and sys.stderr.isatty():
            self._bar = _bar()
            self._extraction = self._bar.add_task("features", total=None, visible=False, note="")
            self._cells = self._bar.add_task("cells", total=self._total, note="")
            self._bar.start()

    def extracting(self, done: int, total: int) -> None:
        """Advance the bar over files."""
        if self._bar:
            self._bar.update(self._extraction, completed=done, total=total, visible=True)
        elif done == total:
            _line(f"features of {total} files extracted")

    def warned(self, text: str) -> None:
        """Print a line above the bar."""
        if self._bar:
            self._bar.console.print(text, markup=False, highlight=False)
        else:
            _line(text)

    def finished(self, record: Record, predictions: pd.DataFrame) -> None:
        """Advance the bar over cells and name the UAR of the last one."""
        self._done += 1
        self._failed += record.status == "failed"
        cell = record.cell
        name = f"{cell.corpus} {cell.feature_name} {cell.model_name} {cell.protocol_name} {cell.fold}"
        outcome = f"UAR {_uar(predictions):.3f}" if record.status == "ok" else f"{record.status}: {record.reason}"
        failed = f", {self._failed} failed" if self._failed else ""
        if self._bar:
            self._bar.update(self._cells, completed=self._done, note=f"{failed} {name} {outcome}")
        elif record.status != "ok" or self._done % self._every == 0 or self._done == self._total:
            _line(f"{self._done} of {self._total} cells{failed}; {name}: {outcome}")

    def ended(self) -> None:
        """Take the bar away."""
        if self._bar:
            self._bar.stop()


def _line(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _bar():
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as RichProgress

    columns = (
        TextColumn("{task.description:>8}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("ETA"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}", markup=False),
    )
    return RichProgress(*columns, console=Console(stderr=True))


def _uar(predictions: pd.DataFrame) -> float:
    test = predictions[predictions["role"] == "test"]
    right = test["truth"] == test["predicted"]
    return float(np.mean(right.groupby(test["truth"]).mean()))
