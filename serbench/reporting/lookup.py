"""Find the leaderboard row or cell that a user means."""

from __future__ import annotations

import difflib
import fnmatch
from typing import TYPE_CHECKING

from serbench.errors import UnknownName, UsageError
from serbench.specs import renamed_features

if TYPE_CHECKING:
    import pandas as pd

SHOWN = 12
FORMS = "a row id from the leaderboard, corpus/protocol/features/model (* matches anything), or a cell id"


def find_cells(records: pd.DataFrame, wanted: str) -> pd.DataFrame:
    """Cells of one row, or one cell.

    Parameters
    ----------
    records : DataFrame
        From `load_records`, of one suite or several.
    wanted : str
        A row id; ``corpus/protocol/features/model`` with `*` and with parts left out at the end (of a row and its
        sanity run on permuted labels the row itself); or the first characters of a cell's id.

    Raises
    ------
    UnknownName
        If nothing answers to it; names the nearest.
    UsageError
        If several rows do; lists them.
    """
    known = records[records["row"] != ""]
    wanted = "/".join(map(renamed_features, wanted.split("/")))
    rows = known[known["row"] == wanted.lower()]
    if rows.empty and "/" not in wanted and len(wanted) >= 4:
        cells = known[known["id"].str.startswith(wanted.lower())]
        rows = cells if cells["id"].nunique() == 1 else known[known["row"].str.startswith(wanted.lower())]
    if rows.empty:
        rows = _plain(known[path_of(known).map(lambda path: _matches(path, wanted)).astype(bool)])
    if rows.empty:
        raise _unknown(known, wanted)
    several = rows.drop_duplicates(["suite", "row"])
    if len(several) > 1:
        listed = [
            f"{row.row}  {row.suite}  {path}" for row, path in zip(several.itertuples(), path_of(several), strict=True)
        ]
        more = [f"… and {len(listed) - SHOWN} more"] if len(listed) > SHOWN else []
        hint = "say which, by its row id (and suite):\n     " + "\n     ".join(listed[:SHOWN] + more)
        raise UsageError(f"'{wanted}' means {len(several)} rows", hint=hint)
    return rows


def _plain(rows: pd.DataFrame) -> pd.DataFrame:
    """Without sanity runs on permuted labels, unless there is nothing else: they share the name of the row itself."""
    plain = rows[[not cell.permute_labels for cell in rows["cell"]]]
    return rows if plain.empty else plain


def path_of(records: pd.DataFrame) -> pd.Series:
    """``corpus/protocol/features/model`` of each cell."""
    return records["corpus"] + "/" + records["protocol"] + "/" + records["features"] + "/" + records["model"]


def _unknown(known: pd.DataFrame, wanted: str) -> UnknownName:
    suites = set(known["suite"])
    if len(wanted) >= 4 and set(wanted.lower()) <= set("0123456789abcdef"):
        among = f"{known['row'].nunique()} rows of {', '.join(sorted(suites)) or 'no suite'}"
        what = f"no row or cell has the id '{wanted}' (among {among})"
        return UnknownName(what, hint="`serbench leaderboard` shows the ids; --results names another folder")
    if wanted in suites:
        return UnknownName(f"'{wanted}' is a suite, not a row", hint=f"`serbench leaderboard {wanted}` lists its rows")
    names = {*known["row"], *path_of(known), *known["model"], *suites}
    near = difflib.get_close_matches(wanted, sorted(names), n=3, cutoff=0.5)
    meant = f"did you mean {' or '.join(near)}? " if near else ""
    return UnknownName(f"unknown row '{wanted}'", hint=f"{meant}give {FORMS}; `serbench leaderboard` lists the rows")


def _matches(path: str, wanted: str) -> bool:
    parts, patterns = path.split("/"), wanted.split("/")
    if len(patterns) == 1:
        # A single word names a part: the model, or the feature set.
        return any(fnmatch.fnmatchcase(part, wanted) for part in parts)
    return len(patterns) <= len(parts) and all(
        fnmatch.fnmatchcase(part, pattern or "*") for part, pattern in zip(parts, patterns, strict=False)
    )
