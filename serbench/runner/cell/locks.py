"""Locks between processes: a lock dies with its holder, however that ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from serbench.errors import ResultsError
from serbench.records.derived import make_way


@contextmanager
def lock(path: Path, *, wait: bool) -> Iterator[bool]:
    """Hold an exclusive lock on a file; yields False where another process has it and `wait` is off.

    Raises
    ------
    ResultsError
        If the file cannot be written, or its file system knows no locks.
    """
    # The library's fallback for such file systems, a file that is there or not, would outlive a killed holder.
    held = FileLock(path, fallback_to_soft=False)
    make_way(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        held.acquire(blocking=wait)
    except Timeout:
        yield False
        return
    except OSError as error:
        raise ResultsError(
            f"cannot write: {error.strerror}", where=str(path), hint="choose another --results"
        ) from error
    try:
        yield True
    finally:
        held.release()
