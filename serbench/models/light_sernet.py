"""Light-SERNet: three convolutions of different shape beside each other, then local blocks: the network of claim P7.

A. Aftab, A. Morsali, S. Ghaemmaghami, B. Champagne (2022), Light-SERNet: a lightweight fully convolutional neural
network for speech emotion recognition, ICASSP, 6912-6916; layers as in `models.py` of github.com/AryaAftab/
LIGHT-SERNET.
"""

from __future__ import annotations

from serbench.models.deep.network_spec import network_spec

PARAMS = {
    # As published: batches of 32. They train 300 epochs at a rate of 0.0001 that falls slowly, and penalise weights by
    # 0.000001; the schedule here ends earlier, from a higher rate.
    "epochs": 60,
    "patience": 60,
    "learning_rate": 1e-3,
    "weight_decay": 0.0,
    "label_smoothing": 0.0,
    "class_weight": None,
    # 3 s around the middle, as published; pairs of their frames of 16 ms are averaged.
    "max_frames": 184,
    "pool": 2,
    "frames": 92,
    "dropout": 0.3,
}
# (time, coefficient) of the parallel convolutions; filters and pooling of the blocks that follow.
SHAPES = ((11, 1), (1, 9), (3, 3))
BLOCKS = ((64, 3, (2, 2)), (96, 3, (2, 2)), (128, 3, (2, 1)), (160, 3, (2, 1)), (320, 1, None))


def network(sequence, valid, *, n_classes, frames, dropout):
    """Along time, along coefficients and over both, 32 filters each; five blocks; the mean over all that is left."""
    import keras

    from serbench.models.deep.fixed import FixedLength

    image = FixedLength(frames)(sequence)[..., None]
    paths = [_block(image, 32, shape, (2, 2), use_bias=True) for shape in SHAPES]
    x = keras.layers.Concatenate()(paths)
    for filters, shape, pool in BLOCKS:
        x = _block(x, filters, shape, pool, use_bias=False)
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.layers.Dense(n_classes)(keras.layers.Dropout(dropout)(x))


def _block(x, filters: int, shape, pool, *, use_bias: bool):
    """Convolution, batch normalisation, ReLU, mean of neighbours."""
    import keras

    x = keras.layers.Conv2D(filters, shape, padding="same", use_bias=use_bias)(x)
    x = keras.layers.ReLU()(keras.layers.BatchNormalization()(x))
    return x if pool is None else keras.layers.AveragePooling2D(pool, padding="same")(x)


CARD = {"features": ("mfcc_sequence",)}

LIGHT_SERNET = network_spec(
    "light_sernet",
    network,
    PARAMS,
    **CARD,
    description="published P7, Light-SERNet: parallel convolutions of three shapes on MFCC, then local blocks",
)

LIGHT_SERNET_FIXED = network_spec(
    "light_sernet_fixed",
    network,
    PARAMS,
    **CARD,
    validation=False,
    description="light_sernet for all its epochs on the whole training part: none is set aside to choose the epoch",
)
