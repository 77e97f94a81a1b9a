"""Convolutions over the values of one vector, as if they were a sequence: the network of claim P5."""

from __future__ import annotations

from serbench.models.deep.network_spec import network_spec

PARAMS = {
    "learning_rate": 1e-3,
    "weight_decay": 0.0,
    "label_smoothing": 0.0,
    "class_weight": None,
    "filters": 256,
    "kernel": 8,
    "pool_values": 8,
    "dropout": 0.25,
}


def network(vector, valid, *, n_classes, filters, kernel, pool_values, dropout):
    """Convolutions of f, f / 2 and f / 4 filters along the vector, the first pooled; flattened into a linear layer."""
    import keras

    from serbench.models.deep.fixed import FixedLength, dense_head, plain_block

    values = keras.layers.Permute((2, 1))(FixedLength(1)(vector))
    x = plain_block(values, filters, kernel, dropout, pool=pool_values)
    for width in (filters // 2, filters // 4):
        x = keras.layers.Conv1D(width, kernel, padding="same", activation="relu")(x)
    return dense_head(x, (), dropout, n_classes)


CONV1D_VECTOR = network_spec(
    "conv1d_vector",
    network,
    PARAMS,
    accepts="vector",
    description="published P5: convolutions along the values of one vector",
)
