"""What rows and groups of rows are called in figures, and how many of them a panel holds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from serbench.protocols.verdict import INDEPENDENT
from serbench.reporting.leaderboard import SPLITTING, finished, grouped
from serbench.reporting.papers.results import display_model

if TYPE_CHECKING:
    import pandas as pd

MOST_ROWS = 25


def row_name(entry: Any) -> str:
    """A row within its group, e.g. ``svm · handcrafted``; says so where folds are missing."""
    part = "" if entry["complete"] else f" ({entry['folds_done']}/{entry['folds_planned']} folds)"
    return f"{display_model(entry)} · {entry['features']}{part}"


def task_name(entry: Any) -> str:
    """A corpus with its labels, called synthetic where it is."""
    corpus = entry["corpus"] + (" (synthetic speech)" if entry["corpus"] == "synthetic" else "")
    extras = [f"labels {entry['labels']}"] if entry["labels"] != "native" else []
    return ", ".join([corpus, *extras, *filter(None, [entry["options"]])])


def groups(board: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Title and rows of each corpus × protocol × standing, the best rows first."""
    done = finished(board)
    for group in grouped(done, [*SPLITTING, "standing"]):
        first = group.iloc[0]
        ordered = group.sort_values(["complete", "uar"], ascending=False, kind="stable")
        yield f"{task_name(first)} — {first['protocol']}, {first['standing']}", ordered


def honest_groups(board: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """The speaker-independent groups; all of them where there is none such."""
    found = list(groups(board))
    return [item for item in found if item[1]["standing"].iloc[0] == INDEPENDENT] or found


def best_rows(title: str, group: pd.DataFrame, most: int = MOST_ROWS) -> tuple[str, pd.DataFrame]:
    """The first rows of a group and a title that says so where there are more."""
    if len(group) <= most:
        return title, group
    return f"{title} (best {most} of {len(group)} rows)", group.head(most)


def cells_of(records: pd.DataFrame, entry: Any) -> pd.DataFrame:
    """Cells of a leaderboard row."""
    return records[(records["suite"] == entry["suite"]) & (records["row"] == entry["row"])]
