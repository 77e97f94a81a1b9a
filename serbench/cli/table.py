"""`serbench table`: tables for papers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from serbench.cli.options import Results, circumstances
from serbench.errors import UnknownName, UsageError


def table(
    suite: Annotated[str | None, typer.Argument(help="A suite with results [all].")] = None,
    row: Annotated[str | None, typer.Argument(help="A row, for a table of that row alone.")] = None,
    kind: Annotated[
        str | None,
        typer.Option(
            "--kind", "-k", help="results, wide (corpora as columns), enrolment, per-class, per-speaker, per-gender."
        ),
    ] = None,
    style: Annotated[str, typer.Option("--format", "-f", help="latex, md, csv, html; text for per-class.")] = "md",
    columns: Annotated[
        str, typer.Option("--columns", help="Such as uar,accuracy,macro_f1,weighted_f1,folds,fit_seconds.")
    ] = "",
    rows: Annotated[str, typer.Option("--rows", help="Models to keep, such as svm,cnn*@logmel.")] = "",
    sort: Annotated[str | None, typer.Option("--sort", help="A column; of speakers: name or uar.")] = None,
    decimals: Annotated[int, typer.Option("--decimals", help="Of percentages.", min=0, max=6)] = 1,
    caption: Annotated[str | None, typer.Option("--caption", help="Instead of the one made up.")] = None,
    label: Annotated[str | None, typer.Option("--label", help="For LaTeX references.")] = None,
    document: Annotated[bool, typer.Option("--document", help="LaTeX that compiles by itself.")] = False,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File to write [standard output].")] = None,
    results: Results = None,
) -> None:
    """Write the results of a suite, or one row per class, speaker or gender, as a table for a paper."""
    from serbench.records import atomic_path
    from serbench.reporting.leaderboard import leaderboard
    from serbench.reporting.loading import load_suites
    from serbench.reporting.lookup import find_cells
    from serbench.reporting.papers.make import (
        ENROLMENT,
        ROW_KINDS,
        SUITE_KINDS,
        enrolment_paper,
        row_paper,
        suite_paper,
    )

    kind = kind or ("per-class" if row else "results")
    if kind not in (*SUITE_KINDS, *ROW_KINDS):
        raise UnknownName.among("kind of table", kind, [*SUITE_KINDS, *ROW_KINDS], where="--kind")
    if (kind in ROW_KINDS) != bool(row):
        hint = f"one row: {', '.join(ROW_KINDS)}; a whole suite: {', '.join(SUITE_KINDS)}"
        raise UsageError(f"a {kind} table {'is of a whole suite' if row else 'needs a ROW'}", where="--kind", hint=hint)
    root = circumstances(results=results).results
    records = load_suites(root, suite)
    shared = {"decimals": decimals, "caption": caption, "label": label, "document": document}
    if row:
        if columns or rows:
            raise UsageError("--columns and --rows choose from a whole suite", hint="leave them or the ROW out")
        if sort not in (None, "name", "uar"):
            raise UnknownName.among("column", sort, ["name", "uar"], where="--sort")
        text = row_paper(root, find_cells(records, row), kind, style, sort=sort or "name", **shared)
    elif kind == ENROLMENT:
        if columns or rows or sort or caption or label:
            raise UsageError("an enrolment table has --decimals and --document alone", where="--kind")
        text = enrolment_paper(records, leaderboard(records), style, decimals=decimals, document=document)
    else:
        chosen = {"columns": _listed(columns), "rows": _listed(rows), "sort": sort or "uar"}
        text = suite_paper(leaderboard(records), kind, style, **shared, **chosen)
    if output is None:
        print(text.rstrip("\n"))
        return
    with atomic_path(output) as temporary:
        temporary.write_text(text, encoding="utf-8")
    print(output)


def _listed(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]
