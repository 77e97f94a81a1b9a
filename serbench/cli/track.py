"""`serbench track`: mirror finished results into a tracking store."""

from __future__ import annotations

from typing import Annotated

import typer

from serbench.cli import options


def track(
    suites: Annotated[list[str], typer.Argument(help="Suites that have results.", metavar="SUITE...")],
    tracking_uri: options.TrackingUri = None,
    results: options.Results = None,
) -> int:
    """Write a suite's rows into MLflow; rows and folds that are there already are not doubled."""
    from serbench.reporting.loading import suite_folder
    from serbench.tracking.mirror import mirror
    from serbench.tracking.store import tracking_uri as checked_uri

    around = options.circumstances(results=results)
    uri = checked_uri(tracking_uri, around.results)
    for suite in suites:
        suite_folder(around.results, suite)
    for suite in suites:
        done = mirror(around.results, suite, uri)
        print(f"suite {suite}: {done.looked_at} rows; {done.rows} rows and {done.folds} folds written to {uri}")
    return 0
