"""The frozen file: all records, predictions, splits and the plan of a suite in one small Parquet file.

It is what is committed, so that leaderboard, show, report and audit work on a fresh clone. The rows are of four kinds:
`plan` and `record` carry a JSON document, `prediction` and `split` their columns. Everything is kept exactly, except
for probabilities, which are kept as logarithms in steps of 0.005 (a relative error of at most 0.25 %): whatever is
computed from truth and predicted labels is the same to the last digit, log-loss, Brier score and calibration error are
the same to about three digits.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from serbench.errors import ResultsError
from serbench.records import METADATA_KEY, PREDICTION_COLUMNS, PROBABILITY, Cell, Record, atomic_path, read_cell
from serbench.records.derived import UNREADABLE, read_derived
from serbench.records.plan_file import read_plan
from serbench.records.splits_file import SPLIT_COLUMNS, SPLIT_KEYS, read_splits

if TYPE_CHECKING:
    import pandas as pd

NAME = "frozen.parquet"
SCHEMA = 1
STEP = 0.005
SMALLEST = 1e-15
TEXT = pa.dictionary(pa.int32(), pa.string())


NOTHING = pa.table({"kind": pa.array([], TEXT), "document": pa.array([], pa.string())})


def frozen_path(folder: Path) -> Path:
    """Where a suite's frozen file lies."""
    return Path(folder) / NAME


def freeze(folder: Path) -> dict[str, Any]:
    """Pack a suite's cells, splits and plan into its frozen file.

    A repetition (a leaderboard row under one seed) of which no cell but a skipped one lies in the folder is carried
    over from the frozen file before, as it is: the file holds what the leaderboard shows. Remove it first to freeze the
    folder's own cells alone.

    Parameters
    ----------
    folder : Path
        ``results/<suite>``.

    Returns
    -------
    dict
        `path`, `cells` (packed), `kept` (of them, carried over), `dropped` (ids of cells of the frozen file before
        that are in neither), `bytes`.

    Raises
    ------
    ResultsError
        If there is no cell, or a cell file is damaged: nothing is frozen without it.
    """
    folder = Path(folder)
    paths = sorted((folder / "cells").glob("*.parquet"))
    if not paths:
        raise ResultsError("no finished cell to freeze", where=str(folder), hint="run the suite first")
    cells = [read_cell(path) for path in paths]
    path = frozen_path(folder)
    before = read_derived(path, _open_whole, NOTHING)
    frozen, begun = _records(before), {record.cell.repetition for record, _ in cells if record.status != "skipped"}
    kept = [number for number, record in enumerate(frozen) if record.cell.repetition not in begun]
    shown = {frozen[number].cell.repetition for number in kept}
    cells = [(record, frame) for record, frame in cells if record.cell.repetition not in shown]
    records = [record for record, _ in cells] + [frozen[number] for number in kept]
    predictions = [*_predictions(cells), _carried_over(before, kept, first=len(cells))]
    table = pa.concat_tables(
        [_documents(records, _merged_plan(folder, before, begun)), *predictions, _splits(folder, before)],
        promote_options="permissive",
    )
    table = table.replace_schema_metadata({METADATA_KEY: json.dumps({"frozen": SCHEMA}).encode()})
    with atomic_path(path) as temporary:
        pq.write_table(table, temporary, compression="zstd", compression_level=19)
    dropped = {record.cell.id for record in frozen} - {record.cell.id for record in records}
    counts = {"cells": len(records), "kept": len(kept), "dropped": sorted(dropped)}
    return {"path": path, **counts, "bytes": path.stat().st_size}


def frozen_records(path: Path) -> list[Record]:
    """Records of a frozen file."""
    return _records(_read(path, ("kind", "document")))


def frozen_predictions(path: Path) -> dict[str, pa.Table]:
    """Predictions of a frozen file by cell id, without probabilities."""
    table = _read(path, ("kind", "cell", "document", *PREDICTION_COLUMNS))
    records, predictions = _records(table), _of_kind(table, "prediction")
    # Predictions lie cell by cell in the order of the records.
    bounds = np.searchsorted(predictions.column("cell").to_numpy(), np.arange(len(records) + 1))
    return {
        record.cell.id: predictions.slice(bounds[number], bounds[number + 1] - bounds[number])
        for number, record in enumerate(records)
    }


def frozen_plan(path: Path) -> list[dict[str, Any]]:
    """The plan in a frozen file."""
    return _plan(_read(path, ("kind", "document")))


def frozen_splits(path: Path) -> pd.DataFrame:
    """The splits in a frozen file, columns as in `splits.parquet`."""
    return _of_kind(_read(path, ("kind", *SPLIT_COLUMNS)), "split").drop_columns("kind").to_pandas()


def frozen_frames(path: Path, cell_ids: Sequence[str]) -> dict[str, pd.DataFrame]:
    """Predictions of some cells, in the shape of `read_cell`'s; probabilities as rounded, summing to one.

    Raises
    ------
    ResultsError
        If the file lacks one of the cells.
    """
    table = _read(path, None)
    cells = {record.cell.id: (number, record.cell) for number, record in enumerate(_records(table))}
    if missing := [cell_id for cell_id in cell_ids if cell_id not in cells]:
        raise ResultsError(f"the frozen file holds no cell {', '.join(missing)}", where=str(path))
    predictions = _of_kind(table, "prediction")
    numbers = predictions.column("cell").to_numpy()
    frames = {}
    for cell_id in cell_ids:
        number, cell = cells[cell_id]
        start, end = np.searchsorted(numbers, [number, number + 1])
        frames[cell_id] = _frame(predictions.slice(start, end - start), cell.labels["labels"])
    return frames


def _frame(rows: pa.Table, labels: Sequence[str]) -> pd.DataFrame:
    frame = rows.select(list(PREDICTION_COLUMNS)).to_pandas().astype("str")
    steps = np.column_stack([rows.column(f"q:{code}").to_numpy() for code in range(len(labels))])
    probabilities = np.exp(-STEP * steps.astype(np.float64))
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    return frame.assign(**{PROBABILITY + label: probabilities[:, code] for code, label in enumerate(labels)})


def _documents(records: Sequence[Record], plan: Sequence[dict[str, Any]]) -> pa.Table:
    documents = [json.dumps(record.to_json(), ensure_ascii=False) for record in records]
    kinds, numbers = ["record"] * len(records), list(range(len(records)))
    if plan:
        documents.append(json.dumps(plan, ensure_ascii=False))
        kinds, numbers = [*kinds, "plan"], [*numbers, None]
    return pa.table({"kind": _text(kinds), "cell": pa.array(numbers, pa.int32()), "document": documents})


def _merged_plan(folder: Path, before: pa.Table, begun: set[tuple[str, int]]) -> list[dict[str, Any]]:
    own = read_plan(folder)
    known = {entry["id"] for entry in own}
    rest = (entry for entry in _plan(before) if entry["id"] not in known)
    return own + [entry for entry in rest if Cell.from_json(entry["cell"]).repetition not in begun]


def _carried_over(before: pa.Table, kept: Sequence[int], first: int) -> pa.Table:
    """Predictions of the kept cells of a frozen file, under their new numbers from `first` on."""
    predictions = _of_kind(before, "prediction")
    if not len(predictions):
        return predictions
    position = pc.index_in(predictions["cell"], value_set=pa.array(kept, pa.int32()))
    numbered = predictions.set_column(predictions.column_names.index("cell"), "cell", pc.add(position, first))
    return numbered.filter(pc.is_valid(position))


def _predictions(cells: Sequence[tuple[Record, pd.DataFrame]]) -> list[pa.Table]:
    tables = []
    for number, (record, frame) in enumerate(cells):
        if not len(frame):
            continue
        columns: dict[str, Any] = {
            "kind": _text(["prediction"] * len(frame)),
            "cell": pa.array(np.full(len(frame), number, dtype=np.int32)),
        }
        columns |= {name: _text(frame[name].tolist()) for name in PREDICTION_COLUMNS}
        for code, label in enumerate(record.cell.labels["labels"]):
            chance = np.maximum(frame[PROBABILITY + label].to_numpy(), SMALLEST)
            columns[f"q:{code}"] = pa.array(np.rint(-np.log(chance) / STEP).astype(np.int16))
        tables.append(pa.table(columns))
    return tables


def _splits(folder: Path, before: pa.Table) -> pa.Table:
    table, frozen = read_splits(folder), _of_kind(before, "split")
    if table is None:
        return frozen
    columns: dict[str, Any] = {"kind": _text(["split"] * len(table))}
    for name in SPLIT_COLUMNS:
        values = table.column(name).to_pylist()
        columns[name] = pa.array(values, pa.int64()) if name == "seed" else _text(values)
    own = pa.table(columns)
    renewed = set(_which_split(own))
    older = [which not in renewed for which in _which_split(frozen)]
    return pa.concat_tables([own, frozen.filter(pa.array(older, pa.bool_()))], promote_options="permissive")


def _which_split(splits: pa.Table) -> list[tuple[str, ...]]:
    return list(zip(*(splits[name].to_pylist() for name in SPLIT_KEYS), strict=True)) if len(splits) else []


def _text(values: list[str]) -> pa.Array:
    return pa.array(values, pa.string()).dictionary_encode()


def _open_whole(path: Path) -> pa.Table:
    table = _open(path, None)
    _records(table), _plan(table)
    return table


def _open(path: Path, columns: Sequence[str] | None) -> pa.Table:
    with pq.ParquetFile(path) as file:
        version = json.loads(file.schema_arrow.metadata[METADATA_KEY])["frozen"]
        if version > SCHEMA:
            raise ResultsError(f"frozen file of schema {version}", where=str(path), hint="update serbench")
        known = set(file.schema_arrow.names)
        return file.read(columns=None if columns is None else [name for name in columns if name in known])


def _read(path: Path, columns: Sequence[str] | None) -> pa.Table:
    try:
        return _open(path, columns)
    except UNREADABLE as error:
        hint = "restore it, or freeze the suite again"
        raise ResultsError("the frozen file is damaged or none", where=str(path), hint=hint) from error


def _records(table: pa.Table) -> list[Record]:
    return [Record.from_json(json.loads(text)) for text in _of_kind(table, "record").column("document").to_pylist()]


def _plan(table: pa.Table) -> list[dict[str, Any]]:
    return [entry for text in _of_kind(table, "plan").column("document").to_pylist() for entry in json.loads(text)]


def _of_kind(table: pa.Table, kind: str) -> pa.Table:
    return table.filter(pc.equal(table["kind"].cast(pa.string()), kind))
