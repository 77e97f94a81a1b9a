"""Open what figures are drawn from: a suite, one of its rows, one of its corpora."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from serbench.errors import CorpusError, UsageError
from serbench.reporting.figures.kind import CorpusView, FigureKind, Needs, RowView, SuiteView
from serbench.reporting.leaderboard import leaderboard
from serbench.reporting.loading import load_suites, suites_in
from serbench.reporting.lookup import find_cells

if TYPE_CHECKING:
    import pandas as pd

    from serbench.circumstances import Circumstances
    from serbench.records import Cell
    from serbench.specs import CorpusSpec


def open_view(
    kind: FigureKind, name: str | None, row: str | None, corpus: str | None, around: Circumstances, **opening: Any
) -> Any:
    """What a figure of a kind is drawn from.

    Parameters
    ----------
    name : str or None
        A suite with results, or a corpus; None: all suites.
    row, corpus : str or None
        Of the suite: the row for figures of one, the corpus where there are several.
    **opening
        `choices` and `own` of `corpus_view`.

    Raises
    ------
    UsageError
        For a row where the figure shows no single one.
    """
    if kind.of != "row" and row:
        raise UsageError(f"'{kind.name}' shows a whole {kind.of}", hint=f"leave '{row}' out")
    if kind.of == "corpus" and name not in suites_in(around.results):
        return corpus_view(name, around, **opening)
    records = load_suites(around.results, name)
    if kind.of == "corpus":
        cell = corpus_of(records, corpus)
        return corpus_view(cell.corpus, around, cell=cell, **opening)
    if kind.of == "suite":
        return suite_view(records, corpus)
    return row_view(records, around.results, row, needs=kind.needs)


def suite_view(records: pd.DataFrame, corpus: str | None = None) -> SuiteView:
    """A suite, or what it has of one corpus."""
    return SuiteView(records, leaderboard(records, corpus=[corpus] if corpus else ()))


def row_view(records: pd.DataFrame, results: Path, row: str | None, *, needs: Needs = "") -> RowView:
    """A row; without one the best speaker-independent row of which some cell has what the figure needs.

    Parameters
    ----------
    needs : str
        As in `FigureKind`.
    """
    if row:
        return RowView(results, find_cells(records, row))
    fitting = records
    if needs:
        fitting = records[records["row"].isin(set(records.loc[recorded(records, needs), "row"]))]
    board = leaderboard(fitting)
    board = board[board["folds_done"] > 0] if len(board) else board
    if board.empty:
        what = {"history": "no row with epoch curves", "tuning": "no tuned row"}.get(
            needs, "no row with a finished fold"
        )
        raise UsageError(what, hint="`serbench leaderboard` lists the rows")
    first = board.sort_values(["complete"], ascending=False, kind="stable").iloc[0]
    return RowView(results, records[(records["suite"] == first["suite"]) & (records["row"] == first["row"])])


def recorded(records: pd.DataFrame, needs: Needs) -> np.ndarray:
    """Which cells have what a figure needs, shape (cells,), bool."""
    return np.array([bool(record is not None and getattr(record, needs)) for record in records["record"]], dtype=bool)


def corpus_of(records: pd.DataFrame, corpus: str | None) -> Cell:
    """A cell of the corpus that is meant: the only one of the suite, or the named one.

    Raises
    ------
    UsageError
        If the suite has several and none is named.
    """
    cells = records[records["corpus"] != ""].drop_duplicates("corpus").set_index("corpus")["cell"]
    if corpus in cells.index:
        return cells[corpus]
    names = ", ".join(cells.index)
    if corpus or len(cells) != 1:
        what = f"'{corpus}' is not in this suite" if corpus else f"this suite has {len(cells)} corpora"
        raise UsageError(what, where="--corpus", hint=f"name one of: {names}")
    return cells.iloc[0]


def corpus_view(
    name: str,
    circumstances: Circumstances,
    *,
    cell: Cell | None = None,
    choices: Mapping[str, Any] | None = None,
    own: Mapping[str, CorpusSpec] | None = None,
) -> CorpusView:
    """Open a corpus (merged ones are joined by `+`) under the labels and options of a cell, else under its own.

    Parameters
    ----------
    own : mapping, optional
        Cards of the corpora that a suite file describes, by name.

    Raises
    ------
    CorpusError
        If it is not on this machine; says where to get it.
    """
    from serbench.corpora.labels import apply_labels, resolve_labels
    from serbench.corpora.loading import merge, open_corpus
    from serbench.registry import build_registry

    registry = build_registry(circumstances.plugins)
    names, own = name.split("+"), own or {}
    if unknown := sorted(set(names) - set(registry.names("corpus")) - set(own)):
        known = ", ".join(registry.names("corpus"))
        what = f"no adapter is named '{unknown[0]}', and no suite file says how to read it"
        raise CorpusError(what, hint=f"name its suite by the file (SUITE.yaml); corpora with an adapter: {known}")
    options = cell.corpus_options if cell else {}
    specs = [own.get(one) or registry.get("corpus", one) for one in names]
    corpora = [open_corpus(spec, circumstances, options=options.get(spec.name, {})) for spec in specs]
    labels = cell.labels if cell else resolve_labels("native", [corpus.spec for corpus in corpora])
    table = apply_labels(merge(corpora), labels)
    if cell and cell.excluded:
        table = table[~table["id"].isin(cell.excluded)].reset_index(drop=True)
    return CorpusView(name, table, tuple(labels["labels"]), circumstances, choices or {})
