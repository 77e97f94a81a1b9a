"""Bidirectional long short-term memory over pooled frames, with attention."""

from __future__ import annotations

from serbench.models.deep.network_spec import network_spec, recurrent_space

PARAMS = {
    **{"pool": 4, "epochs": 30, "patience": 30},
    **{"noise": 0.4, "shift": 0.4, "time_mask": 0.2, "feature_mask": 0.1},
    **{"units": 64, "layers": 1, "dropout": 0.5},
}


def network(frames, valid, *, n_classes, units, layers, dropout):
    """Stack recurrent layers; then statistics over time."""
    from serbench.models.deep.blocks import classify, recurrent_stack

    return classify(recurrent_stack(frames, valid, "lstm", units, layers, dropout), valid, n_classes, dropout)


LSTM = network_spec(
    "lstm",
    network,
    PARAMS,
    recurrent_space,
    version="2",
    description="bidirectional LSTM with attention",
)
