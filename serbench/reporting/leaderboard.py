"""The leaderboard: one row per corpus × labels × protocol × features × model × trials × augmentation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from serbench.errors import ResultsError, UnknownName
from serbench.protocols.verdict import STANDINGS
from serbench.reporting.baselines import beat_shortcuts
from serbench.reporting.comparison import predictions_of
from serbench.reporting.rows import describe_row, identity_columns, reading, versions
from serbench.reporting.searches import add_gains
from serbench.scoring.baseline import uar_from_groups
from serbench.scoring.ranks import ALPHA, ranking

if TYPE_CHECKING:
    import pandas as pd

    from serbench.records import Cell

COLUMNS = (
    "rank", "rank_low", "rank_high",
    "row", "suite", "corpus", "labels", "options", "protocol", "speaker_independent", "standing", "verdict",
    "headline", "split_layer", "features_layer", "model_layer", "selection_layer",
    "features", "model", "trials", "tuning", "gain", "augment", "seeds",
    "uar", "uar_low", "uar_high", "uar_spread", "interval_unit", "interval_method", "classes",
    "accuracy", "accuracy_low", "accuracy_high", "macro_f1", "macro_f1_low", "macro_f1_high",
    "weighted_f1", "weighted_f1_low", "weighted_f1_high", "tied_with_best", "optimism", "ever_scored",
    "beats_shortcuts", "folds_done", "folds_planned", "failed", "complete", "utterances", "speakers", "speaker_alone",
    "corpus_note", "fingerprint", "validation", "fit_seconds", "weights", "bytes", "enrol",
    "pretrained", "pretraining_overlap", "source", "reason",
)  # fmt: skip
SPLITTING = ("suite", "corpus", "labels", "options", "protocol")
# Columns of which less is better; names sort in their alphabetical order.
COSTS = frozenset(
    {"fit_seconds", "weights", "bytes", "failed", "rank", "rank_low", "rank_high", "uar_spread", "optimism"}
)


def leaderboard(records: pd.DataFrame, *, corpus: Sequence[str] = (), sort: str = "uar") -> pd.DataFrame:
    """Rank the rows of a suite.

    Rows are ranked within corpus, labels and protocol; speaker-independent protocols come first; incomplete rows come
    last in their group and carry no rank.

    Parameters
    ----------
    records : DataFrame
        From `load_records`; those of several suites may be concatenated.
    corpus : sequence of str
        Keep these corpora; empty keeps all.
    sort : str
        Any column; scores from the highest, costs from the lowest, names alphabetically. Ranks are those of the UAR.

    Returns
    -------
    DataFrame
        Columns `COLUMNS`. `uar` and the other scores are pooled over folds (mean over seeds), each with bounds of a
        95 % interval over `interval_unit`; `fit_seconds` is the mean of a cell, `weights` and `bytes` are the largest
        model's; `gain` is the UAR less that of the untuned row; `tied_with_best`: not distinguishable from the best
        complete row of the group; `rank_low` and `rank_high`: simultaneous 95 % intervals of the ranks (all three
        unknown where that is not testable, as with fewer than six speakers); `optimism`: how much the best row's UAR
        owes to its being chosen on these speakers (see `scoring.ranks`), and
        `ever_scored` the number of rows that were ever scored there, deleted ones included; `speaker_alone`: the UAR
        of an answer that knows nothing but who speaks (`uar_from_groups`), of the corpus. `split_layer`,
        `features_layer`, `model_layer` and `selection_layer` are "audited", "declared: …" or "leaky: …"; `headline` is
        the weakest of the four words. `beats_shortcuts`: see `beat_shortcuts`; `fingerprint`: the start of that of the
        corpus it was run on. `enrol`: what was heard of the test speakers, as in a suite; rows are ranked apart by it.
        `pretrained` and `pretraining_overlap`: see `reporting.pretraining`.

    Raises
    ------
    UnknownName
        For a column or corpus that is not there.

    Examples
    --------
    >>> import pandas as pd
    >>> leaderboard(pd.DataFrame(columns=["corpus", "row"])).empty
    True
    """
    import pandas as pd
    from threadpoolctl import threadpool_limits

    if sort not in COLUMNS:
        raise UnknownName.among("column", sort, COLUMNS, where="--sort")
    records = _of_corpora(records, corpus)
    records = records[records["row"] != ""]
    if records.empty:
        return pd.DataFrame(columns=list(COLUMNS))
    # Products this small only lose time to several threads, above all beside running cells.
    with threadpool_limits(limits=1):
        board = pd.DataFrame(_entries(records))
    board["_standing"] = _standing(board)
    board["_enrol"] = board["enrol"].map(str)
    board["speaker_alone"] = np.nan
    board["tied_with_best"] = pd.array([pd.NA] * len(board), dtype="boolean")
    board["beats_shortcuts"] = pd.array([pd.NA] * len(board), dtype="boolean")
    for column in ("rank", "rank_low", "rank_high"):
        board[column] = pd.array([pd.NA] * len(board), dtype="Int64")
    board["optimism"] = np.nan
    by_row = {name: cells[cells["status"] == "ok"] for name, cells in records.groupby(["suite", "row"], sort=False)}
    for _, group in board.groupby([*SPLITTING, "_standing", "_enrol"], sort=False):
        complete = group[group["complete"]].sort_values(["uar", "row"], ascending=[False, True])
        board.loc[complete.index, "rank"] = np.arange(1, len(complete) + 1)
        answers = [predictions_of(by_row[entry.suite, entry.row]) for entry in complete.itertuples()]
        found = ranking(answers)
        tied = [None if p is None else p >= ALPHA for p in found.p]
        board.loc[complete.index, "tied_with_best"] = pd.array(tied, dtype="boolean")
        for column in ("rank_low", "rank_high"):
            board.loc[complete.index, column] = pd.array(getattr(found, column), dtype="Int64")
        board.loc[complete.index[:1], "optimism"] = found.optimism
        cells = [by_row[entry.suite, entry.row]["cell"].iloc[0] for entry in complete.itertuples()]
        board.loc[complete.index, "beats_shortcuts"] = pd.array(beat_shortcuts(cells, answers), dtype="boolean")
    for _, group in board[board["folds_done"] > 0].groupby(list(SPLITTING[:-1]), sort=False):
        whole = group.loc[group["utterances"].idxmax()]
        board.loc[group.index, "speaker_alone"] = _speaker_alone(by_row[whole["suite"], whole["row"]])
    board["standing"] = board["_standing"].map(dict(enumerate(STANDINGS)))
    return _sorted(board, sort)[list(COLUMNS)].reset_index(drop=True)


def grouped(board: pd.DataFrame, columns: Sequence[str]) -> list[pd.DataFrame]:
    """Rows that agree in some columns, in the order in which they come."""
    if board.empty:
        return []
    key = board[list(columns)].astype(str).agg("|".join, axis=1)
    return [group for _, group in board.groupby(key, sort=False)]


def finished(board: pd.DataFrame) -> pd.DataFrame:
    """Rows with a finished fold.

    Raises
    ------
    ResultsError
        If there are none.
    """
    done = board[board["folds_done"] > 0]
    if done.empty:
        reasons = [reason for reason in board["reason"] if reason]
        what = f"none of {len(board)} rows has a finished fold" + (
            f"; the first reason: {reasons[0]}" if reasons else ""
        )
        raise ResultsError(what, hint="`serbench show ROW` shows what failed; run the suite again")
    return done


def damaged_cells(records: pd.DataFrame) -> list[str]:
    """One line per cell file that cannot be read; such a cell counts as not done."""
    return list(records.loc[records["status"] == "damaged", "reason"])


def _speaker_alone(done: pd.DataFrame) -> float:
    answers = predictions_of(done)
    return uar_from_groups(answers.speakers, answers.truth, len(answers.labels))


def _of_corpora(records: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    if not names:
        return records
    known = set(records["corpus"]) - {""}
    for name in names:
        if name not in known:
            raise UnknownName.among("corpus", name, known, where="--corpus")
    return records[records["corpus"].isin(list(names))]


def _entries(records: pd.DataFrame) -> list[dict]:
    # All rows under one protocol meet the same folds, so the fullest row tells how many there are.
    key = records.groupby(["suite", "corpus", "labels", "protocol"], sort=False, dropna=False).ngroup()
    folds = records["fold"].where(records["status"] != "skipped")
    most = folds.groupby([key, records["row"]]).nunique().groupby(level=0).max()
    rows = [cells for _, cells in records.groupby(["suite", "row"], sort=False)]
    entries = [describe_row(cells, siblings_folds=int(most[key[cells.index[0]]])) for cells in rows]
    cells_of = [cells["cell"].iloc[0] for cells in rows]
    add_gains(entries, rows)
    _tell_readings(entries, cells_of)
    _tell_apart(entries, cells_of)
    return entries


def _tell_readings(entries: list[dict], cells: list[Cell]) -> None:
    # Results of before and after a correction of the suite are not of one corpus.
    found: dict[tuple, set[str]] = {}
    for entry, cell in zip(entries, cells, strict=True):
        found.setdefault((entry["suite"], entry["corpus"]), set()).add(reading(cell))
    for entry, cell in zip(entries, cells, strict=True):
        if len(found[entry["suite"], entry["corpus"]]) > 1:
            entry["options"] = "; ".join(filter(None, [entry["options"], f"read as #{reading(cell)}"]))


def _tell_apart(entries: list[dict], cells: list[Cell]) -> None:
    # Rows of two versions of a model look alike: the versions are shown where they differ.
    alike: dict[tuple, list[int]] = {}
    for number, (entry, cell) in enumerate(zip(entries, cells, strict=True)):
        alike.setdefault((entry["suite"], *map(str, identity_columns(cell).values())), []).append(number)
    for numbers in alike.values():
        marks = [versions(cells[number]) for number in numbers] if len(numbers) > 1 else []
        for column in marks[0] if marks else ():
            if len({mark[column] for mark in marks}) > 1:
                for number, mark in zip(numbers, marks, strict=True):
                    entries[number][column] = f"{entries[number][column]} {mark[column]}".strip()


def _standing(board: pd.DataFrame) -> pd.Series:
    # A row without a finished cell stands beside those under the same protocol.
    own = board["standing"].map(STANDINGS.index, na_action="ignore").astype("Int64")
    siblings = own.groupby([board[name] for name in SPLITTING]).transform("min")
    return own.fillna(siblings).fillna(len(STANDINGS) - 1).astype(int)


def _sorted(board: pd.DataFrame, column: str) -> pd.DataFrame:
    keyed = board.assign(_incomplete=~board["complete"], _seeds=board["seeds"].map(str))
    by = "_seeds" if column == "seeds" else column
    upward = column in COSTS or not _is_number(board[column])
    order = ["suite", "corpus", "labels", "options", "_standing", "protocol", "_incomplete", by, "row"]
    ascending = [*[True] * 7, upward, True]
    return keyed.sort_values(order, ascending=ascending, na_position="last", kind="stable")


def _is_number(values: pd.Series) -> bool:
    return values.dtype.kind in "fiubI"
