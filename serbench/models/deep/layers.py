# ruff: noqa: D102 -- the class docstrings say what `call` does; `build` and `get_config` are as in Keras
"""Keras layers that respect padding: what lies behind a sequence's end never changes what lies before it.

Keras 3's convolution and pooling layers drop masks, so validity is passed openly: every layer here
takes `valid`, 1 for frames and 0 for padding, shape (batch, time), and leaves zeros in the padding.
Padding is at the end only.
"""

from __future__ import annotations

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
    """Batch normalisation whose statistics leave padding out.

    Parameters
    ----------
    momentum : float
        Of the moving statistics used in prediction.
    """

    def __init__(self, momentum: float = 0.9, epsilon: float = 1e-3, **kwargs):
        super().__init__(**kwargs)
        self.momentum, self.epsilon = momentum, epsilon

    def build(self, x_shape, valid_shape):
        width = (x_shape[-1],)
        self.gamma = self.add_weight(shape=width, initializer="ones", name="gamma")
        self.beta = self.add_weight(shape=width, initializer="zeros", name="beta")
        self.mean = self.add_weight(shape=width, initializer="zeros", trainable=False, name="mean")
        self.variance = self.add_weight(shape=width, initializer="ones", trainable=False, name="variance")

    def call(self, x, valid, training=False):
        weight = over_time(valid, x)
        mean, variance = self.mean, self.variance
        if training:
            axes = tuple(range(len(x.shape) - 1))
            count = ops.sum(ops.ones_like(x[..., :1]) * weight)
            mean = ops.sum(x * weight, axis=axes) / count
            variance = ops.sum(ops.square(x - mean) * weight, axis=axes) / count
            self.mean.assign(self.mean * self.momentum + mean * (1 - self.momentum))
            self.variance.assign(self.variance * self.momentum + variance * (1 - self.momentum))
        factor = self.gamma * ops.rsqrt(variance + self.epsilon)
        return (x * factor + (self.beta - mean * factor)) * weight

    def get_config(self):
        return {**super().get_config(), "momentum": self.momentum, "epsilon": self.epsilon}


@keras.saving.register_keras_serializable(PACKAGE)
class HalveTime(keras.layers.Layer):
    """Largest value of each pair of frames; expects non-negative input with zeros in the padding.

    Pairs start at the first frame whatever the length ("same" padding of Keras shifts with it).
    """

    def call(self, x):
        return ops.max(pairs(x), axis=2)


@keras.saving.register_keras_serializable(PACKAGE)
class HalveValid(keras.layers.Layer):
    """`valid` after `HalveTime`: a pair is valid if its first frame is."""

    def call(self, valid):
        return valid[:, ::2]


@keras.saving.register_keras_serializable(PACKAGE)
class Reverse(keras.layers.Layer):
    """Reverse each sequence within its own length; padding stays behind.

    A recurrent layer between two of these runs backwards from each sequence's own end, without the cost
    of a mask at every step.
    """

    def call(self, x, valid):
        length = ops.cast(ops.sum(valid, axis=1, keepdims=True), "int32")
        time = ops.arange(ops.shape(x)[1], dtype="int32")[None]
        source = ops.where(time < length, length - 1 - time, time)
        return ops.take_along_axis(x, source[..., None], axis=1)


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


def pairs(x):
    """Group frames by two: (batch, time, ...) -> (batch, ceil(time / 2), 2, ...), a lone last one beside zeros."""
    rest = ops.shape(x)[2:]
    odd = ops.mod(ops.shape(x)[1], 2)
    zeros = ops.zeros_like(x[:, :1])[:, :odd]
    x = ops.concatenate([x, zeros], axis=1)
    return ops.reshape(x, (-1, ops.shape(x)[1] // 2, 2, *rest))
