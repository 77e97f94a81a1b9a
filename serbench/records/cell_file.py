"""A cell's file: predictions as Parquet rows, the record as JSON in the file's metadata.

It is written to a temporary name, fsynced and renamed, so that a kill leaves either the whole cell or nothing.
"""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from serbench.errors import ResultsError
from serbench.records.atomic import atomic_path
from serbench.records.derived import UNREADABLE, make_way
from serbench.records.record import Record

METADATA_KEY = b"serbench"


def cell_path(suite_folder: Path, cell_id: str) -> Path:
    """Where a cell's file lies."""
    return suite_folder / "cells" / f"{cell_id}.parquet"


def write_cell(suite_folder: Path, record: Record, predictions: pd.DataFrame, *, keep: bool = False) -> Path | None:
    """Write a cell file atomically and return its path; None if one is there already and `keep` lets it stay."""
    path = cell_path(suite_folder, record.cell.id)
    make_way(path)
    table = pa.Table.from_pandas(predictions, preserve_index=False)
    document = json.dumps(record.to_json(), ensure_ascii=False).encode("utf-8")
    table = table.replace_schema_metadata({**(table.schema.metadata or {}), METADATA_KEY: document})
    file = atomic_path(path, keep=keep)
    with file as temporary:
        pq.write_table(table, temporary, compression="zstd")
    return None if file.kept else path


def read_record(path: Path) -> Record:
    """Read a cell file's record without its predictions.

    Raises
    ------
    ResultsError
        If the file is cut short, damaged or not a cell file.
    """
    try:
        metadata = pq.read_schema(path).metadata or {}
        return Record.from_json(json.loads(metadata[METADATA_KEY]))
    except FileNotFoundError:
        raise
    except UNREADABLE as error:
        raise _damaged(path) from error


def read_cell(path: Path) -> tuple[Record, pd.DataFrame]:
    """Read a cell file: its record and its predictions."""
    record = read_record(path)
    try:
        return record, pq.read_table(path).to_pandas()
    except UNREADABLE as error:
        raise _damaged(path) from error


def _damaged(path: Path) -> ResultsError:
    return ResultsError(
        "cell file is damaged or cut short", where=str(path), hint="run the suite again: the cell is redone"
    )
