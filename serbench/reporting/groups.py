"""Rows that may be compared with each other: the complete ones of one corpus, label set and protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING

from serbench.reporting.leaderboard import SPLITTING, leaderboard
from serbench.reporting.text_tables import is_missing

if TYPE_CHECKING:
    import pandas as pd


def comparable_groups(records: pd.DataFrame) -> dict[str, dict[str, pd.DataFrame]]:
    """Finished cells by group and row.

    Returns
    -------
    dict
        Group title -> row name (``features/model row``) -> cells. Incomplete rows are left out.
    """
    board = leaderboard(records)
    cells = {name: frame for name, frame in records.groupby(["suite", "row"], sort=False)}
    groups: dict[str, dict[str, pd.DataFrame]] = {}
    for entry in board[board["complete"]].itertuples():
        heard = "" if is_missing(entry.enrol) else f"enrolled {entry.enrol}"  # Rows that heard more are no rivals.
        title = " · ".join(filter(None, [*(getattr(entry, name) for name in SPLITTING), entry.standing, heard]))
        name = f"{entry.features}/{entry.model} {entry.row}"
        groups.setdefault(title, {})[name] = cells[entry.suite, entry.row]
    return groups
