"""Networks that end in Flatten: sequences padded to one length, and vectors taken for sequences.

This is how many published systems are built; the package's own networks mask the padding instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from serbench.models.deep.estimator import DeepClassifier
from serbench.models.deep.layers import PACKAGE


@keras.saving.register_keras_serializable(PACKAGE)
class FixedLength(keras.layers.Layer):
    """Pad with zeros behind, or crop, to a number of frames: (batch, time, d) -> (batch, frames, d)."""

    def __init__(self, frames: int, **kwargs):
        super().__init__(**kwargs)
        self.frames = frames

    def call(self, x):
        """Pad by the full length, then keep the first frames: that gives one length, whatever came in."""
        padded = ops.pad(x, [[0, 0], [0, self.frames], [0, 0]])[:, : self.frames]
        return ops.reshape(padded, (-1, self.frames, x.shape[-1]))

    def get_config(self):
        """Return what rebuilds the layer."""
        return {**super().get_config(), "frames": self.frames}


@keras.saving.register_keras_serializable(PACKAGE)
class CausalConvolution(keras.layers.Layer):
    """Convolution of a frame with those `dilation`, 2 `dilation`, ... before it: (batch, time, d) -> (batch, time, f).

    As `Conv1D(padding="causal")`, by one product of matrices: with a dilation, TensorFlow lays the frames out anew
    around it on a CPU. The number of frames must be known.
    """

    def __init__(self, filters: int, kernel: int, dilation: int, **kwargs):
        super().__init__(**kwargs)
        self.filters, self.width, self.dilation = filters, kernel, dilation

    def build(self, x_shape):
        """Make the weights, as many and with the same start as those of `Conv1D`."""
        self.kernel = self.add_weight(shape=(self.width, x_shape[-1], self.filters), name="kernel")
        self.bias = self.add_weight(shape=(self.filters,), initializer="zeros", name="bias")

    def call(self, x):
        """Lay the frames of each tap beside one another, the oldest first."""
        count, (time, depth) = ops.shape(x)[0], x.shape[1:]
        beside = []
        for tap in reversed(range(self.width)):
            late = min(time, tap * self.dilation)
            # The gradient of a slice by brackets takes longer than all products together.
            early = ops.slice(x, (0, 0, 0), (count, time - late, depth))
            beside.append(ops.pad(early, [[0, 0], [late, 0], [0, 0]]) if late else x)
        kernel = ops.reshape(self.kernel, (self.width * depth, self.filters))
        return ops.matmul(ops.concatenate(beside, axis=-1), kernel) + self.bias

    def get_config(self):
        """Return what rebuilds the layer."""
        shape = {"filters": self.filters, "kernel": self.width, "dilation": self.dilation}
        return {**super().get_config(), **shape}


class VectorClassifier(DeepClassifier):
    """A network on vectors: each is handed over as a sequence of one frame, standardised value by value."""

    def fit(self, X: np.ndarray, y, validation=None) -> VectorClassifier:
        """Fit to vectors (n, d) and codes."""
        super().fit(_frames(X), y, validation and (_frames(validation[0]), validation[1]))
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Return (n, n_classes) probabilities."""
        return super().predict_proba(_frames(X))


def plain_block(x, filters: int, kernel: int, dropout: float, pool: int):
    """Convolution with ReLU, batch normalisation, largest of `pool` frames, dropout; padding is not masked."""
    x = keras.layers.Conv1D(filters, kernel, padding="same", activation="relu")(x)
    x = keras.layers.BatchNormalization()(x)
    x = keras.layers.MaxPooling1D(pool, padding="same")(x)
    return keras.layers.Dropout(dropout)(x)


def dense_head(x, widths: Sequence[int], dropout: float, n_classes: int) -> Any:
    """Flatten; dense layers, each with ReLU and dropout; a linear layer: logits."""
    x = keras.layers.Flatten()(x)
    for width in widths:
        x = keras.layers.Dropout(dropout)(keras.layers.Dense(width, activation="relu")(x))
    return keras.layers.Dense(n_classes)(x)


def _frames(X: np.ndarray) -> list[np.ndarray]:
    return list(np.asarray(X, dtype=np.float32)[:, None, :])
