"""A network with its preparation as ONNX: a feature sequence (or vectors) in, probabilities out."""

from __future__ import annotations

from typing import Any

INPUT = "features"
OPSET = 17


def convert_network(estimator: Any, *, vectors: bool) -> Any:
    """Convert a fitted `DeepClassifier`.

    Parameters
    ----------
    vectors : bool
        Then the input is (n, d); else it is one utterance, (1, frames, d), so that nothing has to be padded.

    Returns
    -------
    onnx.ModelProto
        With one input, `features`.
    """
    import tensorflow as tf
    from tf2onnx.convert import from_function

    dimensions = len(estimator.preparation.mean)
    shape = (None, dimensions) if vectors else (1, None, dimensions)

    @tf.function(input_signature=[tf.TensorSpec(shape, tf.float32, name=INPUT)])
    def answer(features):
        frames = _prepared(features[:, None] if vectors else features, estimator.preparation)
        return tf.nn.softmax(estimator.model([frames, tf.ones_like(frames[:, :, 0])], training=False))

    return from_function(answer, input_signature=answer.input_signature, opset=OPSET)[0]


def _prepared(frames: Any, preparation: Any) -> Any:
    """`Preparation.apply` in TensorFlow, on (batch, frames, d) without padding."""
    import tensorflow as tf

    surplus = tf.maximum(0, tf.shape(frames)[1] - preparation.max_frames)
    start = {"center": surplus // 2, "start": 0, "end": surplus}[preparation.crop]
    frames = frames[:, start : start + preparation.max_frames]
    # Not `-length % pool`: the remainder of a negative number has another sign in ONNX.
    missing = preparation.pool - 1 - (tf.shape(frames)[1] - 1) % preparation.pool
    counted = tf.ones_like(frames[:, :, :1])
    sums, counts = (
        tf.reduce_sum(
            tf.reshape(
                tf.pad(part, [[0, 0], [0, missing], [0, 0]]),
                (tf.shape(part)[0], -1, preparation.pool, part.shape[-1]),
            ),
            axis=2,
        )
        for part in (frames, counted)
    )
    return (sums / counts - preparation.mean) / preparation.scale
