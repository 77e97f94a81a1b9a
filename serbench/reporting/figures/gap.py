"""Random against speaker-independent: how much of a score is recognising the speaker."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from serbench.errors import ResultsError
from serbench.protocols.verdict import INDEPENDENT, STANDINGS
from serbench.reporting.figures.canvas import BLUE, GREY, ORANGE, name_rows, new_figure, panels, plain_grid
from serbench.reporting.figures.kind import FigureKind, SuiteView
from serbench.reporting.figures.names import MOST_ROWS, row_name, task_name
from serbench.reporting.leaderboard import finished, grouped
from serbench.reporting.papers.results import ROW, TASK

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

RANDOM = STANDINGS[-1]


def pairs(board: pd.DataFrame) -> dict[tuple[str, str, str], pd.DataFrame]:
    """Rows that are complete under a random and a speaker-independent protocol.

    Returns
    -------
    dict
        (corpus, random protocol, speaker-independent protocol) -> DataFrame with `name`, `random`, `independent` (UAR),
        the best under the speaker-independent one first.
    """
    done = finished(board)
    done = done[done["complete"]]
    found = {}
    for task in grouped(done, TASK):
        honest, random = task[task["standing"] == INDEPENDENT], task[task["standing"] == RANDOM]
        for one, left in random.groupby("protocol", sort=False):
            for other, right in honest.groupby("protocol", sort=False):
                both = right.merge(left[[*ROW, "uar"]], on=list(ROW), suffixes=("", "_random"))
                if both.empty:
                    continue
                frame = both.assign(name=[row_name(entry) for entry in both.to_dict("records")])
                frame = frame.rename(columns={"uar": "independent", "uar_random": "random"})
                key = (task_name(task.iloc[0]), one, other)
                found[key] = frame.sort_values("independent", ascending=False)[["name", "random", "independent"]]
    return found


def draw(view: SuiteView) -> Figure:
    """Draw each pair as two dots joined by a line."""
    found = {key: rows.head(MOST_ROWS) for key, rows in pairs(view.board).items()}
    if not found:
        what = "no row is complete under both a random and a speaker-independent protocol"
        raise ResultsError(what, hint="run the suite under both protocols")
    sizes = [len(rows) + 3.0 for rows in found.values()]
    figure = new_figure(0.22 * sum(sizes) + 0.5)
    every = panels(figure, sizes)
    for axes, ((task, random, independent), rows) in zip(every, found.items(), strict=True):
        _draw_pairs(axes, rows)
        drop = 100 * (rows["random"] - rows["independent"]).mean()
        word = "overstate" if drop > 0 else "understate"
        axes.set_title(f"{task}: random folds {word} UAR by {abs(drop):.0f} points on average", pad=20)
        labels = (f"{independent}: unseen speakers", f"{random}: the same speakers in training and test")
        axes.legend(_handles(labels), labels, loc="lower right", bbox_to_anchor=(1.01, 0.98), ncols=2)
    every[-1].set_xlabel("UAR (%)")
    return figure


def _draw_pairs(axes: Axes, rows: pd.DataFrame) -> None:
    places = np.arange(len(rows))[::-1]
    low, high = 100 * rows["independent"].to_numpy(), 100 * rows["random"].to_numpy()
    axes.hlines(places, low, high, color="#BBBBBB", lw=2.2, zorder=1)
    axes.plot(low, places, "o", color=BLUE, ms=6)
    axes.plot(high, places, "s", color=ORANGE, ms=5.5)
    for place, left, right in zip(places, low, high, strict=True):
        # Beyond the upper mark: inside the gap it would cover both where the gap is small.
        axes.annotate(
            _signed(left - right), (max(left, right), place), (6, 0), textcoords="offset points",
            ha="left", va="center", fontsize=7.5, color=GREY,
        )  # fmt: skip
    name_rows(axes, places, list(rows["name"]))
    axes.set_ylim(-0.7, len(rows) - 0.3)
    axes.set_xlim(0, 100)
    plain_grid(axes)


def _signed(points: float) -> str:
    return f"{points:+.0f}".replace("-", "−") if abs(points) >= 0.5 else "0"


def _handles(labels: tuple[str, str]) -> list[Line2D]:
    from matplotlib.lines import Line2D

    looks = zip(labels, (BLUE, ORANGE), "os", strict=True)
    return [Line2D([], [], color=colour, marker=marker, ls="", label=label) for label, colour, marker in looks]


GAP = FigureKind("gap", "suite", draw, "What random folds add to a score, row by row.")
