"""Worker processes on this machine: one single-process pool each, so that a dead worker costs its own job only.

Workers are spawned, never forked; they ignore Ctrl-C (the parent decides) and exit when the parent dies. pebble's pool
would give all of this but one: it starts and replaces workers in a thread of its own, so that what has to stand around
each start (thread counts in the environment, the main script hidden, SIGINT blocked) could not be set for it alone.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from serbench.records.derived import make_way
from serbench.runner.cell.environment import thread_variables
from serbench.runner.executors.base import WorkerDied


class LocalPool:
    """An executor with a fixed number of worker processes, each started when it is first needed.

    Parameters
    ----------
    workers : int
    threads : int
        Threads for numerical libraries within a worker.
    log : Path, optional
        Where workers write what libraries print; TensorFlow greets at length, and a crash leaves its last words there.
    """

    def __init__(self, workers: int, threads: int = 1, log: Path | None = None):
        self._threads = threads
        self._log = log
        if log is not None:
            make_way(log)
        self._idle: list[ProcessPoolExecutor | None] = [None] * workers
        self._busy: dict[Future, tuple[ProcessPoolExecutor, Any]] = {}

    @property
    def has_room(self) -> bool:
        """Whether a worker is free."""
        return bool(self._idle)

    @property
    def running(self) -> int:
        """Number of jobs under way."""
        return len(self._busy)

    def submit(self, function: Callable[[Any], Any], job: Any) -> None:
        """Give a job to a free worker."""
        executor = self._idle.pop() or self._start()
        with spawning(self._threads):
            try:
                future = executor.submit(function, job)
            except BrokenProcessPool:
                # The worker died while it had nothing to do, so that no job is lost.
                executor = self._start()
                future = executor.submit(function, job)
        self._busy[future] = (executor, job)

    def completed(self, timeout: float | None = None) -> Iterator[tuple[Any, Any]]:
        """Wait for at least one job and yield (job, result); a result may be an exception or `WorkerDied`."""
        done, _ = wait(self._busy, timeout=timeout, return_when=FIRST_COMPLETED)
        for future in done:
            executor, job = self._busy.pop(future)
            error = future.exception()
            if isinstance(error, BrokenProcessPool):
                executor.shutdown(wait=False, cancel_futures=True)
                self._idle.append(None)
                yield job, WorkerDied("the worker process died (killed, out of memory, or crashed)")
            else:
                self._idle.append(executor)
                yield job, error or future.result()

    def close(self, *, kill: bool = False) -> None:
        """End the workers; with `kill` at once, whatever they do."""
        executors = [executor for executor in self._idle if executor] + [item for item, _ in self._busy.values()]
        for executor in executors:
            processes = list((executor._processes or {}).values())
            if kill:
                for process in processes:
                    process.kill()
            executor.shutdown(wait=not kill, cancel_futures=True)
        self._idle, self._busy = [], {}

    def _start(self) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(
            max_workers=1, mp_context=context, initializer=_prepare_worker, initargs=(self._log,)
        )


def _prepare_worker(log: Path | None) -> None:
    if log is not None:
        with log.open("a") as stream:
            os.dup2(stream.fileno(), sys.stdout.fileno())
            os.dup2(stream.fileno(), sys.stderr.fileno())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    threading.Thread(target=_die_with, args=(parent,), daemon=True).start()


def _die_with(parent) -> None:
    parent.join()
    os._exit(1)


@contextmanager
def spawning(threads: int) -> Iterator[None]:
    """While a process is started: its thread counts in the environment, the main script hidden, Ctrl-C blocked."""
    # Thread counts must be in the environment before the worker imports numpy. And a spawned process would
    # import the user's main script again, which it never needs: a script without a main guard would run twice.
    before = {name: os.environ.get(name) for name in thread_variables(threads)}
    main = sys.modules["__main__"]
    hidden = {name: vars(main).get(name) for name in ("__spec__", "__file__")}
    os.environ.update(thread_variables(threads))
    # A blocked signal stays blocked in the child, so that a Ctrl-C while it starts cannot end it, and reaches the
    # parent afterwards. Ignoring it meanwhile would need no POSIX, but would lose it.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    main.__spec__ = None
    if hidden["__file__"] is not None:
        del main.__file__
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        main.__spec__ = hidden["__spec__"]
        if hidden["__file__"] is not None:
            main.__file__ = hidden["__file__"]
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
