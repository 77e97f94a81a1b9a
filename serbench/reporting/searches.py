"""What tuning did: the search of each fold, its winner, its trials, and the gain on the outer folds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from serbench.identity import content_id
from serbench.records import Cell
from serbench.reporting.rows import describe_row
from serbench.reporting.text_tables import percent, to_terminal

if TYPE_CHECKING:
    import pandas as pd
    from rich.table import Table

WORDS = ("parameters", "state", "trials", "inner folds")


def describe_searches(cells: pd.DataFrame) -> list[dict[str, Any]]:
    """One entry for each finished tuned cell of a row.

    Parameters
    ----------
    cells : DataFrame
        Rows of `load_records`.

    Returns
    -------
    list of dict
        `fold`, `seed`, `inner` (how the inner folds were cut), `folds`, `states` (count by state), `best` (number of
        the winning trial), `default`, `value` (inner UAR of the defaults, NaN if they failed, and of the winner),
        `seconds`, `params` (of the winner), `reproducible`, `trials` (as in `Record.tuning`).
    """
    found = []
    for item in cells.sort_values(["seed", "fold"]).itertuples():
        tuning = item.record.tuning if item.record is not None and item.status == "ok" else {}
        if not tuning:
            continue
        trials = tuning["trials"]
        states = [trial["state"] for trial in trials]
        default = trials[0]["value"] if trials[0]["state"] == "complete" else None
        found.append(
            {
                "fold": item.fold,
                "seed": item.seed,
                **{name: tuning[name] for name in ("inner", "folds", "best", "value", "seconds", "reproducible")},
                "states": {state: states.count(state) for state in dict.fromkeys(states)},
                "default": np.nan if default is None else default,
                "params": trials[tuning["best"]]["params"],
                "trials": trials,
            }
        )
    return found


def search_tables(searches: Sequence[dict[str, Any]]) -> Iterator[Table]:
    """Rich tables: the searches of a row; for a single one all its trials too."""
    if searches:
        yield _winners(searches)
    if len(searches) == 1:
        yield _trials(searches[0])


def add_gains(entries: Sequence[dict[str, Any]], rows: Sequence[pd.DataFrame]) -> None:
    """Give each leaderboard entry what tuning did to it.

    `gain`: UAR on the outer folds less that of its untuned row over the same seeds; NaN without one, or where one of
    them has not all folds there. `tuning`: see `tuning_note`.

    Parameters
    ----------
    entries, rows : sequence
        Each row's entry and its cells.
    """
    cells_of = [cells["cell"].iloc[0] for cells in rows]
    untuned = {}
    for entry, cell, cells in zip(entries, cells_of, rows, strict=True):
        if not cell.tuning:
            untuned[_besides_tuning(entry, cell)] = cells
    for entry, cell in zip(entries, cells_of, strict=True):
        base = untuned.get(_besides_tuning(entry, cell)) if cell.tuning else None
        entry["tuning"] = tuning_note(cell)
        entry["gain"] = _gain(entry, base) if base is not None and entry["complete"] else np.nan


def tuning_note(cell: Cell) -> str:
    """How a row was tuned besides its number of trials, e.g. ``timeout=60 (not reproducible)``; empty by default."""
    tuning = cell.tuning
    parts = [f"inner={tuning['inner']}"] if "inner" in tuning else []
    parts += [f"timeout={tuning['timeout']:g} (not reproducible)"] if "timeout" in tuning else []
    parts += [f"{len(tuning['features']) + 1} feature choices"] if tuning.get("features") else []
    parts += [f"choices of {', '.join(sorted(tuning['choices']))}"] if tuning.get("choices") else []
    parts += [f"fixed at the default: {', '.join(tuning['fixed'])}"] if tuning.get("fixed") else []
    return ", ".join(parts)


def _besides_tuning(entry: dict[str, Any], cell: Cell) -> tuple:
    rest = {name: value for name, value in cell.to_json().items() if name not in ("tuning", "fold", "seed")}
    return entry["suite"], content_id(rest)


def _gain(entry: dict[str, Any], untuned: pd.DataFrame) -> float:
    same = untuned[untuned["seed"].isin(entry["seeds"]) & (untuned["status"] == "ok")]
    return entry["uar"] - describe_row(same)["uar"] if len(same) == entry["folds_done"] else np.nan


def _winners(searches: Sequence[dict[str, Any]]) -> Table:
    rows = [
        (
            entry["fold"],
            entry["seed"],
            ", ".join(f"{count} {state}" for state, count in entry["states"].items())
            + ("" if entry["reproducible"] else " (timeout: not reproducible)"),
            f"{entry['folds']} {entry['inner']}",
            percent(entry["default"]),
            percent(entry["value"]),
            entry["best"],
            f"{entry['seconds']:.3g}",
            _params(entry["params"]),
        )
        for entry in searches
    ]
    names = ["fold", "seed", "trials", "inner folds", "defaults %", "best %", "trial", "search s", "parameters"]
    title = "Tuning (inner UAR; the outer folds saw none of it)"
    return to_terminal(names, rows, title=title, words=WORDS, overflow="fold")


def _trials(entry: dict[str, Any]) -> Table:
    rows = [
        (
            f"{trial['number']}{' *' if trial['number'] == entry['best'] else ''}",
            trial["state"],
            percent(trial["value"]),
            f"{trial['seconds']:.3g}",
            _params(trial["params"]) + (f" ({trial['reason']})" if "reason" in trial else ""),
        )
        for trial in entry["trials"]
    ]
    names = ["trial", "state", "inner UAR %", "s", "parameters"]
    return to_terminal(names, rows, title="Trials (0: the defaults)", words=WORDS, overflow="fold")


def _params(params: dict[str, Any]) -> str:
    return ", ".join(
        f"{name}={value:.4g}" if isinstance(value, float) else f"{name}={value}" for name, value in params.items()
    )
