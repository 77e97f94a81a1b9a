"""Where what is shown comes from: run here, or committed with the suite."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from serbench.reporting.frozen import NAME

if TYPE_CHECKING:
    import pandas as pd

ORIGINS = {"cells": "run here", "frozen": f"as committed ({NAME})"}


def origins(records: pd.DataFrame) -> Iterator[str]:
    """One line a suite, such as ``ravdess: rows shown: 2 run here, 41 as committed (frozen.parquet)``.

    A row of which anything was run here is shown from that alone.

    Parameters
    ----------
    records : DataFrame
        From `load_records`, of one suite or several, or some of its rows; or a leaderboard.
    """
    for suite, own in records[records["row"] != ""].groupby("suite", sort=False):
        counts = own.groupby("source")["row"].nunique()
        found = [f"{counts[source]} {where}" for source, where in ORIGINS.items() if source in counts]
        yield f"{suite}: rows shown: {', '.join(found)}"
