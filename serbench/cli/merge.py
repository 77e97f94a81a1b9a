"""`serbench merge`: join results folders that several machines have filled."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from serbench.cli import options


def merge(
    sources: Annotated[list[Path], typer.Argument(help="Results folders.", metavar="RESULTS...")],
    into: Annotated[Path | None, typer.Option("--into", help="Folder to join them in [the --results folder].")] = None,
    results: options.Results = None,
) -> None:
    """Join results folders: finished cells, plans and splits.

    Nothing is written where two folders contradict each other: other answers for one cell, another corpus or version.
    """
    from serbench.records.merging import merge_results

    target = into or options.circumstances(results=results).results
    done = merge_results([path for path in dict.fromkeys(sources) if path.resolve() != target.resolve()], target)
    print(f"{target}: {done.taken} cells taken, {done.present} there already, suites {', '.join(done.suites)}")
    for path in done.damaged:
        print(f"  left out, damaged: {path} (a run makes it again)")
