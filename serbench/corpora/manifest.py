"""A user's own corpus without code: a CSV or Parquet file that lists the utterances."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from serbench.errors import CorpusError
from serbench.specs import CorpusSpec

REQUIRED = ("path", "label")
_READERS = {".csv": "read_csv", ".parquet": "read_parquet"}


def load(root: Path) -> pd.DataFrame:
    """Read the rows of a manifest whose audio is there; see `read_manifest`."""
    table = read_manifest(root)
    there = [Path(path).is_file() for path in table["path"]]
    missing = [str(name) for name, exists in zip(table["utterance"], there, strict=True) if not exists]
    table = table[there].reset_index(drop=True)
    table.attrs["missing"] = missing
    return table


def read_manifest(root: Path) -> pd.DataFrame:
    """Read a manifest: columns `path` and `label`, and any of `utterance`, `speaker`, `gender`, `text`,
    `intensity`, `take`, `official_fold`; further columns are kept.

    Parameters
    ----------
    root : Path
        The manifest, or a folder that holds one (`manifest.csv`, `manifest.parquet`, or a single such file).
        Relative paths in it start at its folder; without a column `utterance` the path without its suffix is the id.

    Raises
    ------
    CorpusError
        If there is no manifest, it cannot be read, or lacks a column.
    """
    file = _find(root)
    table = _read(file)
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
    table["path"] = [str(file.parent / path) for path in table["path"]]
    return table


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


def _read(file: Path) -> pd.DataFrame:
    if file.suffix.lower() not in _READERS:
        raise CorpusError("a manifest is a .csv or a .parquet file", where=str(file), hint="convert or rename it")
    # Identifiers such as "01" are text; a number reader would drop the zero.
    settings = {"dtype": str, "keep_default_na": False} if file.suffix.lower() == ".csv" else {}
    try:
        return getattr(pd, _READERS[file.suffix.lower()])(file, **settings)
    except (OSError, ValueError) as error:
        raise CorpusError(f"cannot be read: {error}", where=str(file), hint="give a CSV or Parquet file") from error


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
)
