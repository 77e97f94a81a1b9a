"""What names a leaderboard row."""

from __future__ import annotations

from serbench.identity import content_id
from serbench.records import Cell

LENGTH = 8


def row_id(cell: Cell) -> str:
    """Eight hexadecimal characters that name a leaderboard row: a cell without fold and seed."""
    identity = {name: value for name, value in cell.to_json().items() if name not in ("fold", "seed")}
    return content_id(identity, LENGTH)
