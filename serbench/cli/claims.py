"""`serbench claims`: published numbers beside our own, under their protocol and on unseen speakers."""

from __future__ import annotations

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
    import pandas as pd

    from serbench.errors import SuiteError
    from serbench.reporting.claims import claims_table, format_claims
    from serbench.reporting.loading import load_records, suites_in
    from serbench.runner.suite import load_suite, suite_names

    folder = circumstances(results=results).results
    loaded = [load_suite(name) for name in suites or suite_names("published")]
    told = []
    for suite in loaded:
        if suite.published is None and not suites:
            continue
        if suite.published is None:
            raise SuiteError("there are no `published:` numbers", where=suite.name, hint="see benchmarks/published/")
        common = {"suite": suite.name, "source": suite.published.source}
        told += [{**claim.model_dump(), **common} for claim in suite.published.claims]
    run = [suite.name for suite in loaded if suite.name in suites_in(folder)]
    records = [load_records(folder, name) for name in run]
    columns = ["suite", "model", "features", "protocol", "row", "cell", "status"]
    found = pd.concat(records, ignore_index=True) if records else pd.DataFrame(columns=columns)
    print(format_claims(claims_table(told, found), style))
