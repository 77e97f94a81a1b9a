"""`serbench claims`: published numbers beside our own, under their protocol and on unseen speakers."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from serbench.cli.options import Results, circumstances


def claims(
    suites: Annotated[
        list[str] | None, typer.Argument(metavar="[SUITE...]", help="Suites with `published:`; all unless told.")
    ] = None,
    style: Annotated[str, typer.Option("--format", "-f", help="table, json, csv, md or latex.")] = "table",
    results: Results = None,
) -> None:
    """Set published claims beside our rows: under their protocol, with the likely mistake, on unseen speakers."""
    from serbench.errors import SuiteError
    from serbench.reporting.claims import claims_table, format_claims
    from serbench.reporting.loading import load_finished
    from serbench.runner.suite.file import load_suite
    from serbench.runner.suite.published import published_claims, published_suites

    loaded = [load_suite(name) for name in suites] if suites else published_suites()
    for suite in loaded:
        if suite.published is None:
            raise SuiteError("there are no `published:` numbers", where=suite.name, hint="see benchmarks/published/")
    records = load_finished(circumstances(results=results).results, [suite.name for suite in loaded])
    if lacking := [suite.name for suite in loaded if suite.name not in set(records["suite"])]:
        print(f"serbench: no results yet: `serbench run {' '.join(lacking)}` makes them", file=sys.stderr)
    print(format_claims(claims_table(published_claims(loaded), records), style))
