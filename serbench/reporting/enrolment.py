"""UAR against the utterances heard of a new speaker: the rows of an `enrol` side by side, as curves and as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from serbench.errors import ResultsError
from serbench.identity import canonical_json
from serbench.records.enrolling import ALL, ANY
from serbench.reporting.figures.names import task_name
from serbench.reporting.leaderboard import SPLITTING
from serbench.reporting.papers.results import display_model
from serbench.reporting.papers.table import MISSING, Column, Entry, PaperTable, number, words

if TYPE_CHECKING:
    import pandas as pd

NOTE = (
    "UAR in % with its 95 % interval over speakers and draws; in parentheses the points gained on n = 0. Every n of a "
    "line scores the same utterances; what was heard is never scored. all: all others of the speaker."
)


@dataclass(frozen=True)
class Curve:
    """One model and feature set over the numbers of utterances heard.

    Attributes
    ----------
    task, protocol, name : str
    numbers : list of str
        n, ascending; `all` last.
    uar, low, high : ndarray of shape (numbers,)
        In [0, 1].
    """

    task: str
    protocol: str
    name: str
    numbers: list[str]
    uar: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @property
    def gain(self) -> np.ndarray:
        """UAR above that of n = 0; NaN where the comparison has none."""
        return self.uar - (self.uar[0] if self.numbers[0] == "0" else np.nan)


def enrolment_curves(records: pd.DataFrame, board: pd.DataFrame) -> list[Curve]:
    """The curves of a suite's complete rows, the best at its last n first.

    Rows are of one curve if they differ in nothing but n; n = 0 also begins the curve of a single label.

    Raises
    ------
    ResultsError
        If no row enrols.
    """
    cells = records.drop_duplicates("row").set_index("row")["cell"]
    done = board[board["complete"] & board["enrol"].notna()]
    found: dict[tuple, list[dict[str, Any]]] = {}
    for entry in done.to_dict("records"):
        setting = cells[entry["row"]].enrol
        labels = [setting.get("label", ANY)] if setting["utterances"] else [ANY, *setting["apart"]]
        features = entry["features"].rpartition(" (enrolled")[0]
        for label in dict.fromkeys(labels):
            alike = (*(entry[name] for name in SPLITTING), display_model(entry), features)
            key = (*alike, canonical_json(setting["apart"]), label)
            found.setdefault(key, []).append(entry | {"n": setting["utterances"], "plain": features})
    curves = [_curve(entries, key[-1]) for key, entries in found.items() if len(entries) > 1]
    if not curves:
        raise ResultsError(
            "no rows of different enrolment", hint="give a grid block `enrol: [0, 5, 10]`, and run the suite"
        )
    return sorted(curves, key=lambda curve: (curve.task, curve.protocol, -curve.uar[-1]))


def _curve(entries: Sequence[dict[str, Any]], label: str) -> Curve:
    ordered = sorted(entries, key=lambda entry: np.inf if entry["n"] == ALL else entry["n"])
    first, kind = ordered[0], "" if label == ANY else f" ({label} only)"
    return Curve(
        task=task_name(first),
        protocol=first["protocol"],
        name=f"{display_model(first)} · {first['plain']}{kind}",
        numbers=[str(entry["n"]) for entry in ordered],
        **{name: np.array([entry[column] for entry in ordered]) for name, column in _SCORES.items()},
    )


_SCORES = {"uar": "uar", "low": "uar_low", "high": "uar_high"}


def numbers_of(curves: Sequence[Curve]) -> list[str]:
    """All numbers of some curves, ascending; `all` last."""
    named = {number_ for curve in curves for number_ in curve.numbers}
    return [*sorted(named - {ALL}, key=int), *sorted(named & {ALL})]


def enrolment_tables(records: pd.DataFrame, board: pd.DataFrame, *, decimals: int = 1) -> list[PaperTable]:
    """One table per corpus and protocol: a line a model, a column an n.

    Raises
    ------
    ResultsError
        If no row enrols.
    """
    groups: dict[tuple[str, str], list[Curve]] = {}
    for curve in enrolment_curves(records, board):
        groups.setdefault((curve.task, curve.protocol), []).append(curve)
    tables = []
    for place, ((task, protocol), curves) in enumerate(groups.items()):
        numbers = numbers_of(curves)
        columns = [Column(f"n = {name}", parts=("", " low", " high")) for name in numbers]
        rows = tuple((words(curve.name), *(_entry(curve, name, decimals) for name in numbers)) for curve in curves)
        caption = f"UAR on {task}, {protocol}, after n unlabelled utterances of each new speaker"
        label = f"tab:enrolment{f'-{place + 1}' if place else ''}"
        tables.append(PaperTable(caption, label, (Column("model", words=True), *columns), rows, (NOTE,)))
    return tables


def _entry(curve: Curve, name: str, decimals: int) -> Entry:
    if name not in curve.numbers:
        return Entry(MISSING, (None, None, None))
    at = curve.numbers.index(name)
    shown = [number(float(values[at]), decimals) for values in (curve.uar, curve.low, curve.high)]
    gain = curve.gain[at]
    more = f" ({100 * gain:+.{decimals}f})" if at and np.isfinite(gain) else ""
    text = f"{shown[0].text} [{shown[1].text}–{shown[2].text}]{more}"
    return Entry(text, tuple(value for part in shown for value in part.numbers))
