"""What names a leaderboard row."""

from __future__ import annotations

from typing import Any

from serbench.identity import content_id
from serbench.records import Cell

LENGTH = 8


def row_identity(cell: Cell) -> dict[str, Any]:
    """What a leaderboard row is: a cell without fold and seed."""
    return {name: value for name, value in cell.to_json().items() if name not in ("fold", "seed")}


def row_id(cell: Cell) -> str:
    """Eight hexadecimal characters that name a leaderboard row."""
    return content_id(row_identity(cell), LENGTH)
