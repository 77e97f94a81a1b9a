"""Whether a disk has room."""

from __future__ import annotations

import shutil
from pathlib import Path

from serbench.errors import DownloadError

RESERVE = 2**26  # bytes that are left free


def free_space(folder: Path) -> int:
    """Bytes free where a folder is, or will be."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def require_space(size: int, folder: Path) -> None:
    """Raise where `size` bytes do not fit.

    Raises
    ------
    DownloadError
        Naming what is needed and what there is.
    """
    if (free := free_space(folder)) < size + RESERVE:
        raise DownloadError(
            f"not enough space: {in_words(size)} needed, and {in_words(RESERVE)} to be left; {in_words(free)} are free",
            where=str(folder),
            hint="free space or choose another folder (--data)",
        )


def in_words(size: int) -> str:
    """Bytes for people: ``208 MB``."""
    value = float(size)
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if value < 1000 or unit == "TB":
            break
        value /= 1000
    return f"{value:.3g} {unit}" if value < 100 else f"{value:.0f} {unit}"
