"""Shared base of the adapters: finding audio files and turning their names into an utterance table."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from serbench.corpora.audio import SUFFIXES
from serbench.errors import CorpusError

Fields = Mapping[str, str]


def find_audio(root: Path) -> list[Path]:
    """Audio files below a folder, in any layout, the shallowest first; see `files_below`.

    Raises
    ------
    CorpusError
        If `root` is no folder, or its name is no UTF-8.
    """
    if not is_text(root):
        raise CorpusError("the name of the folder is no UTF-8", where=_shown(root), hint="rename it")
    if not root.is_dir():
        raise CorpusError(
            "no such folder", where=str(root), hint="give the folder of the corpus (--data, --corpus-path)"
        )
    found = (path for path in files_below(root) if path.suffix.lower() in SUFFIXES)
    return sorted(found, key=lambda path: (len(path.parts), path.as_posix()))


def files_below(root: Path) -> Iterator[Path]:
    """Files below a folder, also in folders that are links.

    Hidden files and the `__MACOSX` folders that some archives leave behind are passed over; so is a link to a folder
    that was visited already, or that holds `root`.
    """
    above = Path(os.path.realpath(root))
    visited: set[str] = set()
    for folder, folders, names in os.walk(root, followlinks=True):
        real = os.path.realpath(folder)
        if real in visited or Path(real) in above.parents:
            folders.clear()
            continue
        visited.add(real)
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__MACOSX")))
        yield from (Path(folder, name) for name in names if not name.startswith("."))


def is_text(path: Path) -> bool:
    """Whether a name can be written into a table: the system also takes bytes that are no UTF-8."""
    return _shown(path) == path.as_posix()


def _shown(path: Path) -> str:
    return path.as_posix().encode("utf-8", "backslashreplace").decode()


def table_from_names(
    root: Path,
    read_name: Callable[[Any], Fields | None],
    *,
    pattern: re.Pattern[str] | None = None,
    expected: Iterable[str] = (),
    skip: Callable[[Path], bool] | None = None,
) -> pd.DataFrame:
    """Make the raw utterance table of a corpus whose file names say everything.

    Parameters
    ----------
    root : Path
        Folder searched.
    read_name : callable
        Fields of a file (`speaker`, `label`, ...; `utterance` unless it is the stem), None for an unknown name. It is
        given the path, or with `pattern` the match.
    pattern : re.Pattern, optional
        What the stem of every known name matches as a whole.
    expected : iterable of str
        Utterances of the corpus' design, where it can be spelt out.
    skip : callable, optional
        Tells files that belong to another corpus and only share the folder.

    Returns
    -------
    DataFrame
        One row per utterance. Its `attrs` name what the names show to be wrong: `unknown` (files),
        `repeated` (files whose utterance was already found) and `missing` (utterances).
    """
    rows: dict[str, dict] = {}
    unknown, repeated = [], []
    for path in find_audio(root):
        if skip is not None and skip(path):
            continue
        if not is_text(below := path.relative_to(root)):
            unknown.append(f"{_shown(below)} (a name that is no UTF-8)")
            continue
        match = pattern.fullmatch(path.stem) if pattern else path
        fields = None if match is None else read_name(match)
        if fields is None:
            unknown.append(path.relative_to(root).as_posix())
            continue
        utterance = fields.get("utterance", path.stem)
        if utterance in rows:
            repeated.append(path.relative_to(root).as_posix())
            continue
        rows[utterance] = {**fields, "utterance": utterance, "path": str(path)}
    table = pd.DataFrame(list(rows.values()), columns=None if rows else ["utterance", "path", "speaker", "label"])
    table.attrs.update(unknown=unknown, repeated=repeated, missing=[name for name in expected if name not in rows])
    return table
