"""`serbench ledger`: which rows were ever scored on the test folds of a suite."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from serbench.cli.console import show
from serbench.cli.options import Results, circumstances

COLUMNS = ("corpus", "protocol", "features", "model", "trials", "row", "folds", "first", "last", "revisions", "shown")


def ledger(
    suite: Annotated[str, typer.Argument(help="A suite with results.")],
    update: Annotated[bool, typer.Option("--update", help="Add to ledger.csv what it lacks.")] = False,
    frozen: Annotated[
        list[Path] | None, typer.Option("--from", help="With --update: also a frozen file of another time. Repeatable.")
    ] = None,
    style: Annotated[str, typer.Option("--format", "-f", help="table, csv or json.")] = "table",
    results: Results = None,
) -> None:
    """List every row that was ever scored on a test fold, also those deleted since; when, and at which revision."""
    from serbench.errors import UsageError
    from serbench.records.ledger import NAME, ledger_lines, read_ledger, update_ledger
    from serbench.reporting.frozen import frozen_records
    from serbench.reporting.loading import load_records, suite_folder
    from serbench.reporting.text_tables import to_csv, to_json, writer_named

    if frozen and not update:
        raise UsageError("--from adds to the ledger", where="--from", hint="give --update with it")
    write = writer_named(style, {"table": _table, "csv": to_csv, "json": to_json})
    root = circumstances(results=results).results
    folder = suite_folder(root, suite)
    records = [record for record in load_records(root, suite)["record"] if record is not None]
    if update:
        added = update_ledger(folder, [*records, *(record for path in frozen or () for record in frozen_records(path))])
        typer.echo(f"serbench: {folder / NAME}: {added} lines added", err=True)
    shown = {line["row"] for line in ledger_lines(records)}
    show(write(_rows([*read_ledger(folder), *ledger_lines(records)], shown)))


def _rows(lines: list[dict[str, str]], shown: set[str]) -> list[dict[str, object]]:
    by_row: dict[str, list[dict[str, str]]] = {}
    for line in lines:
        by_row.setdefault(line["row"], []).append(line)
    return [
        {
            **{name: found[0][name] for name in COLUMNS[:6]},
            "folds": len({(line["fold"], line["seed"]) for line in found}),
            "first": min(line["scored"] for line in found),
            "last": max(line["scored"] for line in found),
            "revisions": len({line["revision"] for line in found}),
            "shown": row in shown,
        }
        for row, found in sorted(by_row.items(), key=lambda item: min(line["scored"] for line in item[1]))
    ]


def _table(rows: list[dict[str, object]]):
    from serbench.reporting.text_tables import to_terminal

    lines = [[*(str(row[name]) for name in COLUMNS[:-1]), "yes" if row["shown"] else "deleted"] for row in rows]
    title = f"{len(rows)} rows ever scored"
    return to_terminal([*COLUMNS[:-1], "on the board"], lines, title=title, words=COLUMNS[:4])
