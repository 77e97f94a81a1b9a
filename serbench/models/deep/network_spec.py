"""The card of a network: what all of them share, so that a model's file holds its own parameters and layers alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from serbench.models.deep.defaults import TRAINING, training_space
from serbench.models.params import complete
from serbench.specs import ModelSpec


def network_spec(
    name: str,
    network: Callable[..., Any],
    params: Mapping[str, Any],
    space: Callable[[Any], dict[str, Any]] | None = None,
    *,
    accepts: str = "sequence",
    validation: bool = True,
    **card: Any,
) -> ModelSpec:
    """Make the spec of a Keras network that the package's training loop fits.

    Parameters
    ----------
    name : str
    network : callable
        ``network(frames, valid, *, n_classes, **architecture) -> logits``, as `DeepClassifier` takes it.
    params : mapping
        Its architecture, and the training parameters that differ from `TRAINING`.
    space : callable, optional
        ``space(trial) -> params``, the search of the architecture; the search of the training comes before it.
    accepts : {"sequence", "vector"}
    validation : bool
        Whether a validation part stops the training.
    **card
        Further fields of the spec.
    """
    defaults = {**TRAINING, **params}

    def build(params: Mapping[str, Any], *, n_classes: int, seed: int) -> Any:
        chosen = complete(name, defaults, params)
        if accepts == "vector":
            from serbench.models.deep.fixed import VectorClassifier

            return VectorClassifier(network, chosen, n_classes=n_classes, seed=seed)
        from serbench.models.deep.estimator import DeepClassifier

        return DeepClassifier(network, chosen, n_classes=n_classes, seed=seed)

    def search(trial: Any) -> dict[str, Any]:
        return {**training_space(trial), **space(trial)}

    return ModelSpec(
        name=name,
        accepts=accepts,
        build=build,
        params=defaults,
        space=search if space else None,
        validation=validation,
        requires=("tensorflow",),
        **card,
    )


def recurrent_space(trial: Any) -> dict[str, Any]:
    """Search the size and dropout of a recurrent stack."""
    return {
        "units": trial.suggest_categorical("units", [32, 64, 96]),
        "layers": trial.suggest_int("layers", 1, 2),
        "dropout": trial.suggest_float("dropout", 0.1, 0.6),
    }
