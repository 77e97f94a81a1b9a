"""Per-class F1 of every row: which emotions are hard, and for whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from serbench.reporting.figures.canvas import name_rows, new_figure, panels
from serbench.reporting.figures.kind import FigureKind, SuiteView
from serbench.reporting.figures.names import best_rows, cells_of, honest_groups, row_name
from serbench.reporting.papers.details import pooled_confusion
from serbench.scoring.margins import f1, margins

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def draw(view: SuiteView) -> Figure:
    """Draw a heat map of rows × classes for each speaker-independent group."""
    found = [best_rows(title, group) for title, group in honest_groups(view.board)]
    sizes = [len(group) + 3.8 for _, group in found]
    figure = new_figure(0.24 * sum(sizes) + 0.3)
    for axes, (title, group) in zip(panels(figure, sizes), found, strict=True):
        entries = group.to_dict("records")
        pooled = [pooled_confusion(cells_of(view.records, entry)) for entry in entries]
        labels = pooled[0][0]
        values = np.array([f1(margins(confusion)) for _, confusion in pooled])
        order = np.argsort(-np.nan_to_num(np.nanmean(values, axis=0)))
        _heat_map(axes, values[:, order], [labels[place] for place in order], [row_name(entry) for entry in entries])
        axes.set_title(f"{title}\nF1 (%) per class, the easiest class on the left")
    return figure


def _heat_map(axes: Axes, values: np.ndarray, labels: list[str], names: list[str]) -> None:
    import seaborn

    seaborn.heatmap(
        100 * values, ax=axes, cmap="Blues", vmin=0, vmax=100, annot=True, fmt=".0f", annot_kws={"size": 8},
        linewidths=0.6, linecolor="white", cbar=False, xticklabels=labels, yticklabels=False,
    )  # fmt: skip
    name_rows(axes, np.arange(len(names)) + 0.5, names)
    axes.tick_params(axis="x", rotation=0, length=0)
    axes.tick_params(axis="y", rotation=0, length=0)
    axes.grid(False)


CLASSES = FigureKind("classes", "suite", draw, "F1 of every class for every row.")
