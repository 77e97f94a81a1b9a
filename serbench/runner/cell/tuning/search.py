"""The search within one outer fold: the defaults, then what a seeded sampler proposes; weak trials are given up.

A trial depends on the cell, on its number and on the finished trials before it, and on nothing else: Optuna keeps no
state of samplers and pruners, so each trial gets new ones, and a resumed search is like an undisturbed one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from serbench.errors import TuningError
from serbench.identity import seed_for
from serbench.runner.cell.tuning.journal import Journal
from serbench.runner.cell.tuning.objective import Objective
from serbench.runner.cell.tuning.space import Defaults, searched_params

if TYPE_CHECKING:
    from optuna.pruners import BasePruner
    from optuna.samplers import BaseSampler
    from optuna.study import Study
    from optuna.trial import FrozenTrial, Trial

FEATURES = "features"
SEARCHED, FOUND, REASON = "searched", "found", "reason"
# Trials drawn at random before the sampler learns: a third of the budget, ten at most.
STARTUP = 10
# The shortest of Hyperband's budgets is a twelfth of all epochs (5 of 60); the next is three times as long.
SHORTEST, REDUCTION = 12, 3


@dataclass(frozen=True)
class Search:
    """What to search and how long.

    Attributes
    ----------
    cell_id : str
    seed : int
        The cell's; with `sampled` and a trial's number it seeds that trial's sampler.
    trials : int
    timeout : float or None
        Seconds of trials after which no further one starts.
    fixed : mapping
        Parameters that the suite names; they are not searched.
    features : sequence of str
        Names of the choices of features; the first is the cell's own.
    choices : mapping
        Further parameters with the values to choose from.
    sampled : str
        What tells this search from others where chance decides; empty: the cell's id.
    """

    cell_id: str
    seed: int
    trials: int
    timeout: float | None = None
    fixed: Mapping[str, Any] = field(default_factory=dict)
    features: Sequence[str] = ("",)
    choices: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    sampled: str = ""


def run_search(search: Search, objective: Objective, journal: Journal) -> list[FrozenTrial]:
    """Go on where the journal ends and return all trials.

    Raises
    ------
    TuningError
        If the space raises, or every trial has failed.
    """
    import optuna

    study = optuna.create_study(study_name=search.cell_id, direction="maximize")
    for trial in journal.trials:
        study.add_trial(trial)
    epochs = _epochs(search, objective)
    while len(study.trials) < search.trials and not _late(search, study):
        number = len(study.trials)
        study.sampler = _sampler(seed_for(search.seed, search.sampled or search.cell_id, str(number)), search.trials)
        study.pruner = _pruner(epochs)
        _try(study, search, objective, bool(epochs))
        journal.add(study.trials[number])
    _refuse_failure(study.trials, journal)
    return study.trials


def best_of(trials: Sequence[FrozenTrial]) -> FrozenTrial:
    """The complete trial of highest value; of equals the earliest, so that the defaults win a draw."""
    complete = [trial for trial in trials if trial.state.name == "COMPLETE"]
    return max(complete, key=lambda trial: (trial.value, -trial.number))


def _try(study: Study, search: Search, objective: Objective, by_epoch: bool) -> None:
    from optuna.trial import TrialState

    trial, params, choice = _propose(study, search, objective)
    callbacks = _PruningCallbacks(trial, len(objective.folds), by_epoch)
    try:
        value, found = objective(params, choice, callbacks.after_fold, callbacks.watch if by_epoch else None)
    except _TrialPruned:
        study.tell(trial, state=TrialState.PRUNED)
    except MemoryError:
        raise
    except Exception as error:
        # Some parameters cannot be fitted: that is an answer about them, and the search goes on.
        trial.set_user_attr(REASON, f"{type(error).__name__}: {error}")
        study.tell(trial, state=TrialState.FAIL)
    else:
        trial.set_user_attr(FOUND, found)
        study.tell(trial, value)


def _propose(study: Study, search: Search, objective: Objective) -> tuple[Trial, dict[str, Any], int]:
    """The next trial, its complete parameters, and its choice of features."""
    spec, first = objective.spec, not study.trials
    defaults = {**spec.params, **search.fixed}
    if first:
        walk = Defaults({**defaults, FEATURES: search.features[0]})
        searched, choice = _ask(walk, search, objective)
        study.enqueue_trial(walk.held)
        trial = study.ask(walk.distributions)
    else:
        trial = study.ask()
        searched, choice = _ask(trial, search, objective)
    if first:
        searched = {name: defaults[name] for name in searched if name in defaults}
    trial.set_user_attr(SEARCHED, searched)
    return trial, {**defaults, **searched}, choice


def _ask(trial: Any, search: Search, objective: Objective) -> tuple[dict[str, Any], int]:
    choice = 0
    if len(search.features) > 1:
        choice = list(search.features).index(trial.suggest_categorical(FEATURES, list(search.features)))
    return searched_params(objective.spec, trial, search.fixed, search.choices), choice


class _TrialPruned(Exception):
    """The pruner stops a trial."""


class _PruningCallbacks:
    """Reports a trial's progress to the pruner: after each epoch of the first fold, or after each fold.

    Trial 0 is reported and never pruned: tuning must not end below the defaults.
    """

    def __init__(self, trial: Trial, folds: int, by_epoch: bool):
        self._trial, self._folds, self._by_epoch = trial, folds, by_epoch
        self._to_prune = False

    def watch(self, epoch: int, history: Mapping[str, Sequence[float]]) -> bool:
        # The best epoch so far is what the trial would be worth if it ended here.
        self._report(max(history["val_uar"]), epoch + 1)
        return self._to_prune

    def after_fold(self, done: int, mean: float) -> None:
        if not self._by_epoch and done < self._folds:
            self._report(mean, done)
        if self._to_prune:
            raise _TrialPruned

    def _report(self, value: float, step: int) -> None:
        self._trial.report(value, step)
        self._to_prune = self._trial.should_prune() and self._trial.number > 0


def _sampler(seed: int, trials: int) -> BaseSampler:
    import warnings

    from optuna.exceptions import ExperimentalWarning
    from optuna.samplers import TPESampler

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        # Grouped: a parameter that hangs on another one (gamma on the kernel) leaves the rest multivariate.
        startup = min(STARTUP, max(2, trials // 3))
        return TPESampler(multivariate=True, group=True, n_startup_trials=startup, seed=seed)


def _pruner(epochs: int) -> BasePruner:
    from optuna.pruners import HyperbandPruner, MedianPruner

    if not epochs:
        return MedianPruner()
    return HyperbandPruner(max(1, epochs // SHORTEST), epochs, REDUCTION)


def _epochs(search: Search, objective: Objective) -> int:
    """How many epochs there are to watch; 0 for a model that cannot be watched."""
    spec = objective.spec
    params = {**spec.params, **search.fixed}
    if not spec.validation or "epochs" not in params:
        return 0
    estimator = spec.build(params, n_classes=len(objective.labels), seed=objective.seed)
    return int(params["epochs"]) if hasattr(estimator, "watch") else 0


def _late(search: Search, study: Study) -> bool:
    if search.timeout is None:
        return False
    return sum(trial.duration.total_seconds() for trial in study.trials) >= search.timeout


def _refuse_failure(trials: Sequence[FrozenTrial], journal: Journal) -> None:
    if any(trial.state.name == "COMPLETE" for trial in trials):
        return
    reasons = [trial.user_attrs[REASON] for trial in trials if REASON in trial.user_attrs]
    # The next run must be able to try again, not to read of this failure.
    journal.discard()
    raise TuningError(
        f"all {len(trials)} trials failed; the first: {reasons[0]}",
        hint="the defaults were among them: run the model without tuning to see it fail alone",
    )
