"""What a paper table is before it is written in some format."""

from __future__ import annotations

import math
from dataclasses import dataclass

MISSING = "–"


@dataclass(frozen=True)
class Column:
    """A column: its name, the group that heads it (a protocol, a corpus), and whether it holds words.

    `parts` are the suffixes of its numbers where a cell holds several, e.g. an estimate and its bounds.
    """

    name: str
    group: str = ""
    words: bool = False
    parts: tuple[str, ...] = ("",)


@dataclass(frozen=True)
class Entry:
    """A cell: its text, its numbers (one per part of the column; empty for words), bold, and a mark after it."""

    text: str
    numbers: tuple[float | None, ...] = ()
    bold: bool = False
    mark: str = ""


@dataclass(frozen=True)
class PaperTable:
    """A table with everything that a reader needs to understand it alone.

    Attributes
    ----------
    caption, label : str
        Caption, and the label by which LaTeX refers to it.
    columns : tuple of Column
    rows : tuple of tuple of Entry
        As long as `columns` each.
    notes : tuple of str
        Below the table: units, intervals, marks.
    """

    caption: str
    label: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Entry, ...], ...]
    notes: tuple[str, ...] = ()


def number(value: float | None, decimals: int, *, scale: float = 100.0) -> Entry:
    """A cell with one number, as a percentage unless `scale` is 1; a dash where it is undefined."""
    if value is None or not math.isfinite(value):
        return Entry(MISSING, (None,))
    shown = round(scale * value, decimals)
    return Entry(f"{shown:.{decimals}f}", (shown,))


def count(value: int | None) -> Entry:
    """A cell with a whole number."""
    return Entry(MISSING, (None,)) if value is None else Entry(str(int(value)), (int(value),))


def words(text: str) -> Entry:
    """A cell with words."""
    return Entry(text or MISSING)
