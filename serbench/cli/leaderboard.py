"""`serbench leaderboard`: the rows of one suite or of all, ranked."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from serbench.cli.console import make_console, tell_origins
from serbench.cli.options import Results, circumstances
from serbench.errors import UnknownName, UsageError


def leaderboard(
    suite: Annotated[str | None, typer.Argument(help="A suite with results [all].")] = None,
    style: Annotated[str, typer.Option("--format", "-f", help="table, csv, md or json.")] = "table",
    sort: Annotated[str, typer.Option("--sort", help="A column, such as accuracy or fit_seconds.")] = "uar",
    corpus: Annotated[list[str] | None, typer.Option("--corpus", help="Keep this corpus. Repeatable.")] = None,
    pretrained: Annotated[
        list[str] | None,
        typer.Option("--pretrained", help="Keep rows whose features are so pre-trained: no, speech, emotion, unknown."),
    ] = None,
    results: Results = None,
) -> None:
    """Rank models by UAR with 95 % intervals over speakers; speaker-independent protocols first."""
    from serbench.reporting import formats, loading
    from serbench.reporting import leaderboard as board
    from serbench.reporting.pretraining import KINDS

    if style not in formats.FORMATS:
        raise UsageError(f"unknown format '{style}'", where="--format", hint=f"one of: {', '.join(formats.FORMATS)}")
    for kind in pretrained or ():
        if kind not in KINDS:
            raise UnknownName.among("pre-training", kind, KINDS, where="--pretrained")
    root = circumstances(results=results).results
    records = loading.load_suites(root, suite)
    found = board.leaderboard(records, corpus=corpus or (), sort=sort)
    found = found[found["pretrained"].isin(pretrained)] if pretrained else found
    for line in board.damaged_cells(records):
        print(f"serbench: warning: {line} (counts as not done; the next run redoes it)", file=sys.stderr)
    tell_origins(records)
    if style == "table":
        print_tables(found)
    else:
        print(formats.format_leaderboard(found, style).rstrip("\n"))


def print_tables(board) -> None:
    """Print a leaderboard to the terminal."""
    from serbench.reporting.formats import terminal_tables

    console = make_console()
    for table in terminal_tables(board, console.width):
        console.print(table)
        console.print()
