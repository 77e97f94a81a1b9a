"""How a user's folder or table is to be read: the adapter, its options, and what they rest on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serbench.corpora.files import find_audio
from serbench.corpora.foreign.columns import read_columns
from serbench.corpora.foreign.names import read_names
from serbench.corpora.foreign.words import codes_for
from serbench.corpora.identification import identify_corpus
from serbench.corpora.layout import layout_pattern
from serbench.corpora.presence import MANIFEST_SUFFIXES
from serbench.errors import CorpusError, UsageError
from serbench.registry import Registry

SHOWN = 6


@dataclass(frozen=True)
class Foreign:
    """A user's corpus as serbench would read it.

    Attributes
    ----------
    root : Path
        Folder or manifest.
    adapter : str
    options : dict
    others : tuple of str
        Lines of YAML for readings that the user may prefer.
    """

    root: Path
    adapter: str
    options: dict[str, Any]
    others: tuple[str, ...] = ()


def read_foreign(root: Path, layout: str = "") -> Foreign:
    """Look at a folder of audio files, or at a table of them.

    Parameters
    ----------
    layout : str
        Where the user says what the names mean, as in `layout_pattern`.

    Raises
    ------
    UsageError
        If there is nothing there.
    CorpusError
        If neither names nor a table tell the labels.
    """
    if not root.exists():
        raise UsageError(f"there is nothing at {root}", where="serbench init", hint="give a folder or a manifest")
    if root.is_file():
        if layout:
            raise UsageError("a manifest has columns, no layout", where="--layout", hint="leave it out")
        return _from_table(root)
    names = names_below(root)
    tables = sorted(path for path in root.glob("*") if path.suffix.lower() in MANIFEST_SUFFIXES)
    if not names and not tables:
        raise CorpusError("no audio file and no manifest", where=str(root), hint="wav, flac, mp3 and ogg are read")
    if layout:
        return _from_layout(root, names, layout)
    try:
        if not names:
            raise CorpusError("no audio file", where=str(root))
        return _from_names(root, names)
    except CorpusError as error:
        for table in tables:
            try:
                return _from_table(table)
            except CorpusError:
                continue
        raise error


def names_below(root: Path) -> list[str]:
    """Paths of the audio files below a folder, without their suffixes."""
    return [path.relative_to(root).with_suffix("").as_posix() for path in find_audio(root)]


def known_corpus(root: Path, registry: Registry, enough: float = 0.9) -> str:
    """The packaged corpus that a folder holds, by the names of nearly all of its files; empty where there is none."""
    files = len(names_below(root)) if root.is_dir() else 0
    name = identify_corpus(root) if files else ""
    return name if name and len(registry.get("corpus", name).load(root)) >= enough * files else ""


def _from_names(root: Path, names: Sequence[str]) -> Foreign:
    reading = read_names(names)
    listed = [f'layout: "{layout}"   # if {_some(values)} are the speakers' for layout, values in reading.others]
    return Foreign(root, "folder", {"layout": reading.layout, "codes": reading.codes}, tuple(listed))


def _from_layout(root: Path, names: Sequence[str], layout: str) -> Foreign:
    pattern = layout_pattern(layout)
    matches = [match for name in names if (match := pattern.fullmatch(name))]
    if not matches:
        example = f", such as {names[0]}" if names else ""
        raise CorpusError(
            f"no file is of the layout '{layout}'{example}",
            where=str(root),
            hint="it describes the whole path below the folder, without .wav: '{speaker}/{label}_*'",
        )
    codes = codes_for(sorted({match["label"] for match in matches}))
    return Foreign(root, "folder", {"layout": layout, "codes": codes})


def _from_table(file: Path) -> Foreign:
    table = read_columns(file)
    options = {"columns": table.columns, "folder": table.folder, "codes": table.codes}
    others = [f"other columns: {_some(table.others)}"] if table.others else []
    return Foreign(file, "manifest", options, tuple(others))


def _some(values: Sequence[str]) -> str:
    return ", ".join(values[:SHOWN]) + (", …" if len(values) > SHOWN else "")
