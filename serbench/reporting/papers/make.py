"""Make the paper tables of a suite or of a row by the name of their kind."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from serbench.errors import UsageError
from serbench.reporting.enrolment import enrolment_tables
from serbench.reporting.loading import load_predictions
from serbench.reporting.papers.details import class_table, class_text, gender_table, genders_of, speaker_table
from serbench.reporting.papers.results import results_tables
from serbench.reporting.papers.writers import FORMATS, write_paper

if TYPE_CHECKING:
    import pandas as pd

ENROLMENT = "enrolment"
SUITE_KINDS = ("results", "wide", ENROLMENT)
ROW_KINDS = ("per-class", "per-speaker", "per-gender")
TEXT = "text"


def suite_paper(board: pd.DataFrame, kind: str, style: str, *, document: bool = False, **choices: Any) -> str:
    """Text of the results table(s) of a leaderboard.

    Parameters
    ----------
    kind : {"results", "wide"}
    style : str
        latex, md, csv or html.
    document : bool
        A LaTeX document that compiles by itself.
    **choices
        As for `results_tables`.
    """
    _refuse_text(style)
    return write_paper(results_tables(board, wide=kind == "wide", **choices), style, document=document)


def enrolment_paper(
    records: pd.DataFrame, board: pd.DataFrame, style: str, *, document: bool = False, decimals: int = 1
) -> str:
    """Text of the tables of UAR against the utterances heard of a new speaker; formats as in `suite_paper`."""
    _refuse_text(style)
    return write_paper(enrolment_tables(records, board, decimals=decimals), style, document=document)


def row_paper(
    results: Path | str,
    cells: pd.DataFrame,
    kind: str,
    style: str,
    *,
    sort: str = "name",
    document: bool = False,
    **choices: Any,
) -> str:
    """Text of a table of one row.

    Parameters
    ----------
    results : path
        Where the cells' predictions are (they know each speaker's gender).
    cells : DataFrame
        Cells of one row, from `find_cells`.
    kind : {"per-class", "per-speaker", "per-gender"}
    style : str
        latex, md, csv or html; `text` for per-class, in scikit-learn's layout.
    sort : str
        Speakers by `name`, or by `uar` from the worst.
    **choices
        `decimals`, `caption`, `label`.
    """
    if style == TEXT and kind == "per-class":
        return class_text(cells, decimals=choices.get("decimals", 1) + 1)
    _refuse_text(style)
    if kind == "per-class":
        table = class_table(cells, **choices)
    else:
        genders = genders_of(load_predictions(results, cells))
        speakers = kind == "per-speaker"
        table = (
            speaker_table(cells, genders, sort=sort, **choices) if speakers else gender_table(cells, genders, **choices)
        )
    return write_paper([table], style, document=document)


def _refuse_text(style: str) -> None:
    if style == TEXT:
        raise UsageError("only a per-class table comes as text", where="--format", hint=f"one of: {', '.join(FORMATS)}")
