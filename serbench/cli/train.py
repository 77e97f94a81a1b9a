"""`serbench train`: a leaderboard row, fitted on all its utterances, as a model folder with an error sheet."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from serbench.cli import options


def train(
    row: Annotated[str, typer.Argument(help="SUITE/ROW: a row id, or [corpus/]protocol/features/model.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the model; must be new.")],
    suite: Annotated[str | None, typer.Option("--suite", help="File of the suite [found by its name].")] = None,
    register: Annotated[
        str | None, typer.Option("--register", help="Put it into MLflow's registry under this name too.")
    ] = None,
    tracking_uri: options.TrackingUri = None,
    jobs: options.Jobs = None,
    threads: options.Threads = None,
    data: options.Data = None,
    corpus_path: options.CorpusPath = None,
    features_file: options.FeaturesFile = None,
    plugin: options.Plugin = None,
    cache: options.Cache = None,
    results: options.Results = None,
) -> None:
    """Train a row of the leaderboard on all its utterances and say what its answers are worth."""
    from serbench.inference.describe import sheet_text
    from serbench.inference.folder import read_manifest
    from serbench.inference.training import train as train_row
    from serbench.runner.observers import Progress
    from serbench.tracking.store import tracking_uri as checked_uri

    around = options.circumstances(
        data=data,
        cache=cache,
        results=results,
        corpus_path=corpus_path,
        features_file=features_file,
        plugin=plugin,
        jobs=jobs,
        threads=threads,
    )
    uri = checked_uri(tracking_uri, around.results) if register else ""
    folder = train_row(row, output, around, suite=suite, observers=[Progress()])
    print(sheet_text(read_manifest(folder).sheet))
    print(f"serbench: model in {folder}", file=sys.stderr)
    if register:
        from serbench.tracking.registering import register as put

        print(f"serbench: version {put(uri, register, folder)} of '{register}' in {uri}", file=sys.stderr)
