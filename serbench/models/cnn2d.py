"""Two-dimensional convolutions over the log-mel image."""

from __future__ import annotations

from serbench.models.deep.network_spec import network_spec

PARAMS = {
    **{"epochs": 40, "patience": 40, "noise": 0.2, "shift": 0.2, "time_mask": 0.15},
    **{"filters": 12, "blocks": 4, "kernel": 3, "dropout": 0.1},
}


def network(frames, valid, *, n_classes, filters, blocks, kernel, dropout):
    """Convolution blocks, each halving time and frequency and doubling channels; then statistics over time."""
    import keras

    from serbench.models.deep.blocks import classify, conv2d_block, flatten_bands, halve

    x = keras.ops.expand_dims(frames, -1)
    for block in range(blocks):
        x = conv2d_block(x, valid, filters * 2 ** min(block, 3), kernel, dropout)
        if block < blocks - 1:
            x, valid = halve(x, valid, bands=2)
        else:
            x = keras.layers.MaxPooling2D((1, 2))(x)
    return classify(flatten_bands(x), valid, n_classes, dropout)


def space(trial):
    """Search widths, depth and dropout."""
    return {
        "filters": trial.suggest_categorical("filters", [8, 12, 16]),
        "blocks": trial.suggest_int("blocks", 3, 5),
        "dropout": trial.suggest_float("dropout", 0.1, 0.5),
    }


CNN2D = network_spec(
    "cnn2d",
    network,
    PARAMS,
    space,
    version="2",
    features=("logmel",),
    description="2-D convolutional network over the log-mel image",
)
