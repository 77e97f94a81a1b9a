"""What a figure is drawn from, and what a kind of figure declares."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from serbench.circumstances import Circumstances


Needs = Literal["", "history", "tuning", "enrolment"]


@dataclass(frozen=True)
class SuiteView:
    """A suite: `records` from `load_records` and its `board` from `leaderboard`."""

    records: pd.DataFrame
    board: pd.DataFrame


@dataclass(frozen=True)
class RowView:
    """A row: the results folder and its `cells` from `find_cells`."""

    results: Path
    cells: pd.DataFrame


@dataclass(frozen=True)
class CorpusView:
    """A corpus that is on this machine.

    Attributes
    ----------
    name : str
    table : DataFrame
        Task table under the labels to show.
    labels : tuple of str
        In the order in which they are reported.
    circumstances : Circumstances
        Where the feature store is.
    choices : mapping
        `utterance` (part of an id), `features` (a vector set), `method` (pca or tsne), where the user chose.
    """

    name: str
    table: pd.DataFrame
    labels: tuple[str, ...]
    circumstances: Circumstances
    choices: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class FigureKind:
    """A kind of figure.

    Attributes
    ----------
    name : str
        As in ``serbench plot NAME``.
    of : {"suite", "row", "corpus"}
        What it shows: `draw` gets the view of that name.
    draw : callable
        ``draw(view) -> Figure``; raises `ResultsError` where there is nothing to show.
    description : str
        What a reader learns from it.
    needs : {"", "history", "tuning", "enrolment"}
        Field of the record that cells must have, in a figure of what trained in epochs, was searched, or enrolled.
    """

    name: str
    of: Literal["suite", "row", "corpus"]
    draw: Callable[[Any], Figure]
    description: str
    needs: Needs = ""
