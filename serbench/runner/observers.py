"""Who is told how a run goes: progress on the terminal, and others such as a tracker."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from serbench.records import Cell, Record
from serbench.runner.planning.cells import Plan
from serbench.runner.planning.estimates import duration, estimate

# Seconds between two lines where there is no terminal, and between two estimates where there is one.
LINE, GLANCE = 10.0, 1.0
WIDE = 110


class Observer(Protocol):
    """Told by the parent process alone, in this order."""

    def planned(self, plan: Plan) -> None:
        """Cells are known; nothing has run."""

    def extracting(self, done: int, total: int) -> None:
        """Files whose features were missing, and how many of them are done."""

    def working(self, cells: Sequence[Cell]) -> None:
        """About twice a second: the cells under way, none while features are extracted."""

    def searching(self, done: int, total: int, remaining: float | None) -> None:
        """Trials of all searches, how many of them are done, and the seconds left for the rest where they are known."""

    def warned(self, text: str) -> None:
        """Something the user should know; the run goes on."""

    def finished(self, record: Record, uar: float | None) -> None:
        """A cell's file is written; the UAR is that of its test part, None where it has no predictions."""

    def ended(self) -> None:
        """Nothing runs any more."""


class Progress:
    """Progress on the terminal: bars where it is one, a line every ten seconds where it is not.

    Parameters
    ----------
    jobs : int
        Cells side by side.
    clock : callable
        Seconds that only grow.
    """

    def __init__(self, jobs: int = 1, clock: Callable[[], float] = time.monotonic):
        self._jobs, self._clock = jobs, clock
        self._failed, self._total = 0, 0
        self._left: dict[str, Cell] = {}
        self._records: list[Record] = []
        self._files = self._trials = self._last = ""
        self._said = self._looked = clock()
        self._left_words = ""
        self._bar = None

    def planned(self, plan: Plan) -> None:
        """Start the bar over the cells to run."""
        self._left = {item.cell.id: item.cell for item in plan.todo}
        self._total = len(self._left)
        if self._total and sys.stderr.isatty():
            self._bar = make_bar()
            hidden = {"total": None, "visible": False, "note": ""}
            self._extraction = self._bar.add_task("features", **hidden)
            self._searches = self._bar.add_task("trials", **hidden)
            self._cells = self._bar.add_task("cells", total=self._total, note="starting")
            self._bar.start()

    def extracting(self, done: int, total: int) -> None:
        """Advance the bar over files."""
        self._files = f"extracting features: {done} of {total} files" if done < total else ""
        if self._bar:
            self._bar.update(self._extraction, completed=done, total=total, visible=True)
        elif done == total:
            self._line(f"features of {total} files extracted")
        else:
            self._now_and_then()

    def working(self, cells: Sequence[Cell]) -> None:
        """Say what is done, and how long the rest will take."""
        if self._bar:
            if self._clock() - self._looked >= GLANCE:
                self._look()
                self._bar.update(self._cells, note=f"{self._left_words}; {self._last or self._doing(cells)}")
        else:
            self._now_and_then(cells)

    def searching(self, done: int, total: int, remaining: float | None) -> None:
        """Advance the bar over trials."""
        left = "" if remaining is None else f"about {duration(remaining)} left"
        self._trials = f"{done} of {total} trials{left and ', '}{left}" if done < total else ""
        if self._bar:
            self._bar.update(self._searches, completed=done, total=total, visible=True, note=left)

    def warned(self, text: str) -> None:
        """Print a line above the bar."""
        if self._bar:
            self._bar.console.print(text, markup=False, highlight=False)
        else:
            self._line(text)

    def finished(self, record: Record, uar: float | None) -> None:
        """Advance the bar over cells and name the UAR of the last one."""
        self._left.pop(record.cell.id, None)
        self._records.append(record)
        self._failed += record.status == "failed"
        outcome = f"UAR {uar:.3f}" if record.status == "ok" else f"{record.status}: {record.reason}"
        self._last = f"{_named(record.cell)}: {outcome}"
        if self._bar:
            failed = f"{self._failed} failed; " if self._failed else ""
            if not self._left_words or self._clock() - self._looked >= GLANCE:
                self._look()
            note = f"{failed}{self._left_words + '; ' if self._left else ''}{self._last}"
            self._bar.update(self._cells, completed=len(self._records), note=note)
        elif record.status != "ok" or not self._left:
            self._line(self._state())
        else:
            self._now_and_then()

    def ended(self) -> None:
        """Take the bar away."""
        if self._bar:
            self._bar.stop()

    def _look(self) -> None:
        # An estimate goes through all cells, done and left: at each of 10,000 it would take longer than they do.
        self._looked, self._left_words = self._clock(), self._time_left()

    def _now_and_then(self, cells: Sequence[Cell] = ()) -> None:
        if self._clock() - self._said >= LINE:
            self._line(self._state(cells))

    def _line(self, text: str) -> None:
        self._said = self._clock()
        print(text, file=sys.stderr, flush=True)

    def _state(self, cells: Sequence[Cell] = ()) -> str:
        failed = f", {self._failed} failed" if self._failed else ""
        parts = [f"{len(self._records)} of {self._total} cells{failed}", self._trials]
        doing = self._doing(cells) if cells or self._files or not self._last else self._last
        parts += [self._time_left() if self._left else "", doing]
        return "; ".join(filter(None, parts))

    def _time_left(self) -> str:
        found = estimate(list(self._left.values()), self._records, self._jobs)
        return "time left unknown yet" if found == "unknown yet" else f"{found} left"

    def _doing(self, cells: Sequence[Cell]) -> str:
        """What goes on; the first fit of a model loads its libraries, and a network is compiled."""
        if self._files:
            return self._files
        if not cells:
            return "starting"
        known = {record.cell.model_name for record in self._records}
        new = "" if any(cell.model_name in known for cell in cells) else ", loading libraries and compiling"
        more = f" and {len(cells) - 1} more" if len(cells) > 1 else ""
        return f"fitting {_named(cells[0])}{more}{new}"


def _named(cell: Cell) -> str:
    return f"{cell.corpus} {cell.feature_name} {cell.model_name} {cell.protocol_name} {cell.fold}"


def make_bar(console=None):
    """Bars whose numbers are whole on a terminal of any width: only what is said beside them is cut."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as RichProgress
    from rich.table import Column

    class Note(TextColumn):
        """What gives way where the terminal is narrow."""

        def render(self, task):
            text = super().render(task)
            text.no_wrap, text.overflow = True, "ellipsis"
            return text

    console = console or Console(stderr=True)
    columns = (
        TextColumn("{task.description:>8}"),
        BarColumn(bar_width=24 if console.width >= WIDE else 8),
        MofNCompleteColumn(table_column=Column(no_wrap=True)),
        TimeElapsedColumn(table_column=Column(no_wrap=True)),
        Note("{task.fields[note]}", markup=False, table_column=Column(no_wrap=False)),
    )
    return RichProgress(*columns, console=console)
