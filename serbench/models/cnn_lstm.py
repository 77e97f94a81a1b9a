"""Convolutions that summarise neighbouring frames, then a bidirectional LSTM, with attention."""

from __future__ import annotations

from serbench.models.deep.network_spec import network_spec

PARAMS = {
    **{"pool": 4, "epochs": 30, "patience": 30, "noise": 0.3, "shift": 0.3, "time_mask": 0.15},
    **{"filters": 64, "kernel": 5, "units": 64, "dropout": 0.1},
}


def network(frames, valid, *, n_classes, filters, kernel, units, dropout):
    """Two convolution blocks, time halved once, one recurrent layer; then statistics over time."""
    from serbench.models.deep.blocks import classify, conv_block, halve, recurrent

    x = conv_block(frames, valid, filters, kernel, dropout)
    x, valid = halve(x, valid)
    x = conv_block(x, valid, 2 * filters, kernel, dropout)
    x = recurrent(x, valid, "lstm", units, dropout)
    return classify(x, valid, n_classes, dropout)


def space(trial):
    """Search widths, kernel, recurrent units and dropout."""
    return {
        "filters": trial.suggest_categorical("filters", [32, 64, 96]),
        "kernel": trial.suggest_categorical("kernel", [3, 5, 7]),
        "units": trial.suggest_categorical("units", [32, 64, 96]),
        "dropout": trial.suggest_float("dropout", 0.1, 0.6),
    }


CNN_LSTM = network_spec(
    "cnn_lstm",
    network,
    PARAMS,
    space,
    version="3",
    description="convolutions, then a bidirectional LSTM with attention",
)
