"""Confusion matrix: which emotions are taken for which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from serbench.reporting.figures.canvas import WIDTH, new_figure
from serbench.reporting.figures.kind import FigureKind, RowView
from serbench.reporting.papers.details import pooled_confusion, row_title

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def draw(view: RowView) -> Figure:
    """Draw a row's confusion matrix, pooled over folds."""
    labels, confusion = pooled_confusion(view.cells)
    return draw_confusion(labels, confusion, row_title(view.cells))


def draw_confusion(labels: Sequence[str], confusion: np.ndarray, title: str) -> Figure:
    """Counts beside shares of the true class, in the order of the label list.

    Parameters
    ----------
    labels : sequence of str, length K
    confusion : ndarray of int, shape (K, K)
        Rows are the truth.
    title : str
    """
    shares, side = _shares(confusion), max(2.2, 0.42 * len(labels))
    figure = new_figure(side + 1.8, width=max(WIDTH, 2 * side + 1.8))
    figure.suptitle(title, fontsize=9, fontweight="bold", x=0.01, ha="left")
    counts, recalls = figure.subplots(1, 2, sharey=True)
    _matrix(counts, confusion, shares, labels, "{:d}", "utterances")
    _matrix(recalls, np.round(100 * shares), shares, labels, "{:.0f}", "% of the true class (recall on the diagonal)")
    return figure


def draw_counts(labels: Sequence[str], confusion: np.ndarray, title: str) -> Figure:
    """The counts alone, as `draw_confusion`, for pictures made by the hundred.

    Margins are computed: a layout engine draws everything twice.
    """
    side, longest = max(2.2, 0.42 * len(labels)), 0.075 * max(map(len, labels))
    width, height = side + longest + 1.0, side + longest + 1.2
    figure = new_figure(height, width=width, layout=None)
    figure.suptitle(title, fontsize=9, fontweight="bold", x=0.01, ha="left")
    axes = figure.add_axes(((longest + 0.6) / width, (longest + 0.6) / height, side / width, side / height))
    _matrix(axes, confusion, _shares(confusion), labels, "{:d}", "utterances")
    return figure


def _shares(confusion: np.ndarray) -> np.ndarray:
    support = confusion.sum(axis=1, keepdims=True)
    return np.divide(confusion, support, out=np.full(confusion.shape, np.nan), where=support > 0)


def _matrix(axes: Axes, values: np.ndarray, shares: np.ndarray, labels: Sequence[str], form: str, title: str) -> None:
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="equal")
    for row, column in np.ndindex(*values.shape):
        value, share = values[row, column], shares[row, column]
        text = "–" if np.isnan(share) else form.format(value)
        colour = "white" if share > 0.55 else "#999999" if not value or np.isnan(share) else "black"
        axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=8)
    axes.set_xticks(range(len(labels)), labels, rotation=40, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(labels)), labels)
    axes.set_xlabel("predicted emotion")
    if axes.get_subplotspec() is None or axes.get_subplotspec().is_first_col():
        axes.set_ylabel("true emotion")
    axes.set_title(title, fontweight="normal", loc="center")
    axes.grid(False)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


CONFUSION = FigureKind("confusion", "row", draw, "Which emotions are taken for which: counts and shares.")
