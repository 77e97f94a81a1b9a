"""`serbench features`: extract the features of a suite, and nothing else; take them to another machine."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from serbench.cli import options
from serbench.cli.verbs import Verbs

if TYPE_CHECKING:
    from serbench.circumstances import Circumstances
    from serbench.registry import Registry
    from serbench.runner.planning.cells import Plan

EXTRACT = "extract"


class _ExtractUnlessSaid(Verbs):
    """`serbench features SUITE` extracts: the verb may be left out."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in (*self.commands, "--help", "-h"):
            args = [EXTRACT, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_ExtractUnlessSaid,
    help="Extract the features of a suite, and take them to another machine.",
    no_args_is_help=True,
)
Named = Annotated[str, typer.Argument(help="A suite by name or path.")]


@app.command(EXTRACT)
def extract(
    suite: Named,
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
    for row in planned.skipped:
        print(f"skipped: {row.cell.feature_name}: {row.reason}", file=sys.stderr)
    failed, stopped = extract_plan(planned, registry, around, [Progress()])
    print(f"suite {planned.suite.name}: features are in {around.cache}", file=sys.stderr)
    return 130 if stopped else int(bool(failed))


@app.command("export")
def export(
    suite: Named,
    file: Annotated[Path, typer.Argument(help="Archive to write (tar).")],
    weights: options.Weights = None,
    data: options.Data = None,
    corpus_path: options.CorpusPath = None,
    plugin: options.Plugin = None,
    cache: options.Cache = None,
) -> None:
    """Pack the features of a suite into a file, for a machine that cannot compute them."""
    from serbench.api import plan_run
    from serbench.features.portable import pack
    from serbench.runner.cell.inputs import store_of

    around = options.circumstances(data=data, cache=cache, corpus_path=corpus_path, plugin=plugin, weights=weights)
    planned, registry = plan_run(suite, around)
    files, size = pack(store_of(around).folder, _folders(planned, registry, around), file)
    print(f"{file}: {files} files, {size / 1e6:.1f} MB")


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="What `serbench features export` wrote.")],
    cache: options.Cache = None,
) -> None:
    """Add packed features to this machine's store: rows with them need neither weights nor a GPU then."""
    from serbench.features.portable import unpack
    from serbench.runner.cell.inputs import store_of

    around = options.circumstances(cache=cache)
    added, total = unpack(file, store_of(around).folder)
    print(f"{added} of {total} files added to {around.cache}")


def _folders(plan: Plan, registry: Registry, around: Circumstances) -> Iterator[Path]:
    from serbench.features.encoders.filling import base_sets
    from serbench.features.parameters import TRIM
    from serbench.records import feature_sets
    from serbench.runner.cell.inputs import store_of, stored_spec

    store = store_of(around)
    for cell in (item.cell for item in plan.cells if not item.cell.members):
        for entry in feature_sets(cell):
            if entry["name"] in around.features_files:
                continue
            spec = stored_spec(registry, entry["name"], entry["params"])
            yield store.path(spec, entry["params"])
            for base in base_sets(spec.version) if spec.name == "ssl" else ():
                yield store.path(base, {TRIM: entry["params"].get(TRIM)})
