"""`serbench show`: one row or cell in full."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from serbench.cli.console import make_console, tell_origins
from serbench.cli.options import Results, circumstances
from serbench.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd


def show(
    row: Annotated[str, typer.Argument(help="Row id, corpus/protocol/features/model with *, or a cell id.")],
    suite: Annotated[str | None, typer.Argument(help="A suite with results [all].")] = None,
    reliability: Annotated[bool, typer.Option("--reliability", help="Add the reliability table.")] = False,
    temperature: Annotated[
        bool, typer.Option("--temperature", help="Add calibration after temperature scaling fitted on validation rows.")
    ] = False,
    style: Annotated[str, typer.Option("--format", "-f", help="table or json.")] = "table",
    results: Results = None,
) -> None:
    """Print a row's per-class report, confusion matrix, calibration, folds, parameters and provenance.

    UAR also by sentence and by intensity, where the corpus tells them.
    """
    from serbench.reporting.loading import load_predictions, load_suites
    from serbench.reporting.lookup import find_cells
    from serbench.reporting.parts import part_tables, uar_by_part
    from serbench.reporting.show import report_parts, row_report
    from serbench.reporting.text_tables import to_json

    if style not in ("table", "json"):
        raise UsageError(f"unknown format '{style}'", where="--format", hint="one of: table, json")
    root = circumstances(results=results).results
    cells = find_cells(load_suites(root, suite), row)
    frames = load_predictions(root, cells)
    by_part = uar_by_part(cells, frames) if frames else []
    tell_origins(cells)
    if style == "json":
        print(to_json(row_report(cells) | {"parts": by_part}))
        return
    parts = [*report_parts(row_report(cells)), *part_tables(by_part)]
    parts += _calibration(cells, frames, reliability, temperature)
    console = make_console(160)
    for part in parts:
        console.print(part, highlight=False)
        console.print()


def _calibration(
    cells: pd.DataFrame, frames: dict[str, pd.DataFrame], reliability: bool, temperature: bool
) -> Iterator[Any]:
    from serbench.reporting.calibration import pooled_probabilities
    from serbench.reporting.show import calibration_parts
    from serbench.scoring import calibration

    if not frames:
        return
    labels = cells["cell"].iloc[0].labels["labels"]
    yield from calibration_parts(calibration(pooled_probabilities(frames, labels)), "Calibration", reliability)
    if temperature:
        scaled = pooled_probabilities(frames, labels, scaled=True)
        used = ", ".join(f"{value:.2f}" for value in scaled.temperatures)
        yield from calibration_parts(calibration(scaled), f"At temperature {used} (one per cell)", reliability)
