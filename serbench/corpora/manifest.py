"""A user's own corpus without code: a CSV or Parquet file that lists the utterances."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from serbench.corpora.audio import SUFFIXES
from serbench.corpora.layout import as_mapping, spelt_out
from serbench.errors import CorpusError
from serbench.specs import CorpusSpec

REQUIRED = ("path", "label")
_READERS = {".csv": "read_csv", ".tsv": "read_csv", ".parquet": "read_parquet"}
_SEPARATORS = ",;\t|"


def load(root: Path, **reading: Any) -> pd.DataFrame:
    """Read the rows of a manifest whose audio is there; see `listed_utterances`."""
    table = listed_utterances(root, **reading)
    there = [Path(path).is_file() for path in table["path"]]
    missing = [str(name) for name, exists in zip(table["utterance"], there, strict=True) if not exists]
    table = table[there].reset_index(drop=True)
    table.attrs["missing"] = missing
    return table


def listed_utterances(
    root: Path,
    columns: Mapping[str, str] | None = None,
    folder: str = "",
    codes: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Read a manifest: columns `path` and `label`, and any of `utterance`, `speaker`, `gender`, `text`,
    `intensity`, `take`, `official_fold`; further columns are kept.

    Parameters
    ----------
    root : Path
        The manifest, or a folder that holds one (`manifest.csv`, `manifest.parquet`, or a single such file).
        Relative paths in it start at its folder; without a column `utterance` the path without its suffix is the id.
    columns : mapping of str to str
        Columns of other names: ``{path: file_name, label: emotion}``.
    folder : str
        Folder that paths start at, seen from the manifest's own.
    codes : mapping of str to str
        What labels stand for: ``{ANG: angry}``; a label that is not in it stays as it is.

    Raises
    ------
    CorpusError
        If there is no manifest, it cannot be read, or lacks a column.
    """
    file = _find(root)
    table = _renamed(read_manifest(file), as_mapping("columns", columns), file)
    if absent := [name for name in REQUIRED if name not in table.columns]:
        raise CorpusError(
            f"the manifest lacks the column {' and '.join(absent)}; it has {', '.join(map(str, table.columns))}",
            where=str(file),
            hint="required: path, label; useful: utterance, speaker, gender, text, official_fold",
        )
    if gaps := [row for row, value in enumerate(table["path"], 1) if not isinstance(value, str) or not value.strip()]:
        raise CorpusError(
            f"empty path in rows {', '.join(map(str, gaps[:10]))}", where=str(file), hint="fill or remove them"
        )
    if "utterance" not in table:
        table["utterance"] = [Path(path).with_suffix("").as_posix() for path in table["path"]]
    table["path"] = [_with_suffix(file.parent / folder / path) for path in table["path"]]
    table["label"] = spelt_out(table["label"], codes)
    return table


def _renamed(table: pd.DataFrame, columns: Mapping[str, str], file: Path) -> pd.DataFrame:
    if absent := [given for given in columns.values() if given not in table.columns]:
        raise CorpusError(
            f"the manifest lacks the column {absent[0]}; it has {', '.join(map(str, table.columns))}",
            where=str(file),
            hint="correct `columns` in the suite",
        )
    # A column that already has the name of a renamed one would be there twice.
    doubled = [name for name in columns if name in table.columns and columns[name] != name]
    return table.drop(columns=doubled).rename(columns={given: name for name, given in columns.items()})


def _with_suffix(path: Path) -> str:
    if path.suffix.lower() in SUFFIXES:
        return str(path)
    # Many lists name utterances, not files.
    there = (path.with_name(path.name + suffix) for suffix in sorted(SUFFIXES))
    return str(next((file for file in there if file.is_file()), path))


def _find(root: Path) -> Path:
    if root.is_file():
        return root
    files = sorted(path for path in root.glob("*") if path.suffix.lower() in _READERS)
    named = [path for path in files if path.stem == "manifest"]
    if len(named or files) != 1:
        found = f"several: {', '.join(path.name for path in files)}" if files else "none"
        raise CorpusError(
            f"a manifest was expected, found {found}",
            where=str(root),
            hint="name it manifest.csv or manifest.parquet, or give the file itself (--corpus-path NAME=FILE)",
        )
    return (named or files)[0]


def read_manifest(file: Path) -> pd.DataFrame:
    """The rows of a CSV, TSV or Parquet file; text stays text."""
    if file.suffix.lower() not in _READERS:
        raise CorpusError(
            "a manifest is a .csv, a .tsv or a .parquet file", where=str(file), hint="convert or rename it"
        )
    # Identifiers such as "01" are text; a number reader would drop the zero.
    settings = {"dtype": str, "keep_default_na": False} if file.suffix.lower() != ".parquet" else {}
    try:
        if settings:
            settings["sep"] = _separator(file)
        return getattr(pd, _READERS[file.suffix.lower()])(file, **settings)
    except (OSError, ValueError) as error:
        raise CorpusError(f"cannot be read: {error}", where=str(file), hint="give a CSV or Parquet file") from error


def _separator(file: Path) -> str:
    with file.open(encoding="utf-8-sig") as lines:
        heads = lines.readline()
    return max(_SEPARATORS, key=heads.count)


MANIFEST = CorpusSpec(
    name="manifest",
    version="1",
    language="",
    licence="",
    citation="",
    homepage="",
    labels=(),
    load=load,
    user_named=True,
    options={"columns": {}, "folder": "", "codes": {}},
)
