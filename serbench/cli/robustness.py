"""`serbench robustness`: UAR of trained models on degraded audio."""

from __future__ import annotations

from typing import Annotated

import typer

from serbench.cli.console import make_console
from serbench.cli.options import Results, circumstances
from serbench.errors import UsageError

FORMATS = ("table", "json", "csv")
NAMES = ("protocol", "features", "model", "augment")
# Shown where there is more than one of them, so that no two rows look alike.
DISTINCTIONS = ("suite", "corpus", "options", "trials")


def robustness(
    suite: Annotated[str | None, typer.Argument(help="A suite with results; all of them unless told.")] = None,
    style: Annotated[str, typer.Option("--format", "-f", help="table, json or csv.")] = "table",
    results: Results = None,
) -> None:
    """Show the UAR on the clean test part and on its degraded versions (a suite's `robustness:`)."""
    from serbench.reporting.loading import load_suites
    from serbench.reporting.robustness import robustness_table
    from serbench.reporting.text_tables import to_csv, to_json

    if style not in FORMATS:
        raise UsageError(f"unknown format '{style}'", where="--format", hint=f"one of: {', '.join(FORMATS)}")
    folder = circumstances(results=results).results
    rows = robustness_table(folder, load_suites(folder, suite))
    if style == "json":
        print(to_json(rows))
    elif style == "csv":
        print(to_csv(rows).rstrip("\n"))
    else:
        make_console().print(_table(rows))


def _table(rows: list[dict]):
    from rich.markup import escape
    from rich.table import Table

    from serbench.reporting.formats import interval_text, percent, signed

    names = [*(name for name in DISTINCTIONS if len({row[name] for row in rows}) > 1), *NAMES, "condition"]
    table = Table(title="UAR % on degraded audio", title_justify="left", box=None)
    for name in names:
        table.add_column(name)
    for name in ("UAR %", "95 %", "change"):
        table.add_column(name, justify="right")
    for row in rows:
        bounds = interval_text(row["uar_low"], row["uar_high"])
        table.add_row(*(escape(str(row[name])) for name in names), percent(row["uar"]), bounds, signed(row["change"]))
    return table
