"""`serbench freeze`: pack a suite's results into one file to commit."""

from __future__ import annotations

from typing import Annotated

import typer

from serbench.cli.options import Results, circumstances


def freeze(
    suite: Annotated[str, typer.Argument(help="A suite with finished cells.")],
    only_tables: Annotated[bool, typer.Option("--tables", help="Write the tables anew; freeze nothing.")] = False,
    results: Results = None,
) -> None:
    """Pack records, predictions, splits and the plan into results/SUITE/frozen.parquet, and write the tables.

    Leaderboard, show and report work from that file on a fresh clone; a run never trusts it.
    Rows and seeds of the file before that were not begun here are carried over; remove the file to leave them out.
    Probabilities are rounded (0.25 %), everything else is kept exactly.
    Which rows were scored is added to results/SUITE/ledger.csv.
    """
    from serbench.records.ledger import update_ledger
    from serbench.reporting import frozen, loading, tables

    folder = loading.suite_folder(circumstances(results=results).results, suite)
    if only_tables:
        for path in tables.write_tables(folder):
            print(path)
        return
    packed = frozen.freeze(folder)
    update_ledger(folder, frozen.frozen_records(packed["path"]))
    tables.write_tables(folder)
    print(f"{packed['path']}: {packed['cells']} cells, {packed['bytes'] / 1e6:.2f} MB")
    if packed["kept"]:
        print(f"  {packed['kept']} of them carried over from the file before")
    if packed["dropped"]:
        print(f"  {len(packed['dropped'])} cells of the file before belong to rows begun anew here and were dropped")
