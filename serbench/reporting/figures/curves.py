"""Training and validation curves of a deep row: whether it learned, and when it began to overfit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from serbench.errors import ResultsError
from serbench.reporting.figures.canvas import BLUE, ORANGE, new_figure
from serbench.reporting.figures.kind import FigureKind, RowView
from serbench.reporting.papers.details import row_title

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

VALIDATION = "val_"
UNITS = {"loss": "cross-entropy (nats)", "accuracy": "accuracy (%)", "uar": "UAR (%)"}


def histories(cells: pd.DataFrame) -> list[dict[str, list[float]]]:
    """Epoch curves of each finished fold that has some.

    Raises
    ------
    ResultsError
        If none has.
    """
    done = cells[cells["status"] == "ok"]
    found = [dict(record.history) for record in done["record"] if record.history]
    if not found:
        raise ResultsError(
            "no epoch curves in this row", where=row_title(cells), hint="only deep models train in epochs"
        )
    return found


def mean_curve(curves: Sequence[Sequence[float]]) -> np.ndarray:
    """Mean over the folds that still train at each epoch; folds stop at different ones."""
    longest = max(map(len, curves))
    padded = np.full((len(curves), longest), np.nan)
    for number, curve in enumerate(curves):
        padded[number, : len(curve)] = curve
    return np.nanmean(padded, axis=0)


def draw(view: RowView) -> Figure:
    """Draw loss and scores over epochs: folds as thin lines, their mean as a thick one."""
    found = histories(view.cells)
    names = [name for name in UNITS if any(name in history for history in found)]
    figure = new_figure(2.9, width=3.0 * len(names) + 0.6)
    figure.suptitle(f"{row_title(view.cells)}: {len(found)} folds", fontsize=9, fontweight="bold", x=0.01, ha="left")
    every = np.atleast_1d(figure.subplots(1, len(names)))
    for axes, name in zip(every, names, strict=True):
        for prefix, colour, label in (("", BLUE, "training"), (VALIDATION, ORANGE, "validation")):
            _curves(axes, [h[prefix + name] for h in found if h.get(prefix + name)], colour, label, name)
        axes.set_xlabel("epoch")
        axes.set_ylabel(UNITS[name])
        axes.set_title(name.upper() if name == "uar" else name)
        if name != "loss":
            axes.set_ylim(0, 100)
    every[0].legend(title="mean of folds", title_fontsize=8)
    return figure


def _curves(axes: Axes, curves: list[list[float]], colour: str, label: str, name: str) -> None:
    if not curves:
        return
    scale = 1 if name == "loss" else 100
    style = "-" if label == "training" else "--"
    for curve in curves:
        axes.plot(np.arange(1, len(curve) + 1), scale * np.asarray(curve), style, color=colour, lw=0.6, alpha=0.35)
    mean = mean_curve(curves)
    axes.plot(np.arange(1, len(mean) + 1), scale * mean, style, color=colour, lw=2, label=label)


CURVES = FigureKind(
    "curves",
    "row",
    draw,
    "Loss, accuracy and UAR over epochs, training against validation.",
    needs="history",
)
