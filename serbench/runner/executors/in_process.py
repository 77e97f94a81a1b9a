"""Jobs in the calling process, one after the other: for tests, debuggers and profilers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from serbench.specs import ExecutorSpec


class InProcess:
    """An executor without workers: a job has ended when `submit` returns.

    Thread counts of numerical libraries are those of the process.
    """

    def __init__(self):
        self._ended: list[tuple[Any, Any]] = []

    @property
    def has_room(self) -> bool:
        """Whether the last job was given back."""
        return not self._ended

    @property
    def running(self) -> int:
        """Number of jobs to give back: one at most."""
        return len(self._ended)

    def submit(self, function: Callable[[Any], Any], job: Any) -> None:
        """Run a job here and now, for as long as it takes."""
        try:
            result = function(job)
        except Exception as error:
            result = error
        self._ended.append((job, result))

    def completed(self, timeout: float | None = None) -> Iterator[tuple[Any, Any]]:
        """Give back (job, result) of the job that was run; never waits."""
        ended, self._ended = self._ended, []
        yield from ended

    def close(self, *, kill: bool = False) -> None:
        """Forget what was not given back."""
        self._ended = []


IN_PROCESS = ExecutorSpec(
    "in_process", lambda circumstances, work: InProcess(), description="this process, one job after the other"
)
