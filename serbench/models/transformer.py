"""A small transformer encoder: convolutions that shorten time, then self-attention, with attention pooling.

Vaswani et al. (2017), Attention is all you need, NeurIPS; normalised before each part (Xiong et al. 2020, On layer
normalization in the transformer architecture, ICML), which trains without a long warm-up.
"""

from __future__ import annotations

from serbench.models.deep.network_spec import network_spec

PARAMS = {
    **{"pool": 4, "epochs": 40, "patience": 40, "noise": 0.3, "shift": 0.3, "time_mask": 0.15},
    **{"width": 64, "heads": 4, "layers": 2, "kernel": 5, "dropout": 0.1},
}


def network(frames, valid, *, n_classes, width, heads, layers, kernel, dropout):
    """Two convolution blocks, time halved once; positions; encoder blocks; then statistics over time."""
    from serbench.models.deep.blocks import classify, conv_block, encoder_block, halve
    from serbench.models.deep.layers import Positions

    x = conv_block(frames, valid, width, kernel, dropout)
    x, valid = halve(x, valid)
    x = Positions()(conv_block(x, valid, width, kernel, dropout))
    for _ in range(layers):
        x = encoder_block(x, valid, heads, dropout)
    return classify(x, valid, n_classes, dropout)


def space(trial):
    """Search width, depth, heads and dropout."""
    return {
        "width": trial.suggest_categorical("width", [32, 64, 96]),
        "layers": trial.suggest_int("layers", 1, 4),
        "heads": trial.suggest_categorical("heads", [2, 4, 8]),
        "dropout": trial.suggest_float("dropout", 0.05, 0.4),
    }


TRANSFORMER = network_spec(
    "transformer",
    network,
    PARAMS,
    space,
    description="convolutions, then a transformer encoder with attention pooling",
)
