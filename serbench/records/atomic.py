"""Files that are there whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from serbench.errors import ResultsError


class atomic_path:
    """Context manager: write to a temporary file, which replaces `path` once it is whole and on disk.

    With `keep` a file that is there already stays, and `kept` tells so: of several writers the first to end wins, also
    across the hosts of a shared file system.
    """

    def __init__(self, path: Path, *, keep: bool = False):
        self.path, self.keep, self.kept = Path(path), keep, False

    def __enter__(self) -> Path:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}.", suffix=".tmp")
        except OSError as error:
            raise _unwritable(self.path, error) from error
        os.close(handle)
        self.temporary = Path(name)
        self.temporary.chmod(0o644)
        return self.temporary

    def _place(self) -> None:
        if not self.keep:
            self.temporary.replace(self.path)
            return
        try:
            os.link(self.temporary, self.path)
        except FileExistsError:
            self.kept = True

    def __exit__(self, kind, error, trace) -> None:
        try:
            if kind is None:
                with self.temporary.open("rb+") as stream:
                    os.fsync(stream.fileno())
                self._place()
        except OSError as problem:
            raise _unwritable(self.path, problem) from problem
        finally:
            self.temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise _unwritable(self.path, error) from error


def _unwritable(path: Path, error: OSError) -> ResultsError:
    reason = error.strerror or str(error)
    return ResultsError(
        f"cannot write: {reason}", where=str(path), hint="free space or choose another folder (--results, --cache)"
    )
