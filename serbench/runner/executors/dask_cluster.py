"""The Dask cluster that a run starts itself: that of `configs/cluster.yaml`, else workers on this machine."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from serbench.circumstances import Circumstances
from serbench.errors import ExecutorError
from serbench.runner.cell.environment import thread_variables
from serbench.runner.executors.local import spawning

CLUSTER = Path("configs/cluster.yaml")
SHAPE = {"cluster": str, "options": dict, "workers": int}
INSTALL = "pip install 'serbench[dask]'"


def open_cluster(circumstances: Circumstances) -> Any:
    """The cluster of `configs/cluster.yaml`, else workers on this machine."""
    import dask
    from distributed import LocalCluster

    if CLUSTER.is_file():
        made, workers = read_cluster(CLUSTER)
        cluster = made()
        cluster.scale(workers)
        return cluster
    environment = thread_variables(circumstances.threads)
    settings = {"distributed.nanny.pre-spawn-environ": environment, "distributed.logging.distributed": "error"}
    with dask.config.set(settings), spawning(circumstances.threads):
        return LocalCluster(
            n_workers=circumstances.jobs,
            threads_per_worker=1,
            memory_limit=circumstances.memory or 0,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            silence_logs="ERROR",
        )


def read_cluster(file: Path) -> tuple[Callable[[], Any], int]:
    """Read `configs/cluster.yaml`: how to make a cluster, and its number of workers.

    Raises
    ------
    ExecutorError
        If it names no class, or holds what it may not.
    """
    hint = f"it holds {', '.join(SHAPE)}; docs/howto/cluster.md shows one"
    try:
        values = yaml.safe_load(file.read_text(encoding="utf-8"))
        wrong = [name for name in values if not isinstance(values[name], SHAPE.get(name, ()))]
        if wrong or "cluster" not in values:
            raise ExecutorError(f"wrong or missing: {', '.join(wrong) or 'cluster'}", where=str(file), hint=hint)
        kind = pkgutil.resolve_name(values["cluster"])
    except (yaml.YAMLError, ValueError, TypeError, ImportError, AttributeError) as error:
        raise ExecutorError(f"cannot be used: {error}", where=str(file), hint=f"{hint}; {INSTALL}") from error
    return lambda: kind(**values.get("options", {})), values.get("workers", 1)
