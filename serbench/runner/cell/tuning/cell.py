"""Tune one cell: from its job to the parameters for the final fit and the record of the search."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from serbench.features.matrix import FeatureMatrix
from serbench.protocols.inner import inner_folds
from serbench.records import INNER_FOLDS, feature_choices
from serbench.runner.cell.copies import followed_by_copies
from serbench.runner.cell.inputs import read_matrix
from serbench.runner.cell.jobs import CellJob, without_nicknames
from serbench.runner.cell.tuning.journal import Journal, journal_path
from serbench.runner.cell.tuning.objective import Objective
from serbench.runner.cell.tuning.search import FEATURES, FOUND, REASON, SEARCHED, Search, best_of, run_search
from serbench.specs import ModelSpec

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

# A single inner fold holds a quarter of the training part out.
SINGLE = 4


@dataclass(frozen=True)
class Tuned:
    """What a search has chosen.

    Attributes
    ----------
    params : dict
        Complete parameters for the final fit.
    matrix : FeatureMatrix
        The chosen features of all utterances.
    features : tuple of mapping
        The chosen sets, as in `Cell.features`.
    record : dict
        `Record.tuning`.
    """

    params: dict[str, Any]
    matrix: FeatureMatrix
    features: tuple[Mapping[str, Any], ...]
    record: dict[str, Any]


def tune_cell(job: CellJob, spec: ModelSpec, table: pd.DataFrame) -> Tuned:
    """Search inside a cell's training part.

    Parameters
    ----------
    table : DataFrame
        The whole task table; rows of the test part are dropped before anything else.

    Raises
    ------
    TuningError
        If the search cannot be made; the cell fails with its reason.
    """
    tuning = job.cell.tuning
    choices = feature_choices(job.cell.tuning, job.cell.features)
    matrices = [read_matrix(job.task_file, replace(job.cell, features=sets), job.circumstances) for sets in choices]
    rows = table.iloc[job.train].reset_index(drop=True)
    folds, level = _folds(rows, job, int(tuning.get("inner", INNER_FOLDS)))
    if job.cell.augment and not job.mistake.splits_copies:
        # Copies follow their parents: into the fits, never among what judges them.
        rows, folds = _with_copies(table, job.train, folds)
    objective = Objective(
        spec=spec,
        rows=rows,
        labels=list(job.cell.labels["labels"]),
        matrices=[matrix.select(rows["id"]) for matrix in matrices],
        folds=folds,
        level=level,
        seed=job.seed(spec.name),
    )
    search = Search(
        cell_id=job.cell.id,
        seed=job.cell.seed,
        sampled=without_nicknames(job.cell, job.nicknames).id,
        trials=tuning["trials"],
        timeout=tuning.get("timeout"),
        fixed={**{name: spec.params[name] for name in tuning.get("fixed", ())}, **job.cell.model["params"]},
        features=[_title(sets) for sets in choices],
        choices=tuning.get("choices", {}),
    )
    trials = run_search(search, objective, _journal(job))
    best = best_of(trials)
    params = {**spec.params, **search.fixed, **best.user_attrs[SEARCHED], **best.user_attrs[FOUND]}
    chosen = search.features.index(best.params.get(FEATURES, search.features[0]))
    return Tuned(params, matrices[chosen], choices[chosen], _record(trials, best, level, len(folds), search.timeout))


def _with_copies(table: pd.DataFrame, train: np.ndarray, folds: list) -> tuple[pd.DataFrame, list]:
    copies = np.setdiff1d(followed_by_copies(table, train), train)
    rows = table.iloc[np.concatenate([train, copies])].reset_index(drop=True)
    return rows, [(followed_by_copies(rows, fit), test) for fit, test in folds]


def _folds(rows: pd.DataFrame, job: CellJob, inner: int):
    folds_due = inner if inner > 1 else SINGLE
    folds, level = inner_folds(rows, job.independence, k=folds_due, seed=job.seed("tuning"))
    return (folds if inner > 1 else folds[:1]), level


def _journal(job: CellJob) -> Journal:
    context = {"fingerprint": job.corpus["fingerprint"], "plugin": job.plugin_hash}
    own = journal_path(job.circumstances.own_folder(job.folder), job.cell.id)
    return Journal(own, job.cell.id, context, anew=job.force, shared=journal_path(job.folder, job.cell.id))


def _title(sets: Sequence[Mapping[str, Any]]) -> str:
    return "+".join(
        entry["name"] + (json.dumps(entry["params"], sort_keys=True) if entry["params"] else "") for entry in sets
    )


def _record(
    trials: Sequence[FrozenTrial], best: FrozenTrial, level: str, folds: int, timeout: float | None
) -> dict[str, Any]:
    from optuna.distributions import distribution_to_json

    space = {name: distribution for trial in trials for name, distribution in trial.distributions.items()}
    return {
        "trials": [_trial(trial) for trial in trials],
        "best": best.number,
        "value": best.value,
        "seconds": round(sum(trial.duration.total_seconds() for trial in trials), 3),
        "inner": level,
        "folds": folds,
        "reproducible": timeout is None,
        "space": {name: json.loads(distribution_to_json(space[name])) for name in sorted(space)},
    }


def _trial(trial: FrozenTrial) -> dict[str, Any]:
    attributes = trial.user_attrs
    features = {FEATURES: trial.params[FEATURES]} if FEATURES in trial.params else {}
    return {
        "number": trial.number,
        "params": {**features, **attributes[SEARCHED], **attributes.get(FOUND, {})},
        "value": trial.value,
        "seconds": round(trial.duration.total_seconds(), 4),
        "state": trial.state.name.lower(),
        **({"reason": attributes[REASON]} if REASON in attributes else {}),
    }
