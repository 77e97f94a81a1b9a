"""The plan that a run leaves beside its cells."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from serbench.errors import ResultsError


def read_plan(folder: Path) -> list[dict[str, Any]]:
    """Entries ``{"id", "cell"}`` of the suite's last plan; empty where there is none."""
    path = folder / "plan.json"
    if not path.is_file():
        return []
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        return [{"id": entry["id"], "cell": entry["cell"]} for entry in entries]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ResultsError(
            "the plan cannot be read", where=str(path), hint="remove it and run the suite again"
        ) from error
