"""One-dimensional convolutions over time, pooled with attention."""

from __future__ import annotations

from serbench.models.deep.network_spec import network_spec

PARAMS = {
    **{"epochs": 40, "patience": 40, "noise": 0.2, "shift": 0.2, "time_mask": 0.15},
    **{"filters": 64, "blocks": 3, "kernel": 5, "dropout": 0.2},
}


def network(frames, valid, *, n_classes, filters, blocks, kernel, dropout):
    """Convolution blocks, each halving time and widening; then statistics over time."""
    from serbench.models.deep.blocks import classify, conv_block, halve

    x = frames
    for block in range(blocks):
        x = conv_block(x, valid, round(filters * 1.5**block), kernel, dropout)
        if block < blocks - 1:
            x, valid = halve(x, valid)
    return classify(x, valid, n_classes, dropout)


def space(trial):
    """Search widths, kernel and dropout."""
    return {
        "filters": trial.suggest_categorical("filters", [32, 64, 96]),
        "blocks": trial.suggest_int("blocks", 2, 4),
        "kernel": trial.suggest_categorical("kernel", [3, 5, 7]),
        "dropout": trial.suggest_float("dropout", 0.1, 0.6),
    }


CNN = network_spec(
    "cnn",
    network,
    PARAMS,
    space,
    version="2",
    description="1-D convolutional network",
)
