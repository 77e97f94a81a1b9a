"""The training loop: one compiled step, a learning-rate schedule, early stopping on the validation part."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from serbench.models.deep.augment import augment, mixup
from serbench.models.deep.batches import inference_order, pad, training_order
from serbench.models.deep.classifier import note_scores, note_validation, softmax
from serbench.models.params import threads

PREDICTION_BATCH = 64


def prepare_backend(seed: int) -> None:
    """Make TensorFlow deterministic, as wide as the cell's threads, and seeded."""
    try:
        tf.config.threading.set_intra_op_parallelism_threads(threads())
        tf.config.threading.set_inter_op_parallelism_threads(threads())
    except RuntimeError:
        # TensorFlow fixes its threads on first use; the process that started it has chosen them.
        pass
    tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(seed)


class Trainer:
    """Fits one network to prepared sequences.

    Parameters
    ----------
    network : keras.Model
        ``network([frames, valid]) -> logits`` with frames (batch, time, d) and valid (batch, time).
    n_classes : int
    params : mapping
        The training parameters of `serbench.models.deep.defaults`.
    seed : int
        Of batches and augmentation.
    watch : callable, optional
        ``watch(epoch, history) -> bool``, called after each epoch; True stops the training.
    """

    def __init__(
        self,
        network: keras.Model,
        n_classes: int,
        params: Mapping[str, Any],
        seed: int,
        watch: Callable[[int, dict], bool] | None = None,
    ):
        self.network, self.n_classes, self.params, self.watch = network, n_classes, params, watch
        self.random = np.random.default_rng(seed)
        self.forward = compile_forward(network)
        self.history: dict[str, list[float]] = {}

    def fit(self, X: Sequence[np.ndarray], y: np.ndarray, validation=None) -> None:
        """Train; with a validation part the best epoch's weights are restored, else the last are kept."""
        lengths = np.array([len(x) for x in X])
        steps = len(training_order(lengths, self.params["batch_size"], np.random.default_rng(0)))
        weights = class_weights(y, self.n_classes, self.params["class_weight"])
        step = self._compile(steps)
        best: tuple | None = None
        for epoch in range(self.params["epochs"]):
            self._train_epoch(step, X, y, lengths, weights)
            if validation is not None:
                score = self._validate(*validation)
                if best is None or score > best[0]:
                    best = (score, epoch, self.network.get_weights())
            if self.watch is not None and self.watch(epoch, self.history):
                break
            if best is not None and epoch - best[1] >= self.params["patience"]:
                break
        if best is not None:
            self.network.set_weights(best[2])

    def _compile(self, steps: int):
        network = self.network
        loss_function, optimizer = self._loss_and_optimizer(steps, network.trainable_variables)
        width = network.input_shape[0][-1]
        signature = [
            tf.TensorSpec((None, None, width), tf.float32),
            tf.TensorSpec((None, None), tf.float32),
            tf.TensorSpec((None, self.n_classes), tf.float32),
            tf.TensorSpec((None,), tf.float32),
        ]

        # XLA is several times slower than plain kernels on a CPU, and batches have many shapes.
        @tf.function(input_signature=signature, jit_compile=False)
        def step(frames, valid, targets, weights):
            with tf.GradientTape() as tape:
                logits = network([frames, valid], training=True)
                losses = loss_function(targets, logits) * weights
                loss = tf.reduce_sum(losses) / tf.reduce_sum(weights)
            variables = network.trainable_variables
            optimizer.apply(tape.gradient(loss, variables), variables)
            return loss, logits

        return step

    def _loss_and_optimizer(self, steps: int, variables):
        """The loss of each sequence, and the optimizer, ready for these variables."""
        loss = keras.losses.CategoricalCrossentropy(
            from_logits=True, label_smoothing=self.params["label_smoothing"], reduction="none"
        )
        optimizer = keras.optimizers.AdamW(
            learning_rate_schedule(self.params, steps),
            weight_decay=self.params["weight_decay"],
            global_clipnorm=self.params["clip_norm"],
        )
        optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
        optimizer.build(variables)
        return loss, optimizer

    def _train_epoch(self, step, X, y, lengths, weights) -> None:
        params = self.params
        one_hot = np.eye(self.n_classes, dtype=np.float32)
        losses, guesses, order = [], [], training_order(lengths, params["batch_size"], self.random)
        for rows in order:
            frames, valid = pad(augment([X[row] for row in rows], self.random, params))
            targets = one_hot[y[rows]]
            if params["mixup"]:
                frames, targets = mixup(frames, valid, targets, self.random, params["mixup"])
            loss, logits = step(frames, valid, targets, weights[y[rows]])
            losses.append(loss)
            guesses.append(logits)
        loss = float(np.average([float(value) for value in losses], weights=[len(rows) for rows in order]))
        guess = np.concatenate([np.argmax(logits, axis=1) for logits in guesses])
        note_scores(self.history, "", loss, y[np.concatenate(order)], guess, self.n_classes)

    def _validate(self, X, y) -> float:
        return note_validation(self.history, predict(self.forward, X), y, self.params["monitor"])


def compile_forward(network: keras.Model) -> Callable:
    """Compile the network's prediction once for all batch shapes."""
    signature = [tf.TensorSpec((None, None, network.input_shape[0][-1])), tf.TensorSpec((None, None))]

    @tf.function(input_signature=signature, jit_compile=False)
    def forward(frames, valid):
        return network([frames, valid], training=False)

    return forward


def predict(forward: Callable, X: Sequence[np.ndarray]) -> np.ndarray:
    """Return (n, n_classes) probabilities of prepared sequences, in their order."""
    batches = list(inference_order(np.array([len(x) for x in X]), PREDICTION_BATCH))
    logits = np.concatenate([forward(*pad([X[row] for row in rows])).numpy() for rows in batches]).astype(np.float64)
    probabilities = np.empty_like(logits)
    probabilities[np.concatenate(batches)] = softmax(logits)
    return probabilities


def learning_rate_schedule(params: Mapping[str, Any], steps_per_epoch: int):
    """Linear warm-up, then a cosine down to zero at the last epoch."""
    total = params["epochs"] * steps_per_epoch
    warmup = max(1, round(params["warmup"] * total))
    return keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0,
        decay_steps=max(1, total - warmup),
        warmup_target=params["learning_rate"],
        warmup_steps=warmup,
    )


def class_weights(y: np.ndarray, n_classes: int, kind: str | None) -> np.ndarray:
    """Weight of each class: 1, or ("balanced") inverse to its frequency with mean 1 over the utterances."""
    counts = np.bincount(y, minlength=n_classes)
    if kind is None:
        return np.ones(n_classes, dtype=np.float32)
    present = np.count_nonzero(counts)
    return (len(y) / (present * np.maximum(counts, 1))).astype(np.float32)
