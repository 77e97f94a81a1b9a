"""Where what is shown comes from: run here, or committed with the suite."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from serbench.reporting.frozen import NAME

if TYPE_CHECKING:
    import pandas as pd

BOTH = "cells and frozen"
ORIGINS = {
    "cells": "run here",
    "frozen": f"as committed ({NAME})",
    BOTH: "some seeds run here, the others as committed",
}


def row_source(sources: Iterable[str]) -> str:
    """Where a row comes from, a key of `ORIGINS`, by the sources of its cells."""
    found = set(sources)
    return BOTH if len(found) > 1 else found.pop()


def origins(records: pd.DataFrame) -> Iterator[str]:
    """One line a suite, such as ``ravdess: rows shown: 2 run here, 41 as committed (frozen.parquet)``.

    A row is shown from what was run here alone, seed by seed.

    Parameters
    ----------
    records : DataFrame
        From `load_records`, of one suite or several, or some of its rows; or a leaderboard.
    """
    for suite, own in records[records["row"] != ""].groupby("suite", sort=False):
        counts = own.groupby("row")["source"].agg(row_source).value_counts()
        found = [f"{counts[source]} {where}" for source, where in ORIGINS.items() if source in counts]
        yield f"{suite}: rows shown: {', '.join(found)}"
