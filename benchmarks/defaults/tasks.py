"""Compare networks that learn more than the emotion, on inner speakers: gender and intensity, and the speaker unlearnt.

Beside the emotion a linear head answers another column of the table from what the network has pooled over time. A
weight above zero adds its loss (multi-task learning); below zero its gradient is turned round behind a hidden layer, so
that the network unlearns what the head learns (gradient reversal: Y. Ganin and V. Lempitsky, Unsupervised domain
adaptation by backpropagation, ICML 2015). Such labels are known of training utterances alone, and none is asked for
in answering. The rows are those of `compare.py`: a fold's test speakers are closed, and the others are divided into
inner folds. Every recipe has the same folds, seeds and first weights; the last row averages the probabilities of the
first recipe over its seeds.

    OMP_NUM_THREADS=1 python benchmarks/defaults/tasks.py --keep /tmp/tasks --write docs/explanation/best_row.md
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from boards import BOARDS, write_table

from serbench import load_corpus, split
from serbench.features.extract import extract_into
from serbench.features.store import FeatureStore
from serbench.models.deep.augment import augment
from serbench.models.deep.batches import Preparation, pad, training_order
from serbench.models.deep.defaults import TRAINING
from serbench.models.deep.estimator import DeepClassifier
from serbench.models.deep.training import Trainer, predict, prepare_backend
from serbench.protocols.inner import inner_folds, validation_split
from serbench.registry import Registry, build_registry
from serbench.reporting.text_tables import to_markdown
from serbench.scoring import CodedPredictions, label_codes
from serbench.scoring.paired import difference_of, pooled_predictions

MODEL, FEATURES = "cnn", "mfcc_sequence"
SPEAKERS = {"speaker"}
# Weight of each head's loss; below zero it is an adversary.
RECIPES: list[dict[str, float]] = [
    {},
    {"gender": 0.3},
    {"intensity": 0.3},
    {"speaker": -0.1},
    {"gender": 0.3, "intensity": 0.3},
    {"speaker": -1.0},
]
EMOTION, HIDDEN = "emotion", 64


class Reversal(keras.layers.Layer):
    """Passes what comes in, and its gradient turned round, times a strength."""

    def __init__(self, strength: float):
        super().__init__()
        self.strength = strength

    def call(self, x):
        return keras.ops.stop_gradient((1 + self.strength) * x) - self.strength * x


class TasksTrainer(Trainer):
    """The package's loop with the loss of further heads; `more` are codes by head, of all training sequences."""

    def __init__(self, network, n_classes, params, seed, weights: Mapping[str, float], more: Mapping[str, np.ndarray]):
        super().__init__(network, n_classes, params, seed)
        self.more = {name: more[name].astype(np.int32) for name in weights}
        # An adversary learns at full strength; its weight is that of the gradient which reaches the network.
        self.strengths = {name: weight if weight > 0 else 1.0 for name, weight in weights.items()}
        pooled, outputs = network.layers[-1].input, {EMOTION: network.output}
        for name, weight in weights.items():
            x = pooled if weight > 0 else keras.layers.Dense(HIDDEN, activation="relu")(Reversal(-weight)(pooled))
            outputs[name] = keras.layers.Dense(int(more[name].max()) + 1)(x)
        self.whole = keras.Model(network.inputs, outputs)

    def _compile(self, steps: int):
        variables = self.whole.trainable_variables
        smoothed, optimizer = self._loss_and_optimizer(steps, variables)
        floats = [(None, None, self.network.input_shape[0][-1]), (None, None), (None, self.n_classes), (None,)]
        signature = [
            *(tf.TensorSpec(shape, tf.float32) for shape in floats),
            {name: tf.TensorSpec((None,), tf.int32) for name in self.more},
        ]

        @tf.function(input_signature=signature, jit_compile=False)
        def step(frames, valid, targets, weights, more):
            with tf.GradientTape() as tape:
                answers = self.whole([frames, valid], training=True)
                loss = tf.reduce_sum(smoothed(targets, answers[EMOTION]) * weights) / tf.reduce_sum(weights)
                for name, strength in self.strengths.items():
                    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(more[name], answers[name])
                    loss += strength * tf.reduce_mean(losses)
            optimizer.apply(tape.gradient(loss, variables), variables)

        return step

    def _train_epoch(self, step, X, y, lengths, weights) -> None:
        one_hot = np.eye(self.n_classes, dtype=np.float32)
        for rows in training_order(lengths, self.params["batch_size"], self.random):
            frames, valid = pad(augment([X[row] for row in rows], self.random, self.params))
            known = {name: codes[rows] for name, codes in self.more.items()}
            step(frames, valid, one_hot[y[rows]], weights[y[rows]], known)


def main() -> None:
    """Fit what is not kept yet, and print the inner UAR of each recipe and its difference from the first."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inner", type=int, default=2, help="folds inside each training part")
    parser.add_argument("--folds", type=int, default=2, help="only the first folds of each board")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--corpus", choices=BOARDS, action="append", help="only these")
    parser.add_argument("--data", help="folder of the corpora")
    parser.add_argument("--cache", type=Path, default=Path("cache"), help="where features are kept")
    parser.add_argument("--keep", type=Path, required=True, help="folder of the answers: what is there is not fitted")
    parser.add_argument("--write", type=Path, help="a page whose table between two marks is replaced")
    given = parser.parse_args()
    given.keep.mkdir(parents=True, exist_ok=True)
    store, registry = FeatureStore(given.cache / "features"), build_registry()
    rows = []
    for corpus in given.corpus or BOARDS:
        table = load_corpus(corpus, data=given.data)
        X = read_sequences(table, store, registry)
        parts = list(inner_parts(table, BOARDS[corpus], given.inner, given.folds))
        # EMO-DB was spoken at one intensity.
        recipes = [recipe for recipe in RECIPES if all(table[name].nunique() > 1 for name in recipe)]
        found = {}
        for recipe in recipes:
            for seed in range(given.seeds):
                for place, (_, fit, judged) in enumerate(parts):
                    name = f"{corpus} {title(recipe)} {seed} {place} of {given.folds} {given.inner}"
                    found[title(recipe), seed, place] = kept(
                        given.keep / f"{name}.npy", recipe, X, table, fit, judged, seed
                    )
        rows += compared(corpus, table, parts, recipes, found, given.seeds)
    text = to_markdown(["corpus", f"{MODEL} on {FEATURES}", "inner UAR %", "difference", "95 %"], rows)
    print(text)
    if given.write:
        write_table(given.write, "tasks", text)


def read_sequences(table: pd.DataFrame, store: FeatureStore, registry: Registry) -> list[np.ndarray]:
    """Sequences (frames, d) of all utterances, from the store; what it lacks is extracted."""
    spec = registry.get("features", FEATURES)
    items = list(zip(table["content"], table["path"], strict=True))
    if failed := extract_into(store, [(spec, spec.params)], items):
        raise SystemExit(f"no features of {failed[0]}")
    return store.read(spec, spec.params, table["id"], table["content"]).take(range(len(table)))


def inner_parts(
    table: pd.DataFrame, protocol: str, inner: int, folds: int
) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """The outer fold, and the rows that are fitted and judged, of each inner fold; test speakers are in neither."""
    for fold in islice(split(table, protocol), folds):
        rows = np.flatnonzero(table["id"].isin(fold.train))
        for fit, judged in inner_folds(table.iloc[rows], SPEAKERS, k=inner, seed=0)[0]:
            yield fold.fold, rows[fit], rows[judged]


def kept(file: Path, *fitted: Any) -> np.ndarray:
    """Probabilities (judged, labels) from a file, or fitted and written there."""
    if not file.exists():
        begun = time.process_time()
        np.save(file, answered(*fitted))
        print(f"{file.stem}: {time.process_time() - begun:.0f} s", flush=True)
    return np.load(file)


def answered(
    recipe: Mapping[str, float],
    X: Sequence[np.ndarray],
    table: pd.DataFrame,
    fit: np.ndarray,
    judged: np.ndarray,
    seed: int,
) -> np.ndarray:
    """Probabilities that a network fitted on some rows gives to others; the epoch is chosen on whole speakers of it."""
    codes = label_codes(table["label"], sorted(set(table["label"])))
    kept_rows, stop, _ = validation_split(table.iloc[fit], SPEAKERS, seed=0)
    fit, stop = fit[kept_rows], fit[stop]
    more = {name: np.unique(table[name].to_numpy()[fit], return_inverse=True)[1] for name in recipe}
    model: DeepClassifier = build_registry().get("model", MODEL).build({}, n_classes=int(codes.max()) + 1, seed=seed)
    prepare_backend(seed)
    keras.backend.clear_session()
    params = {name: model.params[name] for name in TRAINING}
    take = [[X[row] for row in rows] for rows in (fit, stop, judged)]
    preparation = Preparation.fit(take[0], **{name: params[name] for name in ("max_frames", "crop", "pool")})
    prepared = [preparation.apply(part) for part in take]
    trainer = TasksTrainer(model._build(X[0].shape[1]), model.n_classes, params, seed, recipe, more)
    trainer.fit(prepared[0], codes[fit], (prepared[1], codes[stop]))
    return predict(trainer.forward, prepared[2])


def compared(
    corpus: str,
    table: pd.DataFrame,
    parts: Sequence[tuple[str, np.ndarray, np.ndarray]],
    recipes: Sequence[Mapping[str, float]],
    found: Mapping[tuple[str, int, int], np.ndarray],
    seeds: int,
) -> list[list[str]]:
    """A row for each recipe, and for the mean of the first one over its seeds: UAR, difference from the first, 95 %."""
    labels = sorted(set(table["label"]))
    truth, speakers, names = label_codes(table["label"], labels), table["speaker"].to_numpy(), table["id"].to_numpy()

    def pooled(answers: Mapping[tuple[int, int], np.ndarray]):
        judged = {place: rows for place, (_, _, rows) in enumerate(parts)}
        tested = [
            CodedPredictions(truth[judged[place]], answer.argmax(axis=1), speakers[judged[place]], names[judged[place]])
            for (_, place), answer in answers.items()
        ]
        return pooled_predictions(tested, labels, [seed for seed, _ in answers])

    def of(recipe: Mapping[str, float]) -> dict[tuple[int, int], np.ndarray]:
        return {(seed, place): answer for (name, seed, place), answer in found.items() if name == title(recipe)}

    first = of(recipes[0])
    averaged = {
        (0, place): np.mean([first[seed, place] for seed in range(seeds)], axis=0) for place in range(len(parts))
    }
    rows = {title(recipe): of(recipe) for recipe in recipes} | {f"the first, mean of {seeds} seeds": averaged}
    lines = []
    for name, answers in rows.items():
        difference = difference_of(pooled(answers), pooled(first))
        bounds = [f"{100 * difference[key]:+.1f}" for key in ("difference", "low", "high")]
        lines.append([corpus, name, f"{100 * difference['uar_a']:.1f}", bounds[0], f"[{bounds[1]}, {bounds[2]}]"])
    lines[0][3:] = ["", ""]
    return lines


def title(recipe: Mapping[str, float]) -> str:
    """A recipe in words, e.g. ``gender 0.3``."""
    return ", ".join(f"{name} {weight:g}" for name, weight in recipe.items()) or "emotion alone"


if __name__ == "__main__":
    main()
