"""Feed jobs to the workers until there are none or somebody stops it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from serbench.runner.executors.local import Pool
from serbench.runner.interrupt import Interrupt

POLL = 0.5


def work_off(
    pool: Pool, function: Callable, jobs: deque, interrupt: Interrupt, tick: Callable[[], None] = lambda: None
) -> Iterator[tuple[Any, Any]]:
    """Run jobs side by side and yield (job, result) as they end; the caller may append jobs meanwhile.

    `tick` is called about twice a second while they run.
    """
    while pool.running or (jobs and not interrupt.stopped):
        while jobs and pool.has_room and not interrupt.stopped:
            pool.submit(function, jobs.popleft())
        tick()
        yield from pool.completed(timeout=POLL)
