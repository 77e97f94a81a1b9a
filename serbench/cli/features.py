"""`serbench features`: extract the features of a suite, and nothing else."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from serbench.cli import options


def features(
    suite: Annotated[str, typer.Argument(help="A suite by name or path.")],
    jobs: options.Jobs = None,
    executor: options.Executor = None,
    scheduler: options.Scheduler = None,
    weights: options.Weights = None,
    device: options.Device = None,
    data: options.Data = None,
    corpus_path: options.CorpusPath = None,
    plugin: options.Plugin = None,
    cache: options.Cache = None,
    results: options.Results = None,
) -> int:
    """Extract what the cells still to run need and the store lacks: a job for processors, before one for GPUs.

    Exit status: 0 when everything is there, 1 when files have no features, 130 when stopped by Ctrl-C.
    """
    from serbench.api import plan_run
    from serbench.runner.engine import extract_plan
    from serbench.runner.observers import Progress

    around = options.circumstances(
        data=data,
        cache=cache,
        results=results,
        corpus_path=corpus_path,
        plugin=plugin,
        jobs=jobs,
        executor=executor,
        scheduler=scheduler,
        weights=weights,
        device=device,
    )
    planned, registry = plan_run(suite, around)
    failed, stopped = extract_plan(planned, registry, around, [Progress()])
    print(f"suite {planned.suite.name}: features are in {around.cache}", file=sys.stderr)
    return 130 if stopped else int(bool(failed))
