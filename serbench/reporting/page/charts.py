"""Where the dots of the page's own chart go: random against speaker-independent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from serbench.reporting.figures.gap import pairs

if TYPE_CHECKING:
    import pandas as pd

MOST_ROWS = 12


def gap_charts(board: pd.DataFrame) -> list[dict[str, Any]]:
    """One chart per corpus and pair of protocols: title, protocols, and per row its name and two percentages."""
    if not (board["folds_done"] > 0).any():
        return []
    charts = []
    for (task, random, independent), rows in pairs(board).items():
        shown = rows.head(MOST_ROWS)
        charts.append(
            {
                "task": task,
                "random": random,
                "independent": independent,
                "more": len(rows) - len(shown),
                "rows": [
                    {"name": name, "low": 100 * unseen, "high": 100 * seen}
                    for name, seen, unseen in zip(shown["name"], shown["random"], shown["independent"], strict=True)
                ],
            }
        )
    return charts
