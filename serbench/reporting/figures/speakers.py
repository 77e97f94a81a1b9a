"""Spread of UAR over speakers: whether a row serves all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from serbench.errors import ResultsError
from serbench.reporting.figures.canvas import BLUE, horizontal_boxes, new_figure, panels
from serbench.reporting.figures.kind import FigureKind, SuiteView
from serbench.reporting.figures.names import best_rows, cells_of, honest_groups, row_name
from serbench.reporting.papers.details import speaker_report

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def draw(view: SuiteView) -> Figure:
    """Draw one box per row over the speakers' UARs, and every speaker as a dot."""
    found = [best_rows(title, group) for title, group in honest_groups(view.board)]
    found = [(title, group[group["speakers"] > 1]) for title, group in found]
    found = [(title, group) for title, group in found if len(group)]
    if not found:
        raise ResultsError("no row with two or more known speakers", hint="the corpus must name its speakers")
    sizes = [len(group) + 2.4 for _, group in found]
    figure = new_figure(0.27 * sum(sizes) + 0.5)
    every = panels(figure, sizes)
    for axes, (title, group) in zip(every, found, strict=True):
        entries = group.to_dict("records")
        scores = [[100 * item["uar"] for item in speaker_report(cells_of(view.records, entry))] for entry in entries]
        _boxes(axes, scores, [row_name(entry) for entry in entries])
        axes.set_title(f"{title}: {int(group['speakers'].max())} speakers")
    every[-1].set_xlabel("UAR of a speaker (%); box: quartiles, line: median, whiskers: within 1.5 × the box")
    return figure


def _boxes(axes: Axes, scores: list[list[float]], names: list[str]) -> None:
    horizontal_boxes(axes, scores, names, outliers=False)
    for place, values in zip(range(len(scores), 0, -1), scores, strict=True):
        axes.plot(values, [place] * len(values), ".", color=BLUE, ms=5, alpha=0.6, mew=0)
    axes.set_xlim(0, 100)


SPEAKERS = FigureKind("speakers", "suite", draw, "How differently a row serves different speakers.")
