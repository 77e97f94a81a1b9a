"""`serbench robustness`: UAR of trained models on degraded audio."""

from __future__ import annotations

from typing import Annotated

import typer

from serbench.cli.console import show
from serbench.cli.options import Results, circumstances

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
    from serbench.reporting.text_tables import to_csv, to_json, writer_named

    write = writer_named(style, {"table": _table, "json": to_json, "csv": to_csv})
    folder = circumstances(results=results).results
    show(write(robustness_table(folder, load_suites(folder, suite))))


def _table(rows: list[dict]):
    from serbench.reporting.text_tables import interval_text, percent, signed, to_terminal

    names = [*(name for name in DISTINCTIONS if len({row[name] for row in rows}) > 1), *NAMES, "condition"]
    lines = [
        [
            *(row[name] for name in names),
            percent(row["uar"]),
            interval_text(row["uar_low"], row["uar_high"]),
            signed(row["change"]),
        ]
        for row in rows
    ]
    return to_terminal([*names, "UAR %", "95 %", "change"], lines, title="UAR % on degraded audio", words=names)
