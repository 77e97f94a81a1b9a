"""The plan that a run leaves beside its cells: which cells the suite has, done or not."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from serbench.errors import ResultsError
from serbench.records.atomic import atomic_path

NAME = "plan.json"


def plan_path(folder: Path) -> Path:
    """Where a suite's plan lies."""
    return folder / NAME


def read_plan(folder: Path) -> list[dict[str, Any]]:
    """Entries ``{"id", "cell"}`` of the suite's last plan; empty where there is none.

    Raises
    ------
    ResultsError
        If it cannot be read.
    """
    path = plan_path(folder)
    if not path.is_file():
        return []
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        return [{"id": entry["id"], "cell": entry["cell"]} for entry in entries]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ResultsError(
            "the plan cannot be read", where=str(path), hint="remove it and run the suite again"
        ) from error


def write_plan(folder: Path, entries: Sequence[dict[str, Any]]) -> None:
    """Write the plan whole."""
    with atomic_path(plan_path(folder)) as temporary:
        temporary.write_text(json.dumps(entries), encoding="utf-8")
