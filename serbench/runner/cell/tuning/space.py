"""What a model's `space` is asked with: a trial that respects what is fixed, and one that walks along the defaults."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from serbench.errors import TuningError
from serbench.specs import ModelSpec

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution


def searched_params(
    spec: ModelSpec, trial: Any, fixed: Mapping[str, Any], choices: Mapping[str, Sequence[Any]]
) -> dict[str, Any]:
    """Ask a model's space for the parameters of one trial.

    Parameters
    ----------
    trial : optuna.trial.Trial or Defaults
    fixed : mapping
        Parameters that the suite names: they are not searched.
    choices : mapping
        Further parameters with the values that the suite lets the search choose from.

    Raises
    ------
    TuningError
        If the space raises or returns something else than parameters.
    """
    try:
        searched = dict(spec.space(_Free(trial, fixed)))
    except Exception as error:
        raise TuningError(
            f"the search space of '{spec.name}' raised {type(error).__name__}: {error}",
            hint="mend the model's `space`, or run without tuning",
        ) from error
    for name, values in choices.items():
        searched[name] = trial.suggest_categorical(name, list(values))
    return {name: value for name, value in searched.items() if name not in fixed}


class Defaults:
    """Stands in for a trial and walks a space along given values, noting those that the space holds.

    A default may lie outside (``gamma="scale"`` in a range of numbers): trial 0 uses it all the same, only the
    sampler does not learn from it.

    Attributes
    ----------
    held : dict
        Name -> value, of the defaults that the space holds.
    distributions : dict
        Name -> Optuna distribution, of the same names.
    """

    def __init__(self, values: Mapping[str, Any]):
        self._values = values
        self.held: dict[str, Any] = {}
        self.distributions: dict[str, BaseDistribution] = {}

    def suggest_float(self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False):
        """Answer as a trial does."""
        from optuna.distributions import FloatDistribution

        return self._walk(name, FloatDistribution(low, high, log=log, step=step), low)

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False):
        """Answer as a trial does."""
        from optuna.distributions import IntDistribution

        return self._walk(name, IntDistribution(low, high, log=log, step=step), low)

    def suggest_categorical(self, name: str, choices: Sequence[Any]):
        """Answer as a trial does."""
        from optuna.distributions import CategoricalDistribution

        return self._walk(name, CategoricalDistribution(choices), choices[0])

    def _walk(self, name: str, distribution: BaseDistribution, otherwise: Any) -> Any:
        if name not in self._values:
            return otherwise
        value = self._values[name]
        if not _holds(distribution, value):
            return otherwise
        self.held[name], self.distributions[name] = value, distribution
        return value


class _Free:
    """A trial that gives back what is fixed instead of searching it."""

    def __init__(self, trial: Any, fixed: Mapping[str, Any]):
        self._trial, self._fixed = trial, fixed

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._trial, name)
        return self._unless_fixed(found) if name.startswith("suggest_") else found

    def _unless_fixed(self, suggest: Callable) -> Callable:
        def ask(name: str, *arguments, **options):
            return self._fixed[name] if name in self._fixed else suggest(name, *arguments, **options)

        return ask


def _holds(distribution: BaseDistribution, value: Any) -> bool:
    from optuna.trial import create_trial

    try:
        create_trial(params={"x": value}, distributions={"x": distribution}, value=0.0)
    except (ValueError, TypeError):
        return False
    return True
