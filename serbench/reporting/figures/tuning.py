"""What a search found: best value so far over its trials, and which parameters mattered."""

from __future__ import annotations

import json
from collections.abc import Mapping
from statistics import mean
from typing import TYPE_CHECKING, Any

import numpy as np

from serbench.errors import ResultsError
from serbench.reporting.figures.canvas import BLUE, SEQUENCE, new_figure, plain_grid
from serbench.reporting.figures.kind import FigureKind, RowView
from serbench.reporting.papers.details import row_title

if TYPE_CHECKING:
    import optuna
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from optuna.distributions import BaseDistribution
    from optuna.trial import FrozenTrial


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


def pooled_study(searches: Mapping[str, Mapping[str, Any]]) -> optuna.Study | None:
    """One study of the complete trials of all searches, the values of each centred on its mean.

    Importances (Optuna's default, PED-ANOVA: Watanabe, Bansal and Hutter 2023) need more trials than one fold has. A
    parameter value outside its range (a default that the space does not hold) is left out of its trial.

    Parameters
    ----------
    searches : mapping
        `Record.tuning` of each fold, by its name.

    Returns
    -------
    Study or None
        None where there is nothing to judge: no two trials differ in a parameter, or none in value.
    """
    import optuna

    pooled = []
    for tuning in searches.values():
        complete = [trial for trial in tuning["trials"] if trial["state"] == "complete"]
        centre = mean(trial["value"] for trial in complete)
        pooled += [_frozen({**trial, "value": trial["value"] - centre}, tuning["space"]) for trial in complete]
    varied = {name for trial in pooled for name in trial.params if trial.params[name] != pooled[0].params.get(name)}
    if not varied or len({trial.value for trial in pooled}) < 2:
        return None
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(study_name="all folds", direction="maximize")
    study.add_trials(pooled)
    return study


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


def _frozen(trial: Mapping[str, Any], space: Mapping[str, Any]) -> FrozenTrial:
    from optuna.distributions import json_to_distribution
    from optuna.trial import TrialState, create_trial

    ranges = {name: json_to_distribution(json.dumps(space[name])) for name in trial["params"] if name in space}
    held = {name: values for name, values in ranges.items() if _holds(values, trial["params"][name])}
    return create_trial(
        state=TrialState[trial["state"].upper()],
        value=trial["value"],
        params={name: trial["params"][name] for name in held},
        distributions=held,
    )


def _holds(values: BaseDistribution, value: Any) -> bool:
    from optuna.trial import create_trial

    try:
        create_trial(params={"x": value}, distributions={"x": values}, value=0.0)
    except (ValueError, TypeError):
        return False
    return True


TUNING = FigureKind(
    "tuning",
    "row",
    draw,
    "How the searches of a tuned row went, and which parameters mattered.",
    needs="tuning",
)
