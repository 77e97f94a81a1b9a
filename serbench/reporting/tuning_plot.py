"""Figures of a row's searches: history and parameter importances, drawn by Optuna from the recorded trials."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING, Any

from serbench.errors import ResultsError, UsageError
from serbench.records import atomic_path

if TYPE_CHECKING:
    import optuna
    import pandas as pd
    from matplotlib.axes import Axes
    from optuna.distributions import BaseDistribution
    from optuna.trial import FrozenTrial

FORMATS = ("png", "pdf", "svg")


def rebuild_study(tuning: Mapping[str, Any], name: str) -> optuna.Study:
    """Make an Optuna study of the finished trials in a record.

    Parameters
    ----------
    tuning : mapping
        `Record.tuning`. Values outside their range (defaults that the space does not hold) are left out.
    """
    return _study(name, [_frozen(trial, tuning["space"]) for trial in tuning["trials"]])


def plot_tuning(cells: pd.DataFrame, folder: Path, style: str = "png") -> list[Path]:
    """Draw history and parameter importances of a row's searches and return the paths of the two files.

    The history shows the search of each fold. Importances (Optuna's default, PED-ANOVA: Watanabe, Bansal and Hutter
    2023) need more trials than one fold has: they are judged over the complete trials of all folds, the values of each
    fold centred on its mean. Where no two trials differ in a
    parameter there is nothing to judge, and no second file.

    Parameters
    ----------
    cells : DataFrame
        Cells of one row, from `find_cells`.
    folder : Path
    style : {"png", "pdf", "svg"}

    Raises
    ------
    UsageError
        For another format.
    ResultsError
        If no fold of the row has a finished search.
    """
    if style not in FORMATS:
        raise UsageError(f"unknown format '{style}'", where="--format", hint=f"one of: {', '.join(FORMATS)}")
    done = cells[cells["status"] == "ok"].sort_values(["seed", "fold"])
    searches = {f"fold {item.fold}, seed {item.seed}": item.record.tuning for item in done.itertuples()}
    searches = {name: tuning for name, tuning in searches.items() if tuning}
    if not searches:
        raise ResultsError(
            "no finished search in this row",
            hint="`serbench run SUITE --trials 30` adds tuned rows: name one of them",
        )
    row = done["row"].iloc[0]
    title = " · ".join(str(done[name].iloc[0]) for name in ("suite", "corpus", "protocol", "features", "model"))
    drawn = {"history": lambda: _history(searches), "importances": lambda: _importances(searches)}
    paths = [_draw(draw, title, folder / f"tuning-{row}-{name}.{style}") for name, draw in drawn.items()]
    return [path for path in paths if path is not None]


def _draw(draw: Callable[[], Axes | None], title: str, path: Path) -> Path | None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from optuna.exceptions import ExperimentalWarning

    # Optuna's figures change matplotlib's settings for good.
    with plt.rc_context(), warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        axes = draw()
        if axes is None:
            return None
        named = axes.get_title(loc="left") or axes.get_title()
        axes.set_title("")
        axes.set_title(f"{named}\n{title}", loc="left", fontsize=9)
        axes.figure.set_size_inches(9, 5)
        with atomic_path(path) as temporary:
            axes.figure.savefig(temporary, format=path.suffix[1:], dpi=150, bbox_inches="tight")
        plt.close(axes.figure)
    return path


def _history(searches: Mapping[str, Mapping[str, Any]]) -> Axes:
    from optuna.visualization.matplotlib import plot_optimization_history

    studies = [rebuild_study(tuning, name) for name, tuning in searches.items()]
    return plot_optimization_history(studies if len(studies) > 1 else studies[0], target_name="inner UAR")


def pooled_study(searches: Mapping[str, Mapping[str, Any]]) -> optuna.Study | None:
    """One study of the complete trials of all searches, the values of each centred on its mean.

    Returns
    -------
    Study or None
        None where there is nothing to judge: no two trials differ in a parameter, or none in value.
    """
    pooled = []
    for tuning in searches.values():
        complete = [trial for trial in tuning["trials"] if trial["state"] == "complete"]
        centre = mean(trial["value"] for trial in complete)
        pooled += [_frozen({**trial, "value": trial["value"] - centre}, tuning["space"]) for trial in complete]
    varied = {name for trial in pooled for name in trial.params if trial.params[name] != pooled[0].params.get(name)}
    if not varied or len({trial.value for trial in pooled}) < 2:
        return None
    return _study("all folds", pooled)


def _importances(searches: Mapping[str, Mapping[str, Any]]) -> Axes | None:
    from optuna.visualization.matplotlib import plot_param_importances

    study = pooled_study(searches)
    return None if study is None else plot_param_importances(study, target_name="inner UAR")


def _study(name: str, trials: Sequence[FrozenTrial]) -> optuna.Study:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(study_name=name, direction="maximize")
    study.add_trials(trials)
    return study


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
