"""What every executor has to keep, as checks that its author can run (`serbench check`)."""

from __future__ import annotations

import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from serbench.circumstances import Circumstances
from serbench.contracts import Check, expect, run_checks
from serbench.runner.executors.base import Executor
from serbench.specs import ExecutorSpec

PATIENCE = 120.0


def check_executor(spec: ExecutorSpec, circumstances: Circumstances) -> list[Check]:
    """Give an executor three jobs: all must come back once, an exception as a result."""
    with tempfile.TemporaryDirectory() as folder:
        return run_checks({"jobs come back": lambda: _jobs_come_back(spec, circumstances, Path(folder))})


def _jobs_come_back(spec: ExecutorSpec, circumstances: Circumstances, work: Path) -> str:
    with closing(spec.open(circumstances, work)) as executor:
        found = results_of(executor, int, ["7", "x", "8"])
    told = sorted((job, result if isinstance(result, int) else type(result).__name__) for job, result in found)
    expect(told == [("7", 7), ("8", 8), ("x", "ValueError")], f"int of '7', 'x' and '8' came back as {told}")
    return "three of three"


def results_of(executor: Executor, function: Any, jobs: list[Any]) -> list[tuple[Any, Any]]:
    """Run jobs; (job, result) of those that come back in `PATIENCE` seconds."""
    found: list[tuple[Any, Any]] = []
    end, waiting = time.monotonic() + PATIENCE, list(jobs)
    while (waiting or executor.running) and time.monotonic() < end:
        while waiting and executor.has_room:
            executor.submit(function, waiting.pop())
        found += executor.completed(timeout=0.2)
    return found
