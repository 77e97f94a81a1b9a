"""Simple recurrent layers (or gated recurrent units) over pooled frames, with attention."""

from __future__ import annotations

from serbench.models.deep.network_spec import network_spec, recurrent_space

PARAMS = {
    **{"pool": 4, "epochs": 40, "patience": 40},
    **{"noise": 0.3, "shift": 0.3, "time_mask": 0.2, "feature_mask": 0.1},
    **{"cell": "simple", "units": 64, "layers": 1, "dropout": 0.4},
}


def network(frames, valid, *, n_classes, cell, units, layers, dropout):
    """Stack recurrent layers; then statistics over time."""
    from serbench.models.deep.blocks import classify, recurrent_stack

    return classify(recurrent_stack(frames, valid, cell, units, layers, dropout), valid, n_classes, dropout)


def space(trial):
    """Search the size and dropout."""
    return {"cell": trial.suggest_categorical("cell", ["simple", "gru"]), **recurrent_space(trial)}


RNN = network_spec(
    "rnn",
    network,
    PARAMS,
    space,
    version="2",
    description="bidirectional simple recurrent network (cell=gru: gated)",
)
