"""Three wide convolutions over a sequence of fixed length, flattened into dense layers: the network of claim P4."""

from __future__ import annotations

from serbench.models.deep.network_spec import network_spec

PARAMS = {
    # As published: Adam at 0.001 without decay, about 30 epochs; the schedule lowers the rate instead of plateaus.
    "epochs": 30,
    "learning_rate": 1e-3,
    "weight_decay": 0.0,
    "label_smoothing": 0.0,
    "class_weight": None,
    "pool": 4,
    # After pooling: 64 frames of 64 ms are 4.1 s.
    "frames": 64,
    "filters": 128,
    "kernel": 5,
    "dropout": 0.3,
    "dense_dropout": 0.4,
}


def network(sequence, valid, *, n_classes, frames, filters, kernel, dropout, dense_dropout):
    """Convolutions of f, 2 f and 4 f filters, each halving time; dense layers of 2 f and f values."""
    from serbench.models.deep.fixed import FixedLength, dense_head, plain_block

    x = FixedLength(frames)(sequence)
    for width in (filters, 2 * filters, 4 * filters):
        x = plain_block(x, width, kernel, dropout, pool=2)
    return dense_head(x, (2 * filters, filters), dense_dropout, n_classes)


CONV1D_FLATTEN = network_spec(
    "conv1d_flatten",
    network,
    PARAMS,
    description="published P4: three plain convolutions over zero-padded frames, flattened into dense layers",
)

CONV1D_FLATTEN_FIXED = network_spec(
    "conv1d_flatten_fixed",
    network,
    PARAMS,
    validation=False,
    description="conv1d_flatten for all its epochs on the whole training part: none is set aside to choose the epoch",
)
