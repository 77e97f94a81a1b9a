"""Worker processes on this machine: one single-process pool each, so that a dead worker costs its own job only.

Workers are spawned, never forked; they ignore Ctrl-C (the parent decides) and exit when the parent dies. pebble's pool
would give all of this but one: it starts and replaces workers in a thread of its own, so that what has to stand around
each start (thread counts in the environment, the main script hidden, SIGINT blocked) could not be set for it alone.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serbench.circumstances import Circumstances
from serbench.records.derived import make_way
from serbench.runner.cell.environment import thread_variables
from serbench.runner.executors.base import TimeLimit, WorkerDied
from serbench.specs import ExecutorSpec

# Seconds that a worker has to end by itself.
LAST_WORDS = 3.0


@dataclass
class _Busy:
    """A job under way: in which worker, and for how long it may be."""

    executor: ProcessPoolExecutor
    job: Any
    limit: TimeLimit


class LocalPool:
    """An executor with a fixed number of worker processes, each started when it is first needed.

    Parameters
    ----------
    workers : int
    threads : int
        Threads for numerical libraries within a worker.
    log : Path, optional
        Where workers write what libraries print; TensorFlow greets at length, and a crash leaves its last words there.
    memory : int, optional
        Bytes that a worker may allocate; beyond them it meets a `MemoryError`, or dies where a library cannot.
    """

    def __init__(self, workers: int, threads: int = 1, log: Path | None = None, memory: int | None = None):
        self._threads = threads
        self._memory = memory
        self._log = log
        if log is not None:
            make_way(log)
        self._idle: list[ProcessPoolExecutor | None] = [None] * workers
        self._busy: dict[Future, _Busy] = {}

    @property
    def has_room(self) -> bool:
        """Whether a worker is free."""
        return bool(self._idle)

    @property
    def running(self) -> int:
        """Number of jobs under way."""
        return len(self._busy)

    def submit(self, function: Callable[[Any], Any], job: Any, *, seconds: float | None = None) -> None:
        """Give a job to a free worker; its time begins when it is given, a new worker's start included.

        The time is `seconds`, else what the job says itself.
        """
        executor = self._idle.pop() or self._start()
        with spawning(self._threads):
            try:
                future = executor.submit(function, job)
            except BrokenProcessPool:
                # The worker died while it had nothing to do, so that no job is lost.
                executor = self._start()
                future = executor.submit(function, job)
        self._busy[future] = _Busy(executor, job, TimeLimit.of(job, seconds).start())

    def hurry(self, seconds: float) -> None:
        """End the jobs that have a time limit, `seconds` from now at the latest."""
        for busy in self._busy.values():
            busy.limit.hurry(seconds)

    def completed(self, timeout: float | None = None) -> Iterator[tuple[Any, Any]]:
        """Wait for at least one job and yield (job, result); a result may be an exception or `WorkerDied`."""
        for busy in self._busy.values():
            if busy.limit.over or any(map(_has_ended, _processes(busy.executor))):
                # A child that a dead worker has left would keep its pipes open, and its death unseen.
                _end(busy.executor)
        done, _ = wait(self._busy, timeout=timeout, return_when=FIRST_COMPLETED)
        for future in done:
            busy = self._busy.pop(future)
            error = future.exception()
            if isinstance(error, BrokenProcessPool):
                busy.executor.shutdown(wait=False, cancel_futures=True)
                self._idle.append(None)
                yield busy.job, self._cause_of_death(busy)
            else:
                self._idle.append(busy.executor)
                yield busy.job, error or future.result()

    def _cause_of_death(self, busy: _Busy) -> WorkerDied:
        if busy.limit.over:
            return busy.limit.error()
        allowed = f"; it may take {gibibytes(self._memory)} (--memory)" if self._memory else ""
        return WorkerDied(f"the worker process died (killed, out of memory, or crashed{allowed})")

    def close(self, *, kill: bool = False) -> None:
        """End the workers; with `kill` at once, whatever they do."""
        executors = [executor for executor in self._idle if executor] + [busy.executor for busy in self._busy.values()]
        for executor in executors:
            if kill:
                _end(executor)
            workers = _processes(executor)
            executor.shutdown(wait=False, cancel_futures=True)
            for worker in workers:
                # A thread that a job has left behind would keep its worker for ever.
                worker.join(LAST_WORDS)
                _kill_group(worker.pid)
        self._idle, self._busy = [], {}

    def _start(self) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(
            max_workers=1, mp_context=context, initializer=_prepare_worker, initargs=(self._log, self._memory)
        )


def _open(circumstances: Circumstances, work: Path) -> LocalPool:
    return LocalPool(circumstances.jobs, circumstances.threads, work / "workers.log", circumstances.memory)


LOCAL = ExecutorSpec("local", _open, description="worker processes on this machine")


def gibibytes(count: int | None) -> str:
    """A number of bytes, as messages have it."""
    return f"{(count or 0) / 2**30:.1f} GiB"


def _processes(executor: ProcessPoolExecutor) -> list[multiprocessing.Process]:
    return list((executor._processes or {}).values())


def _has_ended(process: multiprocessing.Process) -> bool:
    # Looks without reaping: that is the pool's own business.
    try:
        return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return True


def _end(executor: ProcessPoolExecutor) -> None:
    """Kill a worker with all that it started."""
    for process in _processes(executor):
        _kill_group(process.pid)
        # Before it has made a group of its own it is killed by itself.
        process.kill()


def _kill_group(worker: int) -> None:
    # A worker leads a group of its own: what its jobs started is in it, but for what made a session of its own.
    # The group outlives its leader.
    started = _descendants(worker)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(worker, signal.SIGKILL)
    for process in started:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(process, signal.SIGKILL)


def _descendants(process: int) -> list[int]:
    """Children of a process and theirs, where the system tells (Linux)."""
    found: list[int] = []
    for path in Path(f"/proc/{process}/task").glob("*/children"):
        with suppress(OSError):
            for child in map(int, path.read_text().split()):
                found += [child, *_descendants(child)]
    return found


def _prepare_worker(log: Path | None, memory: int | None) -> None:
    os.setpgid(0, 0)
    if memory is not None:
        # Private writable memory: what is only mapped (libraries, features) does not count.
        resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    if log is not None:
        with log.open("a") as stream:
            os.dup2(stream.fileno(), sys.stdout.fileno())
            os.dup2(stream.fileno(), sys.stderr.fileno())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    threading.Thread(target=_die_with, args=(parent,), daemon=True).start()


def _die_with(parent) -> None:
    parent.join()
    _kill_group(os.getpid())


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
