"""Rows by their ids: what they were run with besides the suite, and which of the planned rows they are."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from serbench.circumstances import Circumstances
from serbench.errors import UnknownName
from serbench.records import INNER_FOLDS, Cell, member_cells
from serbench.reporting.loading import load_records, suites_in
from serbench.runner.planning.selection import Filters
from serbench.runner.suite.schema import Suite


def with_run_settings(filters: Filters, suite: Suite, circumstances: Circumstances) -> Filters:
    """Add to the rows named what the command line had added to the suite, as far as the results here tell.

    That are seeds, trials, and a model, feature set or protocol that the suite lacks; what is given now goes before.
    """
    cells = [cell for cell in _known_cells(suite, circumstances) if cell.row in filters.row]
    if not cells:
        return filters
    single = not any(cell.members for cell in cells)
    known = {"+".join(item.name for item in entry) for entry in suite.corpora}
    corpora = sorted({cell.corpus for cell in cells})
    found = {
        "corpus": corpora if known.issuperset(corpora) else (),
        "protocol": sorted({cell.protocol["name"] for cell in cells}),
        # The members of an ensemble have models and features of their own.
        "model": sorted({cell.model["name"] for cell in cells}) if single else (),
        "features": sorted({"+".join(entry["name"] for entry in cell.features) for cell in cells}) if single else (),
        "seed": sorted({cell.seed for cell in cells}),
    }
    added = {name: value for name, value in found.items() if not getattr(filters, name)}
    searches = [one.tuning for cell in cells for one in (cell, *member_cells(cell)) if one.tuning]
    budgets = {(tuning["trials"], tuning.get("inner", INNER_FOLDS)) for tuning in searches}
    # Rows of several budgets can only come from the suite, which says so itself.
    if len(budgets) == 1 and filters.trials is None:
        ((trials, inner),) = budgets
        added |= {"trials": trials, "inner": inner if filters.inner is None else filters.inner}
    return replace(filters, **added)


def named_rows(rows: Sequence[Cell], named: Collection[str]) -> list[Cell]:
    """Those of the rows that are named, and the members of the ensembles among them."""
    chosen = [row for row in rows if row.row in named]
    members = {cell.id for row in chosen for cell in member_cells(row)}
    return [row for row in rows if row.row in named or row.id in members]


def refuse_unknown_rows(suite: Suite, filters: Filters, rows: Iterable[Cell]) -> None:
    """Raise for a row named that is not planned.

    Raises
    ------
    UnknownName
    """
    planned = {row.row for row in rows} if filters.row else set()
    for name in filters.row:
        if name not in planned:
            raise UnknownName(
                f"no row '{name}' in the plan",
                where=f"suite '{suite.name}'",
                hint="`serbench leaderboard` lists rows with their ids; one that other versions of suite, model or "
                "features made has another id, and of one without results here say --trials, --model, … too",
            )


def _known_cells(suite: Suite, circumstances: Circumstances) -> list[Cell]:
    if suite.name not in suites_in(circumstances.results):
        return []
    return [cell for cell in load_records(circumstances.results, suite.name)["cell"] if cell is not None]
