"""Feed jobs to an executor until there are none or somebody stops it."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from serbench.runner.executors.base import Executor, TimedOut
from serbench.runner.interrupt import Interrupt

POLL = 0.5
LONGEST_PAUSE = 8.0
# After Ctrl-C, for what has a time limit: plug-ins.
GRACE = 2.0


def run_jobs(
    executor: Executor,
    function: Callable[[Any], Any],
    jobs: Iterable[Any],
    interrupt: Interrupt,
    tick: Callable[[list[Any]], None] = lambda under_way: None,
) -> Iterator[tuple[Any, Any]]:
    """Run jobs side by side and yield (job, result) as they end.

    A job whose result is None is in another run's hands: it is tried again once all others are under way, after a
    pause that doubles, up to `LONGEST_PAUSE` seconds, for as long as nothing comes of it.

    `tick` is given the jobs under way about twice a second. Where the executor can hurry, jobs that have a time limit
    are ended soon after somebody stops it, and are not among the results then.
    """
    waiting, held = deque(jobs), deque()
    under_way: list[Any] = []
    pause, again, hurried = POLL, 0.0, False
    while executor.running or ((waiting or held) and not interrupt.stopped):
        if held and not waiting and time.monotonic() >= again:
            waiting, held = held, deque()
            pause = min(2 * pause, LONGEST_PAUSE)
        while waiting and executor.has_room and not interrupt.stopped:
            under_way.append(waiting.popleft())
            executor.submit(function, under_way[-1])
        if interrupt.stopped and not hurried:
            getattr(executor, "hurry", lambda seconds: None)(GRACE)
            hurried = True
        tick(under_way)
        if not executor.running:
            time.sleep(POLL)
        for job, result in executor.completed(timeout=POLL):
            under_way = [other for other in under_way if other is not job]
            if interrupt.stopped and isinstance(result, TimedOut):
                continue
            if result is None:
                again = again if held else time.monotonic() + pause
                held.append(job)
            else:
                pause = POLL
                yield job, result
