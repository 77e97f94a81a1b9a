"""`serbench show`: one row or cell in full."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from serbench.cli.options import Results, circumstances


def show(
    row: Annotated[str, typer.Argument(help="Row id, corpus/protocol/features/model with *, or a cell id.")],
    suite: Annotated[str | None, typer.Argument(help="A suite with results [all].")] = None,
    results: Results = None,
) -> None:
    """Print a row's per-class report, confusion matrix, folds, parameters and provenance."""
    from serbench.reporting.loading import load_suites
    from serbench.reporting.lookup import find_cells
    from serbench.reporting.show import report_parts, row_report

    records = load_suites(circumstances(results=results).results, suite)
    console = _console()
    for part in report_parts(row_report(find_cells(records, row))):
        console.print(part, highlight=False)
        console.print()


def _console():
    from rich.console import Console

    return Console() if sys.stdout.isatty() else Console(width=160)
