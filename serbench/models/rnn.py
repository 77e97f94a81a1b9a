"""Simple recurrent layers (or gated recurrent units) over pooled frames, with attention."""

from __future__ import annotations

from serbench.models.deep.defaults import TRAINING, training_space
from serbench.models.params import complete
from serbench.specs import ModelSpec

PARAMS = {
    **TRAINING,
    **{"pool": 4, "epochs": 40, "patience": 40},
    **{"noise": 0.3, "shift": 0.3, "time_mask": 0.2, "feature_mask": 0.1},
    **{"cell": "simple", "units": 64, "layers": 1, "dropout": 0.4},
}


def build(params, *, n_classes, seed):
    """Build the network's estimator."""
    from serbench.models.deep.estimator import DeepClassifier

    return DeepClassifier(network, complete("rnn", PARAMS, params), n_classes=n_classes, seed=seed)


def network(frames, valid, *, n_classes, cell, units, layers, dropout):
    """Stack recurrent layers; then statistics over time."""
    from serbench.models.deep.blocks import classify, recurrent

    x = frames
    for _ in range(layers):
        x = recurrent(x, valid, cell, units, dropout)
    return classify(x, valid, n_classes, dropout)


def space(trial):
    """Search the size, dropout and the training."""
    return {
        **training_space(trial),
        "cell": trial.suggest_categorical("cell", ["simple", "gru"]),
        "units": trial.suggest_categorical("units", [32, 64, 96]),
        "layers": trial.suggest_int("layers", 1, 2),
        "dropout": trial.suggest_float("dropout", 0.1, 0.6),
    }


RNN = ModelSpec(
    name="rnn",
    accepts="sequence",
    version="2",
    build=build,
    params=PARAMS,
    space=space,
    validation=True,
    description="bidirectional simple recurrent network (cell=gru: gated)",
)
