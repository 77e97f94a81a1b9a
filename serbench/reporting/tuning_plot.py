"""Figures of a row's searches: history and parameter importances, drawn by Optuna from the recorded trials."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from serbench.errors import ResultsError
from serbench.records import atomic_path

if TYPE_CHECKING:
    import optuna
    import pandas as pd

STATES = {"complete": "COMPLETE", "pruned": "PRUNED", "fail": "FAIL"}
FORMATS = (".png", ".pdf", ".svg")


def rebuild_study(tuning: Mapping[str, Any], name: str, shift: float = 0.0) -> optuna.Study:
    """Make an Optuna study of a record's trials.

    Parameters
    ----------
    tuning : mapping
        `Record.tuning`.
    shift : float
        Added to every value, so that searches of several folds can be laid over one another.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(study_name=name, direction="maximize")
    for trial in _frozen(tuning, shift):
        study.add_trial(trial)
    return study


def plot_tuning(cells: pd.DataFrame, path: Path) -> Path:
    """Draw history and importances of a row's searches into one file and return its path.

    The history shows each fold's own search. Importances (fANOVA, Hutter, Hoos and Leyton-Brown 2014, over the
    complete trials and the parameters that they share) need more trials than one fold has: they are judged over
    all folds, the values of each centred on its mean.

    Parameters
    ----------
    cells : DataFrame
        Cells of one row, from `find_cells`.
    path : Path
        PNG, PDF or SVG.

    Raises
    ------
    ResultsError
        If the row has no finished search.
    """
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    path = Path(path)
    if path.suffix not in FORMATS:
        raise ResultsError(f"cannot draw a '{path.suffix}' file", where=str(path), hint=f"one of {', '.join(FORMATS)}")
    done = cells[cells["status"] == "ok"].sort_values(["seed", "fold"])
    searches = {f"fold {item.fold}": item.record.tuning for item in done.itertuples() if item.record.tuning}
    if not searches:
        raise ResultsError("this row was not tuned, or no fold of it is done", hint="`serbench run SUITE --trials 30`")
    figures = [_history(searches), _importances(searches)]
    first = done.iloc[0]
    title = f"{first['suite']} · {first['corpus']} · {first['protocol']} · {first['features']} · {first['model']}"
    with atomic_path(path) as temporary:
        _side_by_side([figure for figure in figures if figure is not None], title, temporary, path.suffix[1:])
    plt.close("all")
    return path
