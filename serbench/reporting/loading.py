"""Read what a suite has left behind: one table row per cell, finished or planned.

Cells come from `results/<suite>/cells/`; a repetition (a leaderboard row under one seed) of which no cell lies there
comes from the frozen file, if it has one. The plan (`plan.json`) adds the cells that are still to do.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

from serbench.errors import ResultsError, UnknownName
from serbench.records import METADATA_KEY, Cell, Record, cell_path, read_cell
from serbench.records.canary_file import read_canaries
from serbench.records.derived import UNREADABLE, warn
from serbench.records.ledger import GROUP, rows_scored
from serbench.records.plan_file import plan_path, read_plan
from serbench.reporting.coded import COLUMNS, make_tested
from serbench.reporting.frozen import frozen_frames, frozen_path, frozen_plan, frozen_predictions, frozen_records
from serbench.reporting.packed import MANY, ReadCell, Stamp, read_packed, write_packed
from serbench.scoring import CodedPredictions

if TYPE_CHECKING:
    import pandas as pd

RECORD_COLUMNS = (
    *("suite", "id", "corpus", "labels", "protocol", "features", "model", "fold", "seed"),
    *("status", "reason", "source", "cell", "record", "tested", "row", "canary", "ever_scored"),
)
THREADS = 4
# Cells are packed anew where more than the tenth part of them has come since.
SOME = 10


def load_records(results: Path | str, suite: str) -> pd.DataFrame:
    """Read all cells of a suite.

    Parameters
    ----------
    results : path
        Folder that holds one folder per suite.
    suite : str

    Returns
    -------
    DataFrame
        One row per cell, columns `suite`, `row` (id of its leaderboard row), `id`, `corpus`, `labels`, `protocol`,
        `features`, `model`, `fold`, `seed`, `status` (ok, failed, skipped, damaged, planned), `reason`,
        `source` (cells or frozen), `cell` (`Cell`), `record` (`Record`), `tested` (`CodedPredictions`) and `canary`
        (what `serbench audit --canary` has found of the row); the last four are None where they are not known.
        `ever_scored`: rows that were ever scored on that corpus' test folds under those labels and that protocol (see
        `records.ledger`).

    Raises
    ------
    UnknownName
        If the results folder has no such suite.

    Examples
    --------
    >>> import tempfile
    >>> load_records(tempfile.mkdtemp(), "demo")
    Traceback (most recent call last):
    serbench.errors.UnknownName: ...
    """
    import pandas as pd

    folder = suite_folder(results, suite)
    items = read_folder(folder)
    ever = rows_scored(folder, (item["record"] for item in items if item["record"] is not None))
    items = [item | {"ever_scored": ever.get(tuple(item[name] for name in GROUP), 0)} for item in items]
    return pd.DataFrame(items, columns=list(RECORD_COLUMNS))


def load_suites(results: Path | str, suite: str | None = None) -> pd.DataFrame:
    """Read one suite, or all that have results.

    Raises
    ------
    ResultsError
        If there are none.
    """
    import pandas as pd

    names = [suite] if suite else suites_in(results)
    if not names:
        hint = "`serbench run demo` makes some; --results names a folder"
        raise ResultsError("no results yet", where=str(results), hint=hint)
    if suite:
        return load_records(results, suite)
    return pd.concat(_readable(results, names) or [load_records(results, names[0])], ignore_index=True)


def load_finished(results: Path | str, suites: Iterable[str]) -> pd.DataFrame:
    """Read those of the named suites that have results, as `load_records` does; perhaps none."""
    import pandas as pd

    found = set(suites_in(results))
    frames = _readable(results, [name for name in suites if name in found])
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=list(RECORD_COLUMNS))


def _readable(results: Path | str, names: Iterable[str]) -> list[pd.DataFrame]:
    """Records of the suites that can be read; the others are named."""
    frames = []
    for name in names:
        try:
            frames.append(load_records(results, name))
        except ResultsError as error:
            warn(f"suite {name} is left out: {error.where}: {error.what}")
    return frames


def suite_folder(results: Path | str, suite: str) -> Path:
    """Folder of a suite that has results; it may be named by its file or with its folder (``published/p4``)."""
    results = Path(results)
    known = suites_in(results)
    suite = suite if suite in known or Path(suite).stem not in known else Path(suite).stem
    if suite not in known:
        raise UnknownName.among("suite with results", suite, known, where=str(results))
    return results / suite


def suites_in(results: Path | str) -> list[str]:
    """Names of the suites that have cells, a plan or a frozen file, sorted."""
    results = Path(results)
    if not results.is_dir():
        return []
    return sorted(entry.name for entry in results.iterdir() if entry.is_dir() and _has_results(entry))


def read_folder(folder: Path) -> list[dict[str, Any]]:
    """The rows of `load_records`, as dictionaries."""
    planned = {entry["id"]: entry["cell"] for entry in read_plan(folder)}
    measured = _without_stand_ins(_identified(_own_cells(folder, planned)))
    # A repetition that was begun here is shown from here alone: folds of two machines or versions are not mixed. One
    # that could only be skipped here is shown as it was committed.
    begun = {_repetition(item) for item in measured if item["status"] != "skipped"}
    try:
        committed = _frozen(folder, begun)
    except ResultsError as error:
        if not (measured or planned):
            raise
        warn(f"{error.where}: {error.what}; shown without it")
        committed = []
    shown = {_repetition(item) for item in committed}
    measured = [item for item in measured if item["status"] != "skipped" or _repetition(item) not in shown]
    present = {item["id"] for item in measured + committed}
    waiting = [
        _described(folder.name, Cell.from_json(cell), None, cell_id, "planned", "", None, "cells")
        for cell_id, cell in planned.items()
        if cell_id not in present
    ]
    # What waits counts for a row that is run here; one that is shown as it was committed is whole.
    whole = {row for row, _ in shown} - {row for row, _ in begun}
    waiting = [item for item in _identified(waiting) if item["row"] not in whole and _repetition(item) not in shown]
    found = read_canaries(folder)
    return [{**item, "canary": found.get(item["row"])} for item in (*measured, *committed, *waiting)]


def load_predictions(results: Path | str, cells: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Full predictions, with probabilities and validation rows, of finished cells.

    Parameters
    ----------
    cells : DataFrame
        Rows of `load_records`.

    Returns
    -------
    dict
        Cell id -> predictions as in `Predictions`; from a frozen file probabilities are rounded.
    """
    done = cells[cells["status"] == "ok"]
    found: dict[str, pd.DataFrame] = {}
    for (suite, source), group in done.groupby(["suite", "source"], sort=False):
        folder, ids = Path(results) / suite, list(group["id"])
        if source == "frozen":
            found |= frozen_frames(frozen_path(folder), ids)
        else:
            found |= {cell_id: read_cell(cell_path(folder, cell_id))[1] for cell_id in ids}
    return found


def _own_cells(folder: Path, planned: Mapping[str, Any]) -> list[dict[str, Any]]:
    paths = sorted((folder / "cells").glob("*.parquet"))
    if not paths:
        return []
    if len(paths) < MANY:
        return _read_cells(folder.name, paths, planned)
    packed = read_packed(folder)
    stamps = {path: Stamp.of(path) for path in paths}
    fresh = [path for path, stamp in stamps.items() if stamp not in packed]
    found = dict(zip(fresh, _read_cells(folder.name, fresh, planned), strict=True))
    for path, stamp in stamps.items():
        if stamp in packed:
            record, tested = packed[stamp]
            found[path] = _described(folder.name, record.cell, record, record.cell.id, "ok", "", tested, "cells")
    if len(fresh) > len(paths) // SOME:
        done = {path: item for path, item in found.items() if item["status"] == "ok"}
        write_packed(folder, ((stamps[path], ReadCell(item["record"], item["tested"])) for path, item in done.items()))
    return [found[path] for path in paths]


def _read_cells(suite: str, paths: Sequence[Path], planned: Mapping[str, Any]) -> list[dict[str, Any]]:
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(lambda path: _read_cell(suite, path, planned), paths))


def _read_cell(suite: str, path: Path, planned: Mapping[str, Any]) -> dict[str, Any]:
    try:
        with pq.ParquetFile(path, read_dictionary=list(COLUMNS), pre_buffer=False) as file:
            record = Record.from_json(json.loads(file.schema_arrow.metadata[METADATA_KEY]))
            tested = None
            if record.status == "ok":
                tested = make_tested(record.cell, file.read(columns=list(COLUMNS), use_threads=False))
    except ResultsError as error:
        # Of a newer version: whole, but not for this one to read.
        return _damaged(suite, path, planned, f"{path}: {error.what}")
    except UNREADABLE:
        return _damaged(suite, path, planned, f"{path}: cell file is damaged or cut short")
    return _described(suite, record.cell, record, record.cell.id, record.status, record.reason, tested, "cells")


def _damaged(suite: str, path: Path, planned: Mapping[str, Any], reason: str) -> dict[str, Any]:
    cell = Cell.from_json(planned[path.stem]) if path.stem in planned else None
    return _described(suite, cell, None, path.stem, "damaged", reason, None, "cells")


def _frozen(folder: Path, begun: set[tuple[str, int]]) -> list[dict[str, Any]]:
    path = frozen_path(folder)
    try:
        return _committed(folder, path, begun) if path.is_file() else []
    except UNREADABLE as error:
        hint = "restore it, or freeze the suite again"
        raise ResultsError("the frozen file is damaged", where=str(path), hint=hint) from error


def _committed(folder: Path, path: Path, begun: set[tuple[str, int]]) -> list[dict[str, Any]]:
    records = frozen_records(path)
    present = {record.cell.id for record in records}
    planned = [Cell.from_json(entry["cell"]) for entry in frozen_plan(path) if entry["id"] not in present]
    found = [
        _described(folder.name, record.cell, record, record.cell.id, record.status, record.reason, None, "frozen")
        for record in records
    ] + [_described(folder.name, cell, None, cell.id, "planned", "", None, "frozen") for cell in planned]
    shown = [item for item in _without_stand_ins(_identified(found)) if _repetition(item) not in begun]
    if any(item["status"] == "ok" for item in shown):
        predictions = frozen_predictions(path)
        for item in shown:
            if item["status"] == "ok":
                item["tested"] = make_tested(item["cell"], predictions[item["id"]])
    return shown


def _described(
    suite: str,
    cell: Cell | None,
    record: Record | None,
    cell_id: str,
    status: str,
    reason: str,
    tested: CodedPredictions | None,
    source: str,
) -> dict[str, Any]:
    return {
        "suite": suite,
        "id": cell_id,
        "corpus": cell.corpus if cell else "",
        "labels": cell.labels["name"] if cell else "",
        "protocol": cell.protocol_name if cell else "",
        "features": cell.feature_name if cell else "",
        "model": cell.model_name if cell else "",
        "fold": cell.fold if cell else "",
        "seed": cell.seed if cell else 0,
        "status": status,
        "reason": reason,
        "source": source,
        "cell": cell,
        "record": record,
        "tested": tested,
    }


def _identified(items: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return [item | {"row": item["cell"].row if item["cell"] else ""} for item in items]


def _without_stand_ins(items: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without the skipped records of rows that have been run since, or on another machine and merged."""
    ran = {_repetition(item) for item in items if item["status"] not in ("skipped", "planned")}
    return [item for item in items if item["status"] != "skipped" or _repetition(item) not in ran]


def _repetition(item: dict[str, Any]) -> tuple[str, int]:
    return item["row"], item["seed"]


def _has_results(folder: Path) -> bool:
    named = (plan_path(folder), frozen_path(folder))
    return any(path.is_file() for path in named) or any((folder / "cells").glob("*.parquet"))
