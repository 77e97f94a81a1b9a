"""The plan that a run leaves beside its cells: which cells the suite has, done or not."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from serbench.records.atomic import atomic_path
from serbench.records.cell import Cell
from serbench.records.derived import read_derived
from serbench.records.shapes import check_shape

NAME = "plan.json"


def plan_path(folder: Path) -> Path:
    """Where a suite's plan lies."""
    return folder / NAME


def read_plan(folder: Path) -> list[dict[str, Any]]:
    """Entries ``{"id", "cell"}`` of the suite's last plan; empty where there is none, or where it is damaged."""
    return read_derived(plan_path(folder), _read, [])


def write_plan(folder: Path, entries: Sequence[dict[str, Any]]) -> None:
    """Write the plan whole."""
    with atomic_path(plan_path(folder)) as temporary:
        temporary.write_text(json.dumps(entries), encoding="utf-8")


def _read(path: Path) -> list[dict[str, Any]]:
    entries = json.loads(path.read_text(encoding="utf-8"))
    check_shape("plan", entries)
    for entry in entries:
        Cell.from_json(entry["cell"])
    return [{"id": entry["id"], "cell": entry["cell"]} for entry in entries]
