"""Write the pages: one per suite, and an index over all suites."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import serbench
from serbench.errors import ResultsError
from serbench.protocols.verdict import INDEPENDENT
from serbench.records import atomic_path
from serbench.reporting.claims import HEADINGS, claim_texts
from serbench.reporting.figures.gap import pairs
from serbench.reporting.figures.names import row_name, task_name
from serbench.reporting.leaderboard import SPLITTING, damaged_cells, leaderboard
from serbench.reporting.loading import load_predictions, load_records, suites_in
from serbench.reporting.page.details import Texts, row_details
from serbench.reporting.page.summary import summarise
from serbench.reporting.papers.details import genders_of
from serbench.reporting.papers.results import display_model
from serbench.reporting.pretraining import pretraining_text
from serbench.reporting.text_tables import rank_interval

if TYPE_CHECKING:
    import pandas as pd

PAGE = Path("report") / "index.html"
# Of a chart.
MOST_ROWS = 12
# Of a table: a page of more is slow to open, and nobody reads it.
MOST_LISTED = 300


def write_page(
    results: Path,
    suite: str,
    *,
    records: pd.DataFrame | None = None,
    board: pd.DataFrame | None = None,
    files: Sequence[Path] = (),
    claims: Sequence[Mapping[str, Any]] = (),
) -> Path:
    """Write ``results/<suite>/report/index.html``.

    Parameters
    ----------
    records, board : DataFrame, optional
        What `load_records` and `leaderboard` gave, where they are at hand.
    files : sequence of Path
        Tables and figures to link.
    claims : sequence of mapping
        Rows of `claims_table` to show.

    Raises
    ------
    ResultsError
        If the suite has no cells, or the page cannot be written.
    """
    records = load_records(results, suite) if records is None else records
    board = leaderboard(records) if board is None else board
    if board.empty:
        raise ResultsError(
            "no cell to report", where=str(Path(results) / suite), hint=f"`serbench run {suite}` makes them"
        )
    path = Path(results) / suite / PAGE
    genders, texts = _genders(results, records), Texts()
    listed = board.groupby(list(SPLITTING), sort=False, dropna=False).head(MOST_LISTED)
    entries = listed.to_dict("records")
    by_row = dict(list(records.groupby("row", sort=False)))
    details = {entry["row"]: row_details(by_row[entry["row"]], entry, genders, texts) for entry in entries}
    html = (
        _environment()
        .get_template("suite.html.j2")
        .render(
            suite=suite,
            summary=summarise(records, board),
            warnings=damaged_cells(records),
            left_out=_left_out(suite, len(board) - len(listed)),
            rows=[_shown(entry) for entry in entries],
            several_corpora=len({entry["corpus"] for entry in entries}) > 1,
            charts=_gap_charts(board),
            chances=_chances(records),
            data=_embedded({"texts": texts.values, "rows": details}),
            files=[Path(os.path.relpath(file, path.parent)).as_posix() for file in files],
            version=serbench.__version__,
            synthetic=bool((board["corpus"] == "synthetic").any()),
            **_claims(claims),
        )
    )
    return _write(path, html)


def _left_out(suite: str, count: int) -> str:
    best = f"The first {MOST_LISTED} rows of each protocol are here"
    return f"{best}; {count} more are in `serbench leaderboard {suite} --format csv`." if count else ""


def write_index(results: Path, claims: Sequence[Mapping[str, Any]] = ()) -> Path:
    """Write ``results/index.html``: published claims, and the best speaker-independent rows of every suite.

    Raises
    ------
    ResultsError
        If there are no results, or the page cannot be written.
    """
    results = Path(results)
    names = suites_in(results)
    if not names:
        raise ResultsError("no results yet", where=str(results), hint="`serbench run demo` makes some")
    suites = [_suite_entry(results, name) for name in names]
    template = _environment().get_template("index.html.j2")
    html = template.render(suites=suites, version=serbench.__version__, **_claims(claims))
    return _write(results / "index.html", html)


def _claims(claims: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {"claims": [claim_texts(claim) for claim in claims], "claim_heads": list(HEADINGS.values())}


def _suite_entry(results: Path, name: str) -> dict[str, Any]:
    records = load_records(results, name)
    board = leaderboard(records)
    ranked = board[board["complete"] & (board["standing"] == INDEPENDENT)] if len(board) else board
    best = [
        {"task": task_name(group.iloc[0]), **_shown(group.sort_values("rank").iloc[0].to_dict())}
        for _, group in ranked.groupby(["corpus", "labels", "options", "protocol"], sort=False)
    ]
    cells = {"done": int((records["status"] == "ok").sum()), "all": len(records)}
    return {"name": name, "best": best, "cells": cells, "rows": len(board), "page": (results / name / PAGE).is_file()}


def _shown(entry: Mapping[str, Any]) -> dict[str, Any]:
    """A leaderboard entry as the template wants it: percentages, and None for what is unknown."""
    shares = {
        name: _percent(entry[name]) for name in ("uar", "uar_low", "uar_high", "accuracy", "macro_f1", "weighted_f1")
    }
    rank, seconds = entry["rank"], entry["fit_seconds"]
    return {
        **{
            name: entry[name]
            for name in ("row", "suite", "corpus", "labels", "options", "protocol", "standing", "verdict", "features")
        },
        **shares,
        "model": display_model(entry),
        "pretrained": entry["pretrained"],
        "pretraining": pretraining_text(entry),
        "name": row_name(entry),
        "rank": int(rank) if rank == rank and rank is not None and str(rank) != "<NA>" else None,
        "tied": entry["tied_with_best"] is True,
        "ranks": rank_interval(entry),
        "complete": bool(entry["complete"]),
        "done": int(entry["folds_done"]),
        "planned": int(entry["folds_planned"]),
        "seconds": float(seconds) if seconds == seconds else None,
        "utterances": int(entry["utterances"]),
        "speakers": int(entry["speakers"]),
        "interval": " ".join(filter(None, [entry["interval_unit"], entry["interval_method"]])),
        "reason": entry["reason"],
    }


def _percent(value: float) -> float | None:
    return 100 * float(value) if value == value else None


def _genders(results: Path, records: pd.DataFrame) -> dict[str, str]:
    # One row tells the genders of its corpus: reading the predictions of all would take longer than all the rest.
    done = records[records["status"] == "ok"]
    found: dict[str, str] = {}
    for _, corpus in done.groupby(["corpus", "labels"], sort=False):
        first = corpus[corpus["row"] == corpus["row"].value_counts().idxmax()]
        found |= genders_of(load_predictions(results, first))
    return found


def _gap_charts(board: pd.DataFrame) -> list[dict[str, Any]]:
    """One chart per corpus and pair of protocols: title, protocols, and per row its name and two percentages."""
    if not (board["folds_done"] > 0).any():
        return []
    return [
        {
            "task": task,
            "random": random,
            "independent": independent,
            "more": max(0, len(rows) - MOST_ROWS),
            "rows": [
                {"name": row.name, "low": 100 * row.independent, "high": 100 * row.random}
                for row in rows.head(MOST_ROWS).itertuples(index=False)
            ],
        }
        for (task, random, independent), rows in pairs(board).items()
    ]


def _chances(records: pd.DataFrame) -> str:
    sizes = {len(cell.labels["labels"]) for cell in records["cell"] if cell is not None}
    return " or ".join(f"{100 / size:.1f} %" for size in sorted(sizes))


def _embedded(data: Any) -> str:
    """JSON that may stand inside a script element."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def _environment():
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader("serbench.reporting.page", "templates")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


def _write(path: Path, html: str) -> Path:
    with atomic_path(path) as temporary:
        temporary.write_text(html, encoding="utf-8")
    return path
