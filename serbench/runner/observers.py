"""Who is told how a run goes: progress on the terminal, and later others such as a tracker."""

from __future__ import annotations

import sys
import time
from typing import Protocol

import pandas as pd

from serbench.records import Record
from serbench.runner.planning.plan import Plan
from serbench.scoring import uar

# Seconds between two lines about a search where there is no terminal.
SEARCH_LINE = 30.0


class Observer(Protocol):
    """Told by the parent process alone, in this order."""

    def planned(self, plan: Plan) -> None:
        """Cells are known; nothing has run."""

    def extracting(self, done: int, total: int) -> None:
        """Files whose features were missing, and how many of them are done."""

    def searching(self, done: int, total: int, remaining: float | None) -> None:
        """Trials of all searches, how many of them are done, and the seconds left for the rest where they are known."""

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
        self._searched = time.monotonic()
        self._bar = None

    def planned(self, plan: Plan) -> None:
        """Start the bar over the cells to run."""
        self._total = len(plan.todo)
        if self._total and sys.stderr.isatty():
            self._bar = _bar()
            self._extraction = self._bar.add_task("features", total=None, visible=False, note="")
            self._trials = self._bar.add_task("trials", total=None, visible=False, note="")
            self._cells = self._bar.add_task("cells", total=self._total, note="")
            self._bar.start()

    def extracting(self, done: int, total: int) -> None:
        """Advance the bar over files."""
        if self._bar:
            self._bar.update(self._extraction, completed=done, total=total, visible=True)
        elif done == total:
            _line(f"features of {total} files extracted")

    def searching(self, done: int, total: int, remaining: float | None) -> None:
        """Advance the bar over trials."""
        left = "" if remaining is None else f"about {duration(remaining)} left"
        if self._bar:
            self._bar.update(self._trials, completed=done, total=total, visible=True, note=left)
        elif time.monotonic() - self._searched >= SEARCH_LINE:
            self._searched = time.monotonic()
            _line(f"{done} of {total} trials{left and ', '}{left}")

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
        outcome = (
            f"UAR {_uar(record, predictions):.3f}" if record.status == "ok" else f"{record.status}: {record.reason}"
        )
        failed = f", {self._failed} failed" if self._failed else ""
        if self._bar:
            self._bar.update(self._cells, completed=self._done, note=f"{failed} {name} {outcome}")
        elif record.status != "ok" or self._done % self._every == 0 or self._done == self._total:
            _line(f"{self._done} of {self._total} cells{failed}; {name}: {outcome}")

    def ended(self) -> None:
        """Take the bar away."""
        if self._bar:
            self._bar.stop()


def duration(seconds: float) -> str:
    """Seconds in words, e.g. ``3 min 20 s``."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min {rest} s"


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


def _uar(record: Record, predictions: pd.DataFrame) -> float:
    test = predictions[predictions["role"] == "test"]
    return uar(test["truth"], test["predicted"], labels=record.cell.labels["labels"])
