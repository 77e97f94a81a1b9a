"""Parts that the networks are made of; each takes and returns (frames, valid) with zeros in the padding."""

from __future__ import annotations

import keras

from serbench.models.deep.layers import (
    AttentionPooling,
    ChannelDropout,
    HalveTime,
    HalveValid,
    MaskedNormalization,
    SelfAttention,
    StatisticsPooling,
    Trim,
)
from serbench.models.deep.recurrent import Bidirectional


def conv_block(x, valid, filters: int, kernel: int, dropout: float, dilation: int = 1):
    """Convolution over time, normalisation, ReLU, dropout."""
    x = keras.layers.Conv1D(filters, kernel, padding="same", dilation_rate=dilation, use_bias=False)(x)
    x = MaskedNormalization()(x, valid)
    x = keras.layers.ReLU()(x)
    return ChannelDropout(dropout)(x)


def conv2d_block(x, valid, filters: int, kernel: int, dropout: float):
    """Convolution over time and frequency (batch, time, bands, channels), normalisation, ReLU, dropout."""
    x = keras.layers.Conv2D(filters, kernel, padding="same", use_bias=False)(x)
    x = MaskedNormalization()(x, valid)
    x = keras.layers.ReLU()(x)
    return ChannelDropout(dropout)(x)


def halve(x, valid, bands: int = 1):
    """Halve time by the maximum of pairs, of as many bands as are named too."""
    return HalveTime(bands)(x), HalveValid()(valid)


def recurrent(x, valid, cell: str, units: int, dropout: float):
    """One bidirectional recurrent layer; the backward half starts at each sequence's own end."""
    x = Bidirectional(cell, units)(x, valid)
    return keras.layers.Dropout(dropout)(x)


def recurrent_stack(x, valid, cell: str, units: int, layers: int, dropout: float):
    """Bidirectional recurrent layers, one upon the other."""
    for _ in range(layers):
        x = recurrent(x, valid, cell, units, dropout)
    return x


def encoder_block(x, valid, heads: int, dropout: float):
    """Self-attention, then two dense layers; each normalised before and added to what came in."""
    width = x.shape[-1]
    y = SelfAttention(heads)(keras.layers.LayerNormalization()(x), valid)
    x = keras.layers.Add()([x, keras.layers.Dropout(dropout)(y)])
    y = keras.layers.Dense(2 * width, activation="gelu")(keras.layers.LayerNormalization()(x))
    y = keras.layers.Dense(width)(keras.layers.Dropout(dropout)(y))
    return Trim()(keras.layers.Add()([x, keras.layers.Dropout(dropout)(y)]), valid)


def classify(x, valid, n_classes: int, dropout: float):
    """Statistics over time under attention and plainly, then a linear layer: logits."""
    x = keras.layers.Concatenate()([AttentionPooling()(x, valid), StatisticsPooling()(x, valid)])
    return keras.layers.Dense(n_classes)(keras.layers.Dropout(dropout)(x))


def flatten_bands(x):
    """Put the channels of all bands side by side: (batch, time, bands, channels) -> (batch, time, bands x channels)."""
    bands, channels = x.shape[2:]
    return keras.layers.Reshape((-1, bands * channels))(x)
