"""Leaderboard as a dot plot: UAR with its interval, one panel per corpus and protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from serbench.reporting.figures.canvas import (
    STANDING_COLOURS,
    STANDING_MARKERS,
    name_rows,
    new_figure,
    panels,
    plain_grid,
)
from serbench.reporting.figures.kind import FigureKind, SuiteView
from serbench.reporting.figures.names import best_rows, cells_of, groups, row_name

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def draw(view: SuiteView) -> Figure:
    """Draw all groups of a leaderboard below one another."""
    found = [best_rows(title, group) for title, group in groups(view.board)]
    sizes = [len(group) + 2.2 for _, group in found]
    figure = new_figure(0.2 * sum(sizes) + 0.5)
    every = panels(figure, sizes)
    for axes, (title, group) in zip(every, found, strict=True):
        labels = cells_of(view.records, group.iloc[0])["cell"].iloc[0].labels["labels"]
        draw_group(axes, title, group, chance=100 / len(labels))
        axes.set_xlim(0, 100)
        if axes is not every[-1]:
            axes.tick_params(labelbottom=False)
    every[-1].set_xlabel("UAR (%), with its 95 % interval; dashed: chance; hollow: not all folds done")
    return figure


def draw_group(axes: Axes, title: str, group: pd.DataFrame, *, chance: float) -> None:
    """Draw the rows of one group, the best on top."""
    places = np.arange(len(group))[::-1]
    for place, entry in zip(places, group.to_dict("records"), strict=True):
        colour, value = STANDING_COLOURS[entry["standing"]], 100 * entry["uar"]
        if np.isfinite(entry["uar_low"]):
            axes.plot(
                [100 * entry["uar_low"], 100 * entry["uar_high"]], [place, place], color=colour, lw=1.6, alpha=0.6
            )
        face = colour if entry["complete"] else "white"
        axes.plot(value, place, STANDING_MARKERS[entry["standing"]], color=colour, mfc=face, ms=5)
        axes.annotate(f"{value:.1f}", (101, place), va="center", fontsize=7.5, annotation_clip=False)
    axes.axvline(chance, color="#888888", lw=0.9, ls="--")
    name_rows(axes, places, [row_name(entry) for entry in group.to_dict("records")])
    axes.set_ylim(-0.7, len(group) - 0.3)
    axes.set_title(title)
    plain_grid(axes)


LEADERBOARD = FigureKind("leaderboard", "suite", draw, "Every row's UAR with its interval, by corpus and protocol.")
