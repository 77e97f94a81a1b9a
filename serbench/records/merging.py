"""Join results folders: cells that several machines have run become one folder, or it is said why they cannot."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from serbench.errors import ResultsError
from serbench.records.atomic import atomic_path
from serbench.records.cell import named_parts
from serbench.records.cell_file import cell_path, read_cell, read_record
from serbench.records.ledger import merge_ledgers
from serbench.records.plan_file import read_plan, write_plan
from serbench.records.record import Record
from serbench.records.splits_file import add_splits, read_splits

HINT = "merge folders of one version and one copy of the corpora, or run the odd cells again"


@dataclass
class Merged:
    """What a merge did.

    Attributes
    ----------
    suites : list of str
    taken : int
        Cells written into the target.
    present : int
        Finished cells that the target, or an earlier source, had with the same answers.
    damaged : list of str
        Files that cannot be read and were left out; the next run makes them again.
    """

    suites: list[str] = field(default_factory=list)
    taken: int = 0
    present: int = 0
    damaged: list[str] = field(default_factory=list)


def merge_results(sources: Sequence[Path], target: Path) -> Merged:
    """Join the cells, plans and splits of results folders in `target`, which may hold results already.

    Everything is checked before anything is written. Of two records of one cell a finished one counts before a failed.

    Raises
    ------
    ResultsError
        If a source holds no results, or two of the folders contradict each other: other answers for one cell, or
        cells of one suite made from another corpus or another version of serbench. It names both files.
    """
    done = Merged()
    chosen: dict[tuple[str, str], Path] = {}
    for suite, folders in _suites([target, *sources], sources).items():
        done.suites.append(suite)
        origins: dict[tuple, Path] = {}
        found: dict[str, tuple[Path, Record]] = {}
        for folder in folders:
            for path in sorted((folder / "cells").glob("*.parquet")):
                try:
                    record = read_record(path)
                except ResultsError:
                    done.damaged.append(str(path))
                    continue
                _refuse_other_origin(record, path, origins)
                earlier = found.get(path.stem)
                if earlier and earlier[1].status == record.status == "ok" and not _answers_more(path, earlier[0]):
                    done.present += 1
                elif earlier is None or record.status == "ok":
                    found[path.stem] = (path, record)
        chosen.update({(suite, key): path for key, (path, _) in found.items()})
    for (suite, key), path in chosen.items():
        here = cell_path(target / suite, key)
        if path != here:
            with atomic_path(here) as temporary:
                shutil.copyfile(path, temporary)
            done.taken += 1
    for suite, folders in _suites([target, *sources], sources).items():
        _merge_plans(target / suite, folders)
    return done


def _suites(folders: Sequence[Path], required: Sequence[Path]) -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    for folder in folders:
        try:
            own = sorted(path.parent for path in folder.glob("*/cells") if path.is_dir()) if folder.is_dir() else []
        except OSError as error:
            raise ResultsError(f"cannot be read: {error.strerror}", where=str(folder)) from error
        if not own and folder in required:
            hint = "name folders that hold one folder per suite, as --results does"
            raise ResultsError("no results to merge", where=str(folder), hint=hint)
        for path in own:
            found.setdefault(path.name, []).append(path)
    return found


def _refuse_other_origin(record: Record, path: Path, origins: dict[tuple, Path]) -> None:
    """Cells of one suite must come from one copy of each corpus, and from one version of the program."""
    if record.status != "ok":
        return
    for what, key, value in _origins(record):
        known = origins.setdefault((what, key), (path, value))
        if known[1] != value:
            raise ResultsError(f"{what} differs: {value!r}, but {known[1]!r} in {known[0]}", where=str(path), hint=HINT)


def _origins(record: Record) -> Iterator[tuple[str, str, object]]:
    task = json.dumps([record.cell.corpus, record.cell.labels, list(record.cell.excluded)], sort_keys=True)
    yield f"the content of corpus {record.cell.corpus}", task, record.corpus.get("fingerprint")
    yield "the version of serbench", "", record.environment.get("packages", {}).get("serbench")
    if record.plugin_hash:
        yield "the source of a plug-in", json.dumps(named_parts(record.cell)), record.plugin_hash


def _answers_more(path: Path, earlier: Path) -> bool:
    """Whether a cell's file holds answers of roles that an earlier one lacks; those that both hold must be equal.

    Whether validation and degraded versions were answered too is no part of what a cell is.
    """
    new, known = (dict(list(read_cell(file)[1].groupby("role"))) for file in (path, earlier))
    for role in new.keys() & known.keys():
        if not new[role].reset_index(drop=True).equals(known[role].reset_index(drop=True)):
            raise ResultsError(f"other answers than in {earlier} for the same cell", where=str(path), hint=HINT)
    return len(new) > len(known)


def _merge_plans(target: Path, folders: Sequence[Path]) -> None:
    plans = {entry["id"]: entry for folder in folders for entry in read_plan(folder)}
    if plans:
        write_plan(target, [plans[key] for key in sorted(plans)])
    for folder in folders:
        if folder != target and (splits := read_splits(folder)) is not None:
            add_splits(target, splits.to_pandas())
    merge_ledgers([folder for folder in folders if folder != target], target)
