"""What a search found: best value so far over its trials, and which parameters mattered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from serbench.errors import ResultsError
from serbench.reporting.figures.canvas import BLUE, SEQUENCE, new_figure, plain_grid
from serbench.reporting.figures.kind import FigureKind, RowView
from serbench.reporting.papers.details import row_title
from serbench.reporting.tuning_plot import pooled_study

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def draw(view: RowView) -> Figure:
    """Draw the history of each fold's search, and the importances over the trials of all folds."""
    done = view.cells[view.cells["status"] == "ok"].sort_values(["seed", "fold"])
    searches = {f"fold {item.fold}, seed {item.seed}": item.record.tuning for item in done.itertuples()}
    searches = {name: tuning for name, tuning in searches.items() if tuning}
    if not searches:
        hint = "`serbench run SUITE --trials 30` adds tuned rows; choose one of them"
        raise ResultsError("no finished search in this row", where=row_title(view.cells), hint=hint)
    study = pooled_study(searches)
    figure = new_figure(3.0)
    figure.suptitle(row_title(view.cells), fontsize=9, fontweight="bold", x=0.01, ha="left")
    every = figure.subplots(1, 2 if study else 1, width_ratios=[3, 2] if study else None)
    history = every[0] if study else every
    _history(history, searches)
    if study:
        _importances(every[1], study)
    return figure


def _history(axes: Axes, searches: Mapping[str, Mapping[str, Any]]) -> None:
    for number, (name, tuning) in enumerate(searches.items()):
        complete = [trial for trial in tuning["trials"] if trial["state"] == "complete"]
        numbers = [trial["number"] for trial in complete]
        values = 100 * np.array([trial["value"] for trial in complete])
        colour = SEQUENCE[number % len(SEQUENCE)]
        axes.plot(numbers, values, "o", color=colour, ms=2.8, alpha=0.5)
        axes.step(numbers, np.maximum.accumulate(values), where="post", color=colour, lw=1.5, label=name)
    axes.set(xlabel="trial (0: the defaults)", ylabel="inner UAR (%)", title="best so far (line) and trials (dots)")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.legend(fontsize=7, ncols=2 if len(searches) > 6 else 1)


def _importances(axes: Axes, study: Any) -> None:
    import warnings

    from optuna.exceptions import ExperimentalWarning
    from optuna.importance import get_param_importances

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        found = get_param_importances(study)
    names = list(found)[::-1]
    axes.barh(names, [found[name] for name in names], color=BLUE, height=0.6)
    axes.set(xlabel="share of the variance of inner UAR", title="importance of parameters", xlim=(0, 1))
    plain_grid(axes)


TUNING = FigureKind(
    "tuning",
    "row",
    draw,
    "How the searches of a tuned row went, and which parameters mattered.",
    needs="tuning",
)
