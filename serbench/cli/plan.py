"""`serbench plan`: what is missing of a suite, cut into shards for a cluster."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from serbench.cli import options

if TYPE_CHECKING:
    from serbench.circumstances import Circumstances
    from serbench.runner.planning.cells import Plan

MOST_SHARDS = 999_999


def plan(
    suite: Annotated[str, typer.Argument(help="A suite by name or path.")],
    shards: Annotated[int, typer.Option("--shards", help="Number of parts.")] = 1,
    form: Annotated[str, typer.Option("--format", help="slurm (a script for sbatch) or json.")] = "json",
    data: options.Data = None,
    corpus_path: options.CorpusPath = None,
    features_file: options.FeaturesFile = None,
    plugin: options.Plugin = None,
    cache: options.Cache = None,
    results: options.Results = None,
) -> None:
    """Print the shards of a suite that have something left to do.

    Each is run by `serbench run SUITE --shard K/N`, on any machine that sees the corpora; folders that are not shared
    are joined by `serbench merge`.
    """
    from serbench.api import plan_run
    from serbench.reporting.text_tables import writer_named
    from serbench.runner.planning.sharding import assign_shards

    write = writer_named(form, {"slurm": _slurm, "json": _json})
    count = options.whole_number("--shards", shards, 1, MOST_SHARDS)
    around = options.circumstances(
        data=data,
        cache=cache,
        results=results,
        corpus_path=corpus_path,
        features_file=features_file,
        plugin=plugin,
    )
    planned, registry = plan_run(suite, around)
    assigned = assign_shards(planned, registry, count)
    missing: dict[int, list[str]] = {}
    for item in planned.todo:
        missing.setdefault(assigned[item.cell.id], []).append(item.cell.id)
    print(write(suite, planned, missing, count, around))


def _json(suite: str, plan: Plan, missing: Mapping[int, list[str]], shards: int, around: Circumstances) -> str:
    listed = [{"shard": f"{number}/{shards}", "cells": missing[number]} for number in sorted(missing)]
    return json.dumps({"suite": plan.suite.name, "shards": listed}, indent=1)


def _slurm(suite: str, plan: Plan, missing: Mapping[int, list[str]], shards: int, around: Circumstances) -> str:
    """A job script: an array task a shard, one core each, time and memory from estimates."""
    from serbench.reporting.loading import read_folder
    from serbench.runner.planning.estimates import expected_seconds

    if not missing:
        return f"# suite {plan.suite.name}: nothing is missing"
    earlier = [row["record"] for row in read_folder(plan.folder) if row["record"] is not None]
    seconds, unknown = expected_seconds([item.cell for item in plan.todo], earlier, 1)
    # Twice the mean of a shard, an hour at least; cells without a record to judge by count as the others.
    known = max(1, len(plan.todo) - unknown)
    hours = max(1, round(2 * seconds / known * len(plan.todo) / len(missing) / 3600))
    widest = max(len(task.table) for task in plan.tasks)
    # A matrix of 10,000 values of 4 bytes an utterance, held twice, beside TensorFlow.
    gigabytes = 3 + round(2 * widest * 40_000 / 1e9)
    guess = f" ({unknown} of {len(plan.todo)} cells without a record to judge by)" if unknown else ""
    named = str(Path(suite).absolute()) if Path(suite).is_file() else suite
    run = shlex.join(["serbench", "run", named, *options.as_words(around), "--jobs", "1", "--no-tracking"])
    return "\n".join(
        [
            "#!/usr/bin/env bash",
            f"# {len(plan.todo)} cells of suite {plan.suite.name} in {len(missing)} of {shards} shards{guess}",
            f"#SBATCH --job-name=serbench-{plan.suite.name.replace('/', '-')}",
            f"#SBATCH --array={_ranges(sorted(missing))}",
            f"#SBATCH --time={hours}:00:00",
            f"#SBATCH --mem={gigabytes}G",
            "#SBATCH --cpus-per-task=1",
            "set -euo pipefail",
            f'srun {run} --shard "$SLURM_ARRAY_TASK_ID/{shards}"',
        ]
    )


def _ranges(numbers: Sequence[int]) -> str:
    """``1-3,7`` for [1, 2, 3, 7]."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and number == parts[-1][-1] + 1:
            parts[-1].append(number)
        else:
            parts.append([number])
    return ",".join(f"{part[0]}-{part[-1]}" if len(part) > 1 else str(part[0]) for part in parts)
