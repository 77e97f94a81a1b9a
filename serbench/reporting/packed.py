"""Many cell files in one: what was read of them once, since ten thousand small files take long to open.

A derived file below ``work``: a cell file counts as the one that was read while its size and its time of change are the
same, and anything else is read anew.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from serbench.errors import ResultsError
from serbench.records import Record, atomic_path
from serbench.records.derived import read_derived
from serbench.scoring import CodedPredictions

NAME = Path("work") / "read.arrow"
# Suites with fewer cells are read in no time as they are.
MANY = 500
NAMES = ("speakers", "utterances")
CODES = ("truth", "predicted", *NAMES)


class Stamp(NamedTuple):
    """What a cell file is known by: its name, bytes, and time of change in nanoseconds."""

    file: str
    size: int
    changed: int

    @classmethod
    def of(cls, path: Path) -> Stamp:
        """The stamp of a file as it is now."""
        status = path.stat()
        return cls(path.name, status.st_size, status.st_mtime_ns)


class ReadCell(NamedTuple):
    """A finished cell as it was read."""

    record: Record
    tested: CodedPredictions


def read_packed(folder: Path) -> dict[Stamp, ReadCell]:
    """The finished cells of a suite's folder as they were last packed; empty where there is no such file."""
    return read_derived(folder / NAME, _read, {})


def write_packed(folder: Path, cells: Iterable[tuple[Stamp, ReadCell]]) -> None:
    """Pack finished cells; where that cannot be written, they are read one by one again."""
    cells = list(cells)
    columns: dict[str, pa.Array] = {
        name: pa.array([getattr(stamp, name) for stamp, _ in cells]) for name in Stamp._fields
    }
    columns["record"] = pa.array([json.dumps(cell.record.to_json()) for _, cell in cells])
    names: dict[str, list[str]] = {}
    for name in CODES:
        values = [getattr(cell.tested, name) for _, cell in cells]
        codes = np.concatenate(values)
        if name in NAMES:
            found, codes = np.unique(codes.astype(str), return_inverse=True)
            names[name] = found.tolist()
        offsets = np.cumsum([0, *map(len, values)]).astype(np.int32)
        columns[name] = pa.ListArray.from_arrays(pa.array(offsets), pa.array(codes.astype(np.int64)))
    table = pa.table(columns).replace_schema_metadata({b"names": json.dumps(names).encode()})
    how = pa.ipc.IpcWriteOptions(compression="zstd")
    with (
        suppress(ResultsError),
        atomic_path(folder / NAME) as temporary,
        pa.OSFile(str(temporary), "wb") as sink,
        pa.ipc.new_file(sink, table.schema, options=how) as writer,
    ):
        writer.write_table(table)


def _read(path: Path) -> dict[Stamp, ReadCell]:
    with pa.OSFile(str(path)) as source:
        table = pa.ipc.open_file(source).read_all().combine_chunks()
    names = {name: np.asarray(known, dtype=object) for name, known in _names(table).items()}
    stamps = zip(*(table[name].to_pylist() for name in Stamp._fields), strict=True)
    parts = {name: _parts(table[name].chunk(0), names.get(name)) for name in CODES}
    records = [Record.from_json(json.loads(text)) for text in table["record"].to_pylist()]
    return {
        Stamp(*stamp): ReadCell(record, CodedPredictions(**dict(zip(CODES, values, strict=True))))
        for stamp, record, *values in zip(stamps, records, *parts.values(), strict=True)
    }


def _names(table: pa.Table) -> dict[str, Sequence[str]]:
    return json.loads(table.schema.metadata[b"names"])


def _parts(column: pa.ListArray, names: np.ndarray | None) -> list[np.ndarray]:
    codes = column.values.to_numpy()
    values = codes if names is None else names[codes]
    return np.split(values, column.offsets.to_numpy()[1:-1])
