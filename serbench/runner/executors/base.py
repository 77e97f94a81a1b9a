"""What the engine asks of an executor: one file each behind a few methods."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol


class WorkerDied(Exception):
    """The process that ran a job is gone: killed, out of memory, or crashed."""


class TimedOut(WorkerDied):
    """The process that ran a job was ended, since its time was up."""


@dataclass
class TimeLimit:
    """The time that a job may take, from `start` on.

    Attributes
    ----------
    seconds : float, optional
        None for as long as it likes.
    """

    seconds: float | None
    _end: float = field(init=False, default=math.inf)
    _hurried: bool = field(init=False, default=False)

    @classmethod
    def of(cls, job: Any, seconds: float | None = None) -> TimeLimit:
        """The limit given, else what the job says itself."""
        return cls(getattr(job, "seconds", None) if seconds is None else seconds)

    def start(self) -> TimeLimit:
        """Let the time run from now on, if it does not yet."""
        if self.seconds is not None and math.isinf(self._end):
            self._end = time.monotonic() + self.seconds
        return self

    @property
    def over(self) -> bool:
        """Whether the time is up."""
        return time.monotonic() > self._end

    def hurry(self, seconds: float) -> bool:
        """End it so many seconds from now at the latest; whether there is a limit at all."""
        if self.seconds is None:
            return False
        self._end, self._hurried = min(self._end, time.monotonic() + seconds), True
        return True

    def error(self) -> TimedOut:
        """What to say of a job whose time was up."""
        return TimedOut("stopped" if self._hurried else f"took longer than {self.seconds:g} s (--cell-timeout)")


class Executor(Protocol):
    """Runs jobs, wherever that may be.

    A job is plain data that can be pickled, its function importable by name. Predictions, features and journals travel
    by storage that all workers share; what comes back through an executor is small.

    A job's `seconds`, where it has such an attribute that is not None, are the time that it may take. An executor that
    can end a job keeps to them, and has a method ``hurry(seconds)``, which gives those jobs that much from now at most.
    """

    @property
    def has_room(self) -> bool:
        """Whether a job submitted now would start at once."""

    @property
    def running(self) -> int:
        """Number of jobs submitted and not yet given back by `completed`."""

    def submit(self, function: Callable[[Any], Any], job: Any) -> None:
        """Start a job; only where there is room."""

    def completed(self, timeout: float | None = None) -> Iterator[tuple[Any, Any]]:
        """Wait up to `timeout` seconds for a job to end, and give (job, result) of each that has.

        A result may be the exception that the function raised, `WorkerDied`, `TimedOut`: none takes another with it.
        """

    def close(self, *, kill: bool = False) -> None:
        """End the workers; with `kill` at once, whatever they do. May be called again."""
