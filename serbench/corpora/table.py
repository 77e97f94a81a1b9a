"""The utterance table: its columns, its rules, its fingerprint."""

from __future__ import annotations

import pandas as pd

from serbench.errors import CorpusError
from serbench.identity import content_id

REQUIRED = ("utterance", "path", "label")
OPTIONAL = ("speaker", "gender", "text", "intensity", "take", "official_fold")
COLUMNS = (
    "id",
    "corpus",
    "utterance",
    "path",
    "speaker",
    "label",
    "gender",
    "text",
    "intensity",
    "take",
    "official_fold",
    "duration",
    "content",
    "nickname",
)


def validate_table(table: pd.DataFrame, *, where: str) -> pd.DataFrame:
    """Check a raw utterance table and return it with every optional column, as text.

    Parameters
    ----------
    table : DataFrame
        Columns `utterance`, `path`, `label`; optional ones and any further columns are kept.
    where : str
        Corpus or file that an error names.

    Raises
    ------
    CorpusError
        For a missing column, a doubled utterance id, an empty id, path or label; all are listed.
    """
    if absent := [name for name in REQUIRED if name not in table.columns]:
        raise CorpusError(
            f"the utterance table lacks {_listed(absent)}; it has {_listed(table.columns)}",
            where=where,
            hint=f"required: {', '.join(REQUIRED)}; optional: {', '.join(OPTIONAL)}",
        )
    table = table.reset_index(drop=True)
    for name in (*REQUIRED, *OPTIONAL):
        table[name] = _as_text(table[name]) if name in table.columns else ""
    for name in REQUIRED:
        if (empty := table[name] == "").any():
            rows = _listed(str(row + 1) for row in table.index[empty])
            raise CorpusError(
                f"empty {name} in {int(empty.sum())} rows: {rows}", where=where, hint="fill or remove them"
            )
    doubled = table["utterance"][table["utterance"].duplicated()].unique()
    if len(doubled):
        raise CorpusError(
            f"duplicate utterance ids: {_listed(doubled)}", where=where, hint="every utterance needs an id of its own"
        )
    genders = sorted(set(table["gender"]) - {"f", "m", ""})
    if genders:
        raise CorpusError(f"unknown gender: {_listed(genders)}", where=where, hint='write "f", "m" or leave it empty')
    return table


def fingerprint(table: pd.DataFrame) -> str:
    """Identify what a task table holds: audio by content, and every column but where the files are.

    Row order and file locations do not matter.
    """
    # Of a corpus that has no nickname, results from before there was this column stay valid.
    unnamed = set() if "nickname" in table and (table["nickname"] != "").any() else {"nickname"}
    columns = sorted(set(table.columns) - {"path", "duration"} - unnamed)
    ordered = table.sort_values("id")
    return content_id([columns, *(ordered[name].astype(str).tolist() for name in columns)])


def _as_text(column: pd.Series) -> pd.Series:
    # A CSV reader turns "01" with gaps into 1.0; whole numbers are written without the point.
    if pd.api.types.is_float_dtype(column) and (column.dropna() % 1 == 0).all():
        column = column.astype("Int64")
    return column.astype("object").where(column.notna(), "").map(lambda value: str(value).strip()).astype("str")


def _listed(names, limit: int = 10) -> str:
    names = [str(name) for name in names]
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more
