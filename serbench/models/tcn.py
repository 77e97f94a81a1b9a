"""A temporal convolutional network: residual blocks whose dilation doubles, so that the last ones see the whole file.

Bai, Kolter and Koltun (2018), An empirical evaluation of generic convolutional and recurrent networks for sequence
modeling, arXiv:1803.01271; here without their causality, since an utterance is known as a whole.
"""

from __future__ import annotations

from serbench.models.deep.network_spec import network_spec

PARAMS = {
    **{"pool": 2, "epochs": 40, "patience": 40, "noise": 0.3, "shift": 0.3, "time_mask": 0.15},
    **{"filters": 64, "blocks": 5, "kernel": 3, "dropout": 0.2},
}


def network(frames, valid, *, n_classes, filters, blocks, kernel, dropout):
    """One convolution, time halved; residual blocks of dilation 1, 2, 4, ...; then statistics over time."""
    import keras

    from serbench.models.deep.blocks import classify, conv_block, halve

    x, valid = halve(conv_block(frames, valid, filters, kernel, dropout), valid)
    for block in range(blocks):
        y = conv_block(x, valid, filters, kernel, dropout, dilation=2**block)
        x = keras.layers.Add()([x, y])
    return classify(x, valid, n_classes, dropout)


def space(trial):
    """Search width, reach, kernel and dropout."""
    return {
        "filters": trial.suggest_categorical("filters", [32, 64, 96]),
        "blocks": trial.suggest_int("blocks", 3, 6),
        "kernel": trial.suggest_categorical("kernel", [2, 3, 5]),
        "dropout": trial.suggest_float("dropout", 0.05, 0.5),
    }


TCN = network_spec(
    "tcn",
    network,
    PARAMS,
    space,
    description="temporal convolutional network: residual blocks of growing dilation",
)
