"""Fewer workers than there are, for jobs that need more memory or a device of their own."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from serbench.circumstances import Circumstances
from serbench.runner.executors.base import Executor


class AtMost:
    """An executor that runs at most so many jobs of another at once."""

    def __init__(self, executor: Executor, workers: int):
        self._executor, self._workers = executor, workers

    @property
    def has_room(self) -> bool:
        """Whether a job submitted now would start at once."""
        return self._executor.running < self._workers and self._executor.has_room

    def __getattr__(self, name: str) -> Any:
        return getattr(self._executor, name)


def workers_for(memory: int, circumstances: Circumstances) -> tuple[int, str]:
    """How many workers may each take so many bytes at once, at least one, and why.

    Each GPU has one; on processors as many as half of the free memory has room for.
    """
    if circumstances.device != "cpu" and (gpus := _gpus()):
        count = gpus if circumstances.device in ("auto", "cuda") else 1
        return min(count, circumstances.jobs), f"one for each of {count} GPUs"
    free = _free_memory()
    count = max(1, min(circumstances.jobs, free // (2 * memory)))
    return count, f"each takes about {memory / 1e9:.1f} GB, {free / 1e9:.1f} GB are free"


def _gpus() -> int:
    """GPUs that torch may use; a machine without NVIDIA's driver is not asked, since importing torch takes seconds."""
    if not Path("/dev/nvidiactl").exists():
        return 0
    import torch

    return torch.cuda.device_count()


def _free_memory() -> int:
    try:
        lines = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
        return 1024 * int(lines["MemAvailable"].split()[0])
    except (OSError, ValueError, LookupError):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
