"""The observer that has rows mirrored while a suite runs, in a thread of the parent, so that no worker waits for it."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

from serbench.records import Record
from serbench.runner.observers import Observer

if TYPE_CHECKING:
    from pathlib import Path

    from serbench.runner.planning.cells import Plan

INTERVAL = 10.0
PATIENCE = 30.0


class Tracker(Observer):
    """Writes rows as they complete, and the rest of what has changed at the end of the run.

    A store that cannot be reached is told of once; the run goes on without it.

    Parameters
    ----------
    uri : str
        From `serbench.tracking.store.tracking_uri`.
    warn : callable
        Takes a line for the user.
    interval : float
        Seconds between two rounds of writing: rows that complete meanwhile are written together.
    patience : float
        Seconds that the end of a run waits for a server; a local file is waited for until it is written.
    """

    def __init__(
        self, uri: str, warn: Callable[[str], None], *, interval: float = INTERVAL, patience: float = PATIENCE
    ):
        self._uri, self._warn = uri, warn
        self._interval = interval
        self._patience = patience if uri.startswith("http") else None
        self._left: Counter[str] = Counter()
        self._complete: set[str] = set()
        self._guard = threading.Lock()
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None

    def planned(self, plan: Plan) -> None:
        """Count the cells that each row waits for."""
        self._results: Path = plan.folder.parent
        self._suite = plan.suite.name
        self._rows = {item.cell.row for item in plan.cells}
        self._left = Counter(item.cell.row for item in plan.todo)

    def finished(self, record: Record, uar: float | None) -> None:
        """Note the row that has changed, and start writing if it is the first."""
        row = record.cell.row
        self._left[row] -= 1
        if self._left[row] <= 0:
            with self._guard:
                self._complete.add(row)
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="tracking", daemon=True)
            self._thread.start()

    def ended(self) -> None:
        """Write what is left; without a cell run there is nothing."""
        if self._thread is None:
            return
        self._ending.set()
        self._thread.join(self._patience)
        if self._thread.is_alive():
            self._warn(f"the tracking server at {self._uri} is slow; `serbench track {self._suite}` writes the rest")

    def _work(self) -> None:
        try:
            from serbench.tracking.mirror import mirror

            while not self._ending.wait(self._interval):
                if rows := self._take():
                    mirror(self._results, self._suite, self._uri, rows=rows)
            # The last round takes in all rows of the plan, so that one resumed after a kill lacks nothing.
            mirror(self._results, self._suite, self._uri, rows=self._rows)
        except Exception as error:
            # Whatever it is: tracking neither stops nor fails a benchmark.
            self._warn(f"not tracked from here on: {error}")

    def _take(self) -> set[str]:
        with self._guard:
            rows, self._complete = self._complete, set()
        return rows
