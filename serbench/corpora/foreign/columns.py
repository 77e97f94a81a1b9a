"""Which columns of a user's table of utterances are which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from serbench.corpora.audio import SUFFIXES
from serbench.corpora.files import find_audio
from serbench.corpora.foreign.words import codes_for, emotion_of
from serbench.corpora.manifest import read_manifest
from serbench.errors import CorpusError

if TYPE_CHECKING:
    import pandas as pd

KNOWN = {
    "path": "path file filename file_name filepath file_path wav wav_path audio audio_path audio_file clip name id",
    "label": "label emotion emotion_label emo category class target",
    "speaker": "speaker speaker_id speakerid spk spk_id spkid actor actor_id subject subject_id client_id participant",
    "text": "text sentence sentence_id transcript transcription",
    "gender": "gender sex",
}


@dataclass(frozen=True)
class Table:
    """What a table says: options of the adapter `manifest`, and what was left open."""

    columns: dict[str, str]
    folder: str
    codes: dict[str, str]
    others: tuple[str, ...] = field(default=())


def read_columns(file: Path) -> Table:
    """Tell the columns of a CSV, TSV or Parquet file, and the folder that its paths start at.

    Raises
    ------
    CorpusError
        If there is no column of files or of labels; says what there is.
    """
    table = read_manifest(file)
    names = {str(column): column for column in table.columns}
    found = {known: given for known in KNOWN if (given := _column(known, names)) is not None}
    paths = _path_column(table, found.get("path"))
    label = found.get("label") or _label_column(table, paths)
    if paths is None or label is None:
        what = "the audio files" if paths is None else "the labels"
        listed = ", ".join(f"{name} ({table[name].iloc[0]})" for name in names) if len(table) else ", ".join(names)
        raise CorpusError(
            f"no column seems to name {what}; there are: {listed}",
            where=str(file),
            hint="rename the columns to path, label and speaker",
        )
    found |= {"path": paths, "label": label}
    if "gender" in found and not set(table[found["gender"]]) <= {"f", "m", ""}:
        found.pop("gender")
    labels = sorted({str(value) for value in table[label]})
    columns = {known: found[known] for known in KNOWN if found.get(known, known) != known}
    used = set(found.values())
    others = tuple(name for name in names if name not in used)
    return Table(columns, _folder(file, table[paths]), codes_for(labels), others)


def _column(known: str, names: Sequence[str]) -> str | None:
    folded = {name.casefold().strip().replace(" ", "_"): name for name in reversed(list(names))}
    return next((folded[word] for word in KNOWN[known].split() if word in folded), None)


def _path_column(table: pd.DataFrame, named: str | None) -> str | None:
    for name in table.columns:
        values = table[name].astype(str)
        if len(values) and values.map(lambda value: Path(value).suffix.lower() in SUFFIXES).mean() > 0.9:
            return str(name)
    return named


def _label_column(table: pd.DataFrame, paths: str | None) -> str | None:
    for name in table.columns:
        values = table[name].astype(str)
        if name != paths and len(values) and values.map(lambda value: bool(emotion_of(value))).mean() >= 0.6:
            return str(name)
    return None


def _folder(file: Path, paths: pd.Series) -> str:
    """The folder below the table's own that its paths start at, found by looking for one of the files."""
    for path in map(str, paths.head(20)):
        wanted = Path(path)
        if wanted.is_absolute() or (file.parent / wanted).is_file():
            return ""
        for there in find_audio(file.parent):
            below = there.relative_to(file.parent)
            tail = below if wanted.suffix.lower() in SUFFIXES else below.with_suffix("")
            if tail.parts[-len(wanted.parts) :] == wanted.parts:
                return Path(*tail.parts[: -len(wanted.parts)]).as_posix()
    return ""
