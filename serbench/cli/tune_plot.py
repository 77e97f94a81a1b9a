"""`serbench tune-plot`: figures of a row's searches."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from serbench.cli.options import Results, circumstances


def tune_plot(
    row: Annotated[str, typer.Argument(help="Id of a tuned row, corpus/protocol/features/model with *, or a cell id.")],
    suite: Annotated[str | None, typer.Argument(help="A suite with results [all].")] = None,
    style: Annotated[str, typer.Option("--format", "-f", help="png, pdf or svg.")] = "png",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Folder [the suite's results].")] = None,
    results: Results = None,
) -> None:
    """Draw the history of a row's searches and the importances of its parameters, with Optuna's own figures."""
    from serbench.reporting.loading import load_suites
    from serbench.reporting.lookup import find_cells
    from serbench.reporting.tuning_plot import plot_tuning

    root = circumstances(results=results).results
    cells = find_cells(load_suites(root, suite), row)
    for path in plot_tuning(cells, output or root / cells["suite"].iloc[0], style):
        print(path)
