# ruff: noqa: D102 -- the class docstrings say what `call` does; `build` and `get_config` are as in Keras
"""Keras layers that respect padding: what lies behind a sequence's end never changes what lies before it.

Keras 3's convolution and pooling layers drop masks, so validity is passed openly: every layer here
takes `valid`, 1 for frames and 0 for padding, shape (batch, time), and leaves zeros in the padding.
Padding is at the end only.
"""

from __future__ import annotations

import math

import keras
from keras import ops

PACKAGE = "serbench"


@keras.saving.register_keras_serializable(PACKAGE)
class Trim(keras.layers.Layer):
    """Set padding to zero: (batch, time, ...) times `valid`."""

    def call(self, x, valid):
        return x * over_time(valid, x)


@keras.saving.register_keras_serializable(PACKAGE)
class MaskedNormalization(keras.layers.Layer):
    """Batch normalisation whose statistics leave padding out; without `valid`, nothing is padding.

    Parameters
    ----------
    momentum : float
        Of the moving statistics used in prediction.
    """

    def __init__(self, momentum: float = 0.9, epsilon: float = 1e-3, **kwargs):
        super().__init__(**kwargs)
        self.momentum, self.epsilon = momentum, epsilon

    def build(self, x_shape, valid_shape=None):
        width = (x_shape[-1],)
        self.gamma = self.add_weight(shape=width, initializer="ones", name="gamma")
        self.beta = self.add_weight(shape=width, initializer="zeros", name="beta")
        self.mean = self.add_weight(shape=width, initializer="zeros", trainable=False, name="mean")
        self.variance = self.add_weight(shape=width, initializer="ones", trainable=False, name="variance")

    def call(self, x, valid=None, training=False):
        # Passes over `x` are what costs; sums as products with a row of weights need the fewest.
        mean, variance = self.mean, self.variance
        if training:
            rows = ops.reshape(x, (-1, x.shape[-1]))
            if valid is None:
                weight = ops.ones((1, ops.shape(rows)[0]))
            else:
                weight = ops.reshape(ops.repeat(valid, math.prod(x.shape[2:-1]), axis=1), (1, -1))
            count = ops.sum(weight)
            mean = ops.matmul(weight, rows)[0] / count
            variance = ops.maximum(ops.matmul(weight, ops.square(rows))[0] / count - ops.square(mean), 0.0)
            self.mean.assign(self.mean * self.momentum + mean * (1 - self.momentum))
            self.variance.assign(self.variance * self.momentum + variance * (1 - self.momentum))
        factor = self.gamma * ops.rsqrt(variance + self.epsilon)
        offset = self.beta - mean * factor
        normalised = by_frame(x, factor, offset)
        return normalised if valid is None else normalised * over_time(valid, x)

    def get_config(self):
        return {**super().get_config(), "momentum": self.momentum, "epsilon": self.epsilon}


@keras.saving.register_keras_serializable(PACKAGE)
class ChannelDropout(keras.layers.Layer):
    """Drop whole channels of an utterance, in training: (batch, time, ..., d).

    As Keras' spatial dropouts (Tompson et al. 2015), by one multiplication: theirs choose value by value.
    """

    def __init__(self, rate: float, **kwargs):
        super().__init__(**kwargs)
        self.rate, self.seeds = rate, keras.random.SeedGenerator()

    def call(self, x, training=False):
        if not training or not self.rate:
            return x
        ones = ops.ones((ops.shape(x)[0], 1, x.shape[-1]))
        return by_frame(x, keras.random.dropout(ones, self.rate, seed=self.seeds))

    def get_config(self):
        return {**super().get_config(), "rate": self.rate}


@keras.saving.register_keras_serializable(PACKAGE)
class HalveTime(keras.layers.Layer):
    """Largest value of each pair of frames, the first one with the second; a lone last one stays.

    Parameters
    ----------
    bands : int
        In (batch, time, bands, channels), the neighbouring bands that go into one as well.
    """

    def __init__(self, bands: int = 1, **kwargs):
        super().__init__(**kwargs)
        self.bands = bands

    def call(self, x):
        return ops.max_pool(x, 2 if len(x.shape) == 3 else (2, self.bands), padding="same")

    def get_config(self):
        return {**super().get_config(), "bands": self.bands}


@keras.saving.register_keras_serializable(PACKAGE)
class HalveValid(keras.layers.Layer):
    """`valid` after `HalveTime`: a pair is valid if its first frame is."""

    def call(self, valid):
        return valid[:, ::2]


@keras.saving.register_keras_serializable(PACKAGE)
class StatisticsPooling(keras.layers.Layer):
    """Mean, standard deviation and maximum over the valid frames: (batch, time, d) -> (batch, 3 d)."""

    def call(self, x, valid):
        weight = over_time(valid, x)
        count = ops.sum(weight, axis=1)
        mean = ops.sum(x * weight, axis=1) / count
        variance = ops.sum(ops.square(x - mean[:, None]) * weight, axis=1) / count
        largest = ops.max(ops.where(weight > 0, x, -1e9), axis=1)
        return ops.concatenate([mean, ops.sqrt(variance + 1e-5), largest], axis=-1)


@keras.saving.register_keras_serializable(PACKAGE)
class AttentionPooling(keras.layers.Layer):
    """Mean and standard deviation under learned weights of the valid frames: (batch, time, d) -> (batch, 2 d).

    Okabe, Koshinaka and Shinoda (2018), Attentive statistics pooling for deep speaker embedding, Interspeech.
    """

    def __init__(self, units: int = 32, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.hidden = keras.layers.Dense(units, activation="tanh", name="hidden")
        self.score = keras.layers.Dense(1, name="score")

    def build(self, x_shape, valid_shape):
        self.hidden.build(x_shape)
        self.score.build((*x_shape[:-1], self.units))

    def call(self, x, valid):
        score = ops.where(valid[..., None] > 0, self.score(self.hidden(x)), -1e9)
        weight = ops.softmax(score, axis=1)
        mean = ops.sum(x * weight, axis=1)
        variance = ops.sum(ops.square(x - mean[:, None]) * weight, axis=1)
        return ops.concatenate([mean, ops.sqrt(variance + 1e-5)], axis=-1)

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@keras.saving.register_keras_serializable(PACKAGE)
class Positions(keras.layers.Layer):
    """Add sinusoids of each frame's position (Vaswani et al. 2017): (batch, time, d), any length."""

    def call(self, x):
        width = x.shape[-1]
        time = ops.cast(ops.arange(ops.shape(x)[1]), x.dtype)[:, None]
        rate = ops.exp(ops.arange(0, width, 2, dtype=x.dtype) * (-9.21034 / width))
        return x + ops.concatenate([ops.sin(time * rate), ops.cos(time * rate)], axis=-1)[:, :width]


@keras.saving.register_keras_serializable(PACKAGE)
class SelfAttention(keras.layers.Layer):
    """Multi-head self-attention of the valid frames to one another: (batch, time, d)."""

    def __init__(self, heads: int = 4, **kwargs):
        super().__init__(**kwargs)
        self.heads = heads

    def build(self, x_shape, valid_shape):
        self.attention = keras.layers.MultiHeadAttention(self.heads, max(1, x_shape[-1] // self.heads))
        self.attention.build(x_shape, x_shape)

    def call(self, x, valid):
        return self.attention(x, x, attention_mask=ops.expand_dims(valid > 0, 1)) * over_time(valid, x)

    def get_config(self):
        return {**super().get_config(), "heads": self.heads}


def over_time(valid, x):
    """View `valid` (batch, time) with as many axes as `x`."""
    return ops.reshape(valid, (-1, ops.shape(x)[1], *[1] * (len(x.shape) - 2)))


def by_frame(x, factor, offset=None):
    """Multiply channels (batch, time, ..., d) by `factor`, and add `offset`: (d,) or (batch, 1, d).

    All that a frame holds (bands, channels) is one row to it: rows of a few channels cost twice as much.
    """
    bands = math.prod(x.shape[2:-1])
    tiled = [ops.tile(value, [1] * (len(value.shape) - 1) + [bands]) for value in (factor, offset) if value is not None]
    rows = ops.reshape(x, (-1, ops.shape(x)[1], bands * x.shape[-1])) * tiled[0]
    return ops.reshape(rows + tiled[1] if offset is not None else rows, ops.shape(x))
