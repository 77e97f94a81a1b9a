"""How far the searches of a run have come, read from their journals."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from serbench.runner.cell.tuning.journal import count_trials, journal_path
from serbench.runner.observers import Observer
from serbench.runner.planning.cells import Plan

EVERY = 2.0


class SearchProgress:
    """Tells observers the trials done, those planned, and the seconds that the rest will take.

    The searches run in the workers; their journals, one line a trial, are what the parent can see of them.

    Parameters
    ----------
    clock : callable
        Seconds that only grow.
    """

    def __init__(self, plan: Plan, observers: Sequence[Observer], clock: Callable[[], float] = time.monotonic):
        self._journals = {
            item.cell.id: (journal_path(plan.folder, item.cell.id), item.cell.tuning["trials"])
            for item in plan.todo
            if item.cell.tuning
        }
        # A search that starts anew leaves its old journal in place until then.
        renewed = [item.cell.id for item in plan.todo if item.cell.tuning and (plan.force or item.state == "stale")]
        self._old = {cell: count_trials(self._journals[cell][0]) for cell in renewed}
        self._total = sum(budget for _, budget in self._journals.values())
        self._done: dict[str, int] = {}
        self._observers, self._clock = observers, clock
        self._started: tuple[float, int] | None = None
        self._reported = float("-inf")

    def tick(self) -> None:
        """Look at the journals, but not more than every other second."""
        now = self._clock()
        if not self._journals or now - self._reported < EVERY:
            return
        self._reported = now
        for cell, (path, budget) in self._journals.items():
            if self._done.get(cell) != budget:
                self._done[cell] = min(budget, self._count(cell, path))
        done = sum(self._done.values())
        # The rate is that of this run: what an earlier one has left behind took no time now.
        if self._started is None:
            self._started = now, done
        for observer in self._observers:
            observer.searching(done, self._total, self._remaining(now, done))

    def _count(self, cell: str, path: Path) -> int:
        found = count_trials(path)
        if found == self._old.get(cell):
            return 0
        self._old.pop(cell, None)
        return found

    def _remaining(self, now: float, done: int) -> float | None:
        begun, before = self._started
        return (self._total - done) * (now - begun) / (done - before) if done > before else None
