"""Files that a run can make anew: one that is damaged is set aside as `*.damaged`, said in a line, and made again."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pyarrow as pa

from serbench.errors import ResultsError

T = TypeVar("T")
SUFFIX = ".damaged"
# The folders below a suite's own that the program alone writes; what stands above them may be a user's file.
OWN_FOLDERS = ("cells", "locks", "logs", "searches", "work")
# What readers raise for content that is cut short, foreign, of another shape, or nested too deeply.
UNREADABLE = (OSError, pa.ArrowException, LookupError, ValueError, TypeError, AttributeError, RecursionError)


def warn(line: str) -> None:
    """Say one line on stderr, or wherever a program sends the log of `serbench`."""
    logging.getLogger("serbench").warning("serbench: warning: %s", line)


def read_derived(path: Path, read: Callable[[Path], T], absent: T) -> T:
    """Read a derived file; `absent` where there is none, or where it was damaged and is now set aside.

    Raises
    ------
    ResultsError
        If it may not be read, or `read` raises one: whole, but not for this version to read.
    """
    make_way(path)
    try:
        return read(path)
    except FileNotFoundError:
        return absent
    except PermissionError as error:
        raise ResultsError("cannot be read: no permission", where=str(path), hint="change its permissions") from error
    except UNREADABLE as error:
        set_aside(path, type(error).__name__)
        return absent


def make_way(path: Path) -> None:
    """Set aside what cannot be a derived file: a folder, a pipe or a device; or a file where one of ours has to be."""
    try:
        if path.parent.name in OWN_FOLDERS and path.parent.exists() and not path.parent.is_dir():
            set_aside(path.parent, "no folder")
        if path.exists() and not path.is_file():
            set_aside(path, "no regular file")
    except OSError as error:
        raise ResultsError(
            f"cannot be read: {error.strerror}", where=str(path), hint="choose another --results"
        ) from error


def set_aside(path: Path, why: str) -> Path:
    """Rename what is damaged, so that nothing is lost, and say so.

    Raises
    ------
    ResultsError
        If it cannot be renamed.
    """
    number, aside = 1, path.with_name(path.name + SUFFIX)
    while aside.exists():
        number += 1
        aside = path.with_name(f"{path.name}{SUFFIX}-{number}")
    try:
        path.rename(aside)
    except FileNotFoundError:
        return aside  # Another process was faster.
    except OSError as error:
        raise ResultsError(
            f"damaged, and cannot be set aside: {error.strerror}", where=str(path), hint="remove it"
        ) from error
    warn(f"{path}: damaged ({why}), set aside as {aside.name}; made anew")
    return aside
