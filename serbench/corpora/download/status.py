"""Where a download is kept until it is whole."""

from __future__ import annotations

from pathlib import Path

_WORK = ".downloads"


def work_folder(target: Path) -> Path:
    """Where a corpus' download is kept; beside its folder, so that moving it in is one step."""
    return target.parent / _WORK / target.name


def is_unfinished(target: Path) -> bool:
    """Whether a download was begun and not finished."""
    return work_folder(target).is_dir()
