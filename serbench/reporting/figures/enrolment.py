"""How the UAR grows with what was heard of a new speaker: a line a model, with intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from serbench.reporting.enrolment import Curve, enrolment_curves, numbers_of
from serbench.reporting.figures.canvas import MARKERS, SEQUENCE, new_figure, panels, plain_grid
from serbench.reporting.figures.kind import FigureKind, SuiteView

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Lines of one panel stand side by side, so that their intervals can be told apart.
APART = 0.07


def draw(view: SuiteView) -> Figure:
    """Draw a panel for each corpus and protocol.

    Raises
    ------
    ResultsError
        If no row enrols.
    """
    groups: dict[tuple[str, str], list[Curve]] = {}
    for curve in enrolment_curves(view.records, view.board):
        groups.setdefault((curve.task, curve.protocol), []).append(curve)
    figure = new_figure(3.2 * len(groups))
    for axes, ((task, protocol), curves) in zip(panels(figure, [1.0] * len(groups)), groups.items(), strict=True):
        _panel(axes, curves[: len(SEQUENCE)])
        axes.set_title(f"{task}, {protocol}: UAR after hearing a new speaker, without labels")
    return figure


def _panel(axes: Axes, curves: list[Curve]) -> None:
    numbers = numbers_of(curves)
    for place, curve in enumerate(curves):
        at = [numbers.index(name) + APART * (place - (len(curves) - 1) / 2) for name in curve.numbers]
        reach = [100 * (curve.uar - curve.low), 100 * (curve.high - curve.uar)]
        axes.errorbar(
            at, 100 * curve.uar, yerr=reach, color=SEQUENCE[place], marker=MARKERS[place], ms=5, lw=1.5, elinewidth=0.8,
            capsize=2, label=curve.name,
        )  # fmt: skip
    axes.set_xticks(range(len(numbers)), numbers)
    axes.set_xlabel("unlabelled utterances heard of the speaker (n)")
    axes.set_ylabel("UAR (%), 95 % interval")
    plain_grid(axes, "y")
    axes.legend(loc="upper left")


ENROLMENT = FigureKind(
    "enrolment",
    "suite",
    draw,
    "UAR against the unlabelled utterances heard of a new speaker, with intervals, a line for each model.",
    needs="enrolment",
)
