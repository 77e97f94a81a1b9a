"""Fit time against UAR: what a better score costs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from serbench.errors import ResultsError
from serbench.reporting.figures.canvas import GREY, MARKERS, SEQUENCE, new_figure, panels
from serbench.reporting.figures.kind import FigureKind, SuiteView
from serbench.reporting.figures.names import honest_groups
from serbench.reporting.papers.results import display_model

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def pareto_front(costs: Sequence[float], scores: Sequence[float]) -> list[int]:
    """Positions that no other beats in both cost and score, from the cheapest.

    Examples
    --------
    >>> pareto_front([1.0, 2.0, 3.0], [0.5, 0.4, 0.6])
    [0, 2]
    """
    front: list[int] = []
    for place in sorted(range(len(costs)), key=lambda place: (costs[place], -scores[place])):
        if not front or scores[place] > scores[front[-1]]:
            front.append(place)
    return front


def draw(view: SuiteView) -> Figure:
    """Draw one panel per speaker-independent group."""
    found = []
    for title, group in honest_groups(view.board):
        timed = group[group["complete"] & (group["fit_seconds"] > 0)]
        if len(timed):
            found.append((title, timed))
    if not found:
        raise ResultsError("no complete row with a fit time", hint="run the suite to its end")
    figure = new_figure(3.4 * len(found) + 0.2)
    for axes, (title, group) in zip(panels(figure, [1.0] * len(found)), found, strict=True):
        _draw_group(axes, group)
        axes.set_title(title)
    return figure


def _draw_group(axes: Axes, group: pd.DataFrame) -> None:
    entries = group.to_dict("records")
    costs, scores = group["fit_seconds"].to_numpy(dtype=float), 100 * group["uar"].to_numpy(dtype=float)
    front = pareto_front(list(costs), list(scores))
    axes.step(
        costs[front], scores[front], where="post", color=GREY, lw=1.2, ls="--", zorder=1, label="best for its cost"
    )
    sets = sorted(set(group["features"]))
    for number, name in enumerate(sets):
        chosen = (group["features"] == name).to_numpy()
        colour, marker = SEQUENCE[number % len(SEQUENCE)], MARKERS[number % len(MARKERS)]
        axes.plot(costs[chosen], scores[chosen], marker, color=colour, ms=6, label=name)
    for step, place in enumerate(front):
        # The front climbs to the right: above-left and below-right of its points there is room, taken in turn.
        above = step % 2 == 0
        axes.annotate(
            display_model(entries[place]), (costs[place], scores[place]), xytext=(-5, 5) if above else (5, -12),
            textcoords="offset points", ha="right" if above else "left", fontsize=7.5, fontweight="bold",
        )  # fmt: skip
    axes.set_xscale("log")
    axes.margins(x=0.2, y=0.15)
    axes.set(xlabel="mean fit time of a fold (s, logarithmic)", ylabel="UAR (%)")
    axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), title="features", title_fontsize=8, alignment="left")


COST = FigureKind("cost", "suite", draw, "Fit time against UAR, with the rows that are best for their cost.")
