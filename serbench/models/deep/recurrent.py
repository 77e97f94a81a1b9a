# ruff: noqa: D102 -- the class docstring says what `call` does; the others are as in Keras
"""Bidirectional recurrent layers: both directions in one loop over time, the input's share multiplied before it.

A loop of TensorFlow costs a kernel's start for each operation at each step, which for layers of this size is more
than the arithmetic. The formulas and the weights are those of Keras' cells.
"""

from __future__ import annotations

import keras
import tensorflow as tf
from keras import ops

from serbench.models.deep.layers import PACKAGE, over_time

CELLS = {"lstm": keras.layers.LSTMCell, "gru": keras.layers.GRUCell, "simple": keras.layers.SimpleRNNCell}


@keras.saving.register_keras_serializable(PACKAGE)
class Bidirectional(keras.layers.Layer):
    """One recurrent layer in each direction: (batch, time, d) -> (batch, time, 2 units), zeros in the padding.

    The backward half starts at each sequence's own end.

    Parameters
    ----------
    cell : {"lstm", "gru", "simple"}
    units : int
        Of each direction.
    """

    def __init__(self, cell: str, units: int, **kwargs):
        super().__init__(**kwargs)
        self.cell, self.units = cell, units
        self.forward, self.backward = (CELLS[cell](units, name=name) for name in ("forward", "backward"))

    def build(self, x_shape, valid_shape):
        for cell in (self.forward, self.backward):
            cell.build(x_shape)

    def call(self, x, valid):
        # Inside a gated recurrent unit, the second row of the bias is added to the state's share.
        biases = [ops.reshape(cell.bias, (-1, cell.bias.shape[-1])) for cell in (self.forward, self.backward)]
        sides = zip((x, reverse(x, valid)), (self.forward, self.backward), biases, strict=True)
        inputs = ops.stack([ops.matmul(side, cell.kernel) + bias[0] for side, cell, bias in sides])
        kernel = ops.stack([cell.recurrent_kernel.value for cell in (self.forward, self.backward)])
        inner = ops.stack(biases)[:, 1:]
        out = over_frames(STEPS[self.cell], ops.transpose(inputs, (2, 0, 1, 3)), kernel, inner)
        forward, backward = tf.unstack(ops.transpose(out, (1, 2, 0, 3)), 2)
        out = ops.concatenate([forward, reverse(backward, valid)], axis=-1)
        return out * over_time(valid, out)

    def compute_output_shape(self, x_shape, valid_shape):
        return (*x_shape[:-1], 2 * self.units)

    def get_config(self):
        return {**super().get_config(), "cell": self.cell, "units": self.units}


@keras.saving.register_keras_serializable(PACKAGE)
class Reverse(keras.layers.Layer):
    """`reverse` as a layer: what networks that version 0.1 saved hold."""

    def call(self, x, valid):
        return reverse(x, valid)


def over_frames(step, inputs, kernel, inner):
    """Walk through `inputs` (time, 2, batch, gates) from a state of zeros; return all (time, 2, batch, units)."""
    zeros = tf.zeros((2, tf.shape(inputs)[2], kernel.shape[1]))
    length = tf.shape(inputs)[0]
    parts = tf.TensorArray(inputs.dtype, length).unstack(inputs)

    def walk(time, h, memory, out):
        h, memory = step(h, memory, parts.read(time), tf.matmul(h, kernel), inner)
        return time + 1, h, memory, out.write(time, h)

    out = tf.TensorArray(inputs.dtype, length)
    start = (0, zeros, zeros, out)
    return tf.while_loop(lambda time, *_: time < length, walk, start, maximum_iterations=length)[3].stack()


def reverse(x, valid):
    """Reverse each sequence within its own length; padding stays behind."""
    return tf.reverse_sequence(x, ops.cast(ops.sum(valid, axis=1), "int32"), seq_axis=1)


def _lstm(h, memory, z, recurrent, inner):
    """Hochreiter and Schmidhuber (1997), with forget gates."""
    enter, forget, candidate, leave = ops.split(z + recurrent, 4, axis=-1)
    memory = ops.sigmoid(forget) * memory + ops.sigmoid(enter) * ops.tanh(candidate)
    return ops.sigmoid(leave) * ops.tanh(memory), memory


def _gru(h, memory, z, recurrent, inner):
    """Cho et al. (2014), the reset after the product, as Keras does."""
    update, reset, candidate = ops.split(z, 3, axis=-1)
    inner_update, inner_reset, inner_candidate = ops.split(recurrent + inner, 3, axis=-1)
    keep = ops.sigmoid(update + inner_update)
    return keep * h + (1 - keep) * ops.tanh(candidate + ops.sigmoid(reset + inner_reset) * inner_candidate), memory


def _simple(h, memory, z, recurrent, inner):
    """Elman (1990)."""
    return ops.tanh(z + recurrent), memory


STEPS = {"lstm": _lstm, "gru": _gru, "simple": _simple}
