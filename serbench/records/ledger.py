"""The selection ledger: which rows were ever scored on which test folds, when, and at which revision.

The best of many rows owes something to having been chosen, also by rows that were deleted since. A run adds a line for
every cell that it scores to ``run/ledger-HOST.csv``, which no later run rewrites and no other machine appends to;
`update_ledger` takes such lines over into ``ledger.csv``, which is committed. Runs with permuted training labels are
not in it: nobody could choose one.
"""

from __future__ import annotations

import csv
import platform
import re
from collections.abc import Iterable
from pathlib import Path

from serbench.errors import ResultsError
from serbench.records.record import Record

NAME = "ledger.csv"
OF_RUNS = "run/ledger*.csv"
COLUMNS = (
    *("scored", "revision", "row", "corpus", "labels", "protocol", "fold", "seed"),
    *("features", "model", "trials"),
)
GROUP = ("corpus", "labels", "protocol")
Line = dict[str, str]


def ledger_lines(records: Iterable[Record]) -> list[Line]:
    """A line for each record that has scored a test fold."""
    return [
        dict(
            zip(
                COLUMNS,
                (
                    record.created[:19],
                    record.environment.get("git_revision") or "",
                    cell.row,
                    cell.corpus,
                    cell.labels["name"],
                    cell.protocol_name,
                    cell.fold,
                    str(cell.seed),
                    cell.feature_name,
                    cell.model_name,
                    str(cell.tuning.get("trials", 0)),
                ),
                strict=True,
            )
        )
        for record in records
        for cell in [record.cell]
        if record.status == "ok" and not cell.permute_labels
    ]


def line_key(line: Line) -> tuple[str, ...]:
    """What makes two lines the same: feature sets and protocols may be renamed, a row's id stays."""
    return tuple(line[name] for name in ("scored", "row", "fold", "seed"))


def read_ledger(folder: Path) -> list[Line]:
    """All lines of a suite's folder, those of runs included, in the order in which they were scored."""
    lines = {line_key(line): line for line in [*_read(Path(folder) / NAME), *_of_runs(Path(folder))]}
    return sorted(lines.values(), key=lambda line: line["scored"])


def note_scored(folder: Path, record: Record) -> None:
    """Add the line of a record that a run has just made."""
    _append(ledger_of_host(Path(folder)), ledger_lines([record]))


def ledger_of_host(folder: Path) -> Path:
    """The file that runs on this machine add to: on a shared file system no two machines append to one file."""
    host = re.sub(r"[^A-Za-z0-9.-]", "", platform.node()) or "host"
    return folder / "run" / f"ledger-{host}.csv"


def merge_ledgers(folders: Iterable[Path], target: Path) -> None:
    """Add what other folders of a suite have scored to the lines of this machine's runs."""
    known = {line_key(line) for line in read_ledger(target)}
    found = {line_key(line): line for folder in folders for line in read_ledger(folder)}
    _append(ledger_of_host(target), [line for key, line in sorted(found.items()) if key not in known])


def update_ledger(folder: Path, records: Iterable[Record]) -> int:
    """Add to ``ledger.csv`` what it lacks of these records and of the lines of runs; returns how many lines were added.

    Raises
    ------
    ResultsError
        If it cannot be written.
    """
    folder = Path(folder)
    known = {line_key(line) for line in _read(folder / NAME)}
    found = {line_key(line): line for line in [*_of_runs(folder), *ledger_lines(records)]}
    new = sorted((line for key, line in found.items() if key not in known), key=lambda line: tuple(line.values()))
    _append(folder / NAME, new)
    return len(new)


def rows_scored(folder: Path, records: Iterable[Record]) -> dict[tuple[str, ...], int]:
    """How many rows were ever scored, by corpus, labels and protocol, these records included."""
    rows: dict[tuple[str, ...], set[str]] = {}
    for line in [*read_ledger(folder), *ledger_lines(records)]:
        rows.setdefault(tuple(line[name] for name in GROUP), set()).add(line["row"])
    return {group: len(found) for group, found in rows.items()}


def _of_runs(folder: Path) -> list[Line]:
    return [line for path in sorted(folder.glob(OF_RUNS)) for line in _read(path)]


def _read(path: Path) -> list[Line]:
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            lines = list(csv.reader(stream))
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        hint = "restore it: which rows were chosen from cannot be found out again"
        raise ResultsError("the ledger cannot be read", where=str(path), hint=hint) from error
    # A kill may have cut the last line short.
    return [dict(zip(COLUMNS, line, strict=True)) for line in lines[1:] if len(line) == len(COLUMNS)]


def _append(path: Path, lines: Iterable[Line]) -> None:
    lines = list(lines)
    if not lines:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
            if not stream.tell():
                writer.writeheader()
            writer.writerows(lines)
    except OSError as error:
        hint = "free space, or choose another folder (--results)"
        raise ResultsError(f"cannot write: {error.strerror}", where=str(path), hint=hint) from error
