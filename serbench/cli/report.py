"""`serbench report`: tables, figures and the page of a suite, or of all."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from serbench.cli import options


def report(
    suite: Annotated[str | None, typer.Argument(help="A suite with results [all].")] = None,
    only: Annotated[
        list[str] | None, typer.Option("--only", help="tables, figures or page. Repeatable [all three].")
    ] = None,
    style: Annotated[
        list[str] | None, typer.Option("--format", "-f", help="Figures as pdf, svg or png. Repeatable [all three].")
    ] = None,
    corpus_path: options.CorpusPath = None,
    data: options.Data = None,
    cache: options.Cache = None,
    results: options.Results = None,
) -> None:
    """Write a suite's report from its records: tables for papers, figures, and a page; then the index of all suites."""
    from serbench.errors import ResultsError
    from serbench.registry import build_registry
    from serbench.reporting.claims import claims_table
    from serbench.reporting.figures.canvas import FORMATS
    from serbench.reporting.loading import load_finished, suite_folder, suites_in
    from serbench.reporting.page.render import write_index
    from serbench.reporting.report import PARTS, write_report
    from serbench.runner.planning.own_corpora import suite_corpora
    from serbench.runner.suite.published import published_claims, published_suites

    around = options.circumstances(corpus_path=corpus_path, data=data, cache=cache, results=results)
    named = [suite_corpora(name, around) for name in ([suite] if suite else suites_in(around.results))]
    own = {corpus for _, corpora in named for corpus in corpora}
    options.refuse_unknown_corpora(corpus_path, lambda: {*own, *build_registry(around.plugins).names("corpus")})
    if not named:
        hint = "`serbench run demo` makes some; --results names a folder"
        raise ResultsError("no results yet", where=str(around.results), hint=hint)
    for name, _ in named:
        suite_folder(around.results, name)
    published = published_suites()
    records = load_finished(around.results, [suite.name for suite in published])
    ours = set(records["suite"])
    claimed = claims_table([claim for claim in published_claims(published) if claim["suite"] in ours], records)
    for name, corpora in named:
        own = [row for row in claimed if row["suite"] == name]
        shown = {"parts": only or PARTS, "styles": style or FORMATS, "claims": own}
        folder = write_report(name, around, **shown, corpora=corpora, said=_say)
        print(folder / "index.html" if "page" in (only or PARTS) else folder)
    print(write_index(around.results, claimed))


def _say(line: str) -> None:
    print(f"serbench: {line}", file=sys.stderr)
