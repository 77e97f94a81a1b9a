"""What a row's fold-out shows, as small plain data: the page draws it when a reader opens it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from serbench.reporting.figures.curves import VALIDATION, mean_curve
from serbench.reporting.papers.details import class_report, speaker_report
from serbench.reporting.show import row_report

if TYPE_CHECKING:
    import pandas as pd

CURVES = ("loss", "uar", "accuracy")
MOST_POINTS = 40


class Texts:
    """Distinct long texts by number: rows share their environment, labels and corpus, and the page holds each once."""

    def __init__(self) -> None:
        self.values: list[str] = []
        self._numbers: dict[str, int] = {}

    def number(self, text: str) -> int:
        """Position of a text in `values`, where it is put if it is new."""
        if text not in self._numbers:
            self._numbers[text] = len(self.values)
            self.values.append(text)
        return self._numbers[text]


def row_details(
    cells: pd.DataFrame, entry: Mapping[str, Any], genders: Mapping[str, str], texts: Texts
) -> dict[str, Any]:
    """Confusion matrix, classes, speakers, folds, curves, provenance and command of a row.

    Parameters
    ----------
    cells : DataFrame
        Cells of the row.
    entry : mapping
        Its leaderboard entry.
    genders : mapping
        Speaker -> gender.
    texts : Texts
        Takes up the long texts.
    """
    report = row_report(cells, summary=entry)
    found: dict[str, Any] = {
        "labels": texts.number("\n".join(report["labels"])),
        "folds": [_fold(fold) for fold in report["folds"]],
        "about": [[key, texts.number(value)] for key, value in report["provenance"].items()],
        "notes": [texts.number(note) for note in report["notes"]],
        "bad": [[item["fold"], item["status"], texts.number(item["reason"])] for item in report["failures"]],
        "run": report["command"],
    }
    if entry["folds_done"]:
        found["confusion"] = report["confusion"].ravel().tolist()
        found["classes"] = [
            [item["name"], *(_share(item[key]) for key in ("precision", "recall", "f1")), item["support"]]
            for item in class_report(cells)
        ]
        found["speakers"] = [
            [
                item["name"],
                genders.get(item["name"], ""),
                _share(item["uar"]),
                _share(item["accuracy"]),
                item["classes"],
                item["utterances"],
            ]
            for item in speaker_report(cells, genders)
        ]
        found["curves"] = _curves(cells)
    return found


def _fold(fold: Mapping[str, Any]) -> list[Any]:
    seconds = fold.get("seconds", {}).get("fit")
    counts = [fold.get(name, "") for name in ("classes", "utterances", "speakers")]
    shown_seconds = None if seconds is None else float(f"{seconds:.3g}")
    return [
        fold["fold"],
        fold["seed"],
        fold["status"],
        _share(fold["uar"]),
        *counts,
        shown_seconds,
        fold.get("epochs") or None,
        fold["id"],
    ]


def _curves(cells: pd.DataFrame) -> dict[str, Any]:
    histories = [dict(record.history) for record in cells.loc[cells["status"] == "ok", "record"] if record.history]
    if not histories:
        return {}
    longest = max(len(curve) for history in histories for curve in history.values())
    epochs = np.unique(np.linspace(0, longest - 1, min(longest, MOST_POINTS)).round().astype(int))
    found: dict[str, Any] = {"epochs": (epochs + 1).tolist()}
    names = [name for name in CURVES if any(name in history for history in histories)][:2]
    for name in names:
        for key in (name, VALIDATION + name):
            own = [history[key] for history in histories if history.get(key)]
            if own:
                found[key] = {
                    "mean": _points(mean_curve(own), epochs),
                    "folds": [_points(curve, epochs) for curve in own],
                }
    return found


def _points(curve: Sequence[float], epochs: np.ndarray) -> list[float]:
    return [float(f"{curve[epoch]:.3g}") for epoch in epochs if epoch < len(curve) and math.isfinite(curve[epoch])]


def _share(value: float) -> float | None:
    return None if not math.isfinite(value) else round(100 * float(value), 1)
