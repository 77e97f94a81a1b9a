"""`serbench plot`: one figure."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from serbench.cli import options
from serbench.errors import UsageError


def plot(
    kind: Annotated[str | None, typer.Argument(help="Kind of figure; without one they are listed.")] = None,
    suite: Annotated[
        str | None,
        typer.Argument(help="A suite with results; overview, speech, map: or a corpus; of one row: or that row."),
    ] = None,
    row: Annotated[str | None, typer.Argument(help="The row, for figures of one row [the best].")] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File; .pdf, .svg or .png [the suite's report folder].")
    ] = None,
    style: Annotated[str, typer.Option("--format", "-f", help="pdf, svg or png, without --output.")] = "png",
    corpus: Annotated[str | None, typer.Option("--corpus", help="One corpus of the suite.")] = None,
    utterance: Annotated[str | None, typer.Option("--utterance", help="speech: part of an utterance's id.")] = None,
    features: Annotated[str | None, typer.Option("--features", help="map: a vector set [handcrafted].")] = None,
    method: Annotated[str | None, typer.Option("--method", help="map: pca or tsne [pca].")] = None,
    corpus_path: options.CorpusPath = None,
    data: options.Data = None,
    cache: options.Cache = None,
    results: options.Results = None,
) -> None:
    """Draw one figure of a suite, of a row or of a corpus."""
    from serbench.registry import build_registry
    from serbench.reporting.figures.canvas import FORMATS, save
    from serbench.reporting.figures.catalogue import draw, kind_named, kinds
    from serbench.reporting.figures.views import open_view
    from serbench.reporting.loading import suites_in
    from serbench.runner.planning.own_corpora import suite_corpora

    _refuse_swapped(kind, suite)
    if kind is None:
        for name, entry in kinds().items():
            print(f"{name:<12} {entry.of:<7} {entry.description}")
        return
    chosen = kind_named(kind)
    if suite is None:
        raise UsageError("name a suite with results", where=f"plot {kind}", hint="such as: serbench plot gap demo")
    if style not in FORMATS:
        raise UsageError(f"unknown format '{style}'", where="--format", hint=f"one of: {', '.join(FORMATS)}")
    around = options.circumstances(corpus_path=corpus_path, data=data, cache=cache, results=results)
    choices = {"utterance": utterance, "features": features, "method": method}
    suite, own = suite_corpora(suite, around)
    options.refuse_unknown_corpora(corpus_path, lambda: {*own, *build_registry(around.plugins).names("corpus")})
    if chosen.of == "row" and row is None and suite not in suites_in(around.results):
        suite, row = None, suite
    view = open_view(chosen, suite, row, corpus, around, choices=choices, own=own)
    figure = draw(kind, view)
    folder = suite or view.cells["suite"].iloc[0]
    print(save(figure, output or around.results / folder / "report" / "figures" / f"{kind}.{style}"))


def _refuse_swapped(kind: str | None, suite: str | None) -> None:
    from serbench.reporting.figures.catalogue import kinds

    if suite in kinds() and kind not in kinds():
        raise UsageError("the kind of figure comes first", where="plot", hint=f"serbench plot {suite} {kind}")
