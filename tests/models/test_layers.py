"""Layers against plain numpy on each utterance alone, without any padding."""

import numpy as np
import pytest

keras = pytest.importorskip("keras")

from serbench.models.deep import layers  # noqa: E402
from serbench.models.deep.batches import pad  # noqa: E402
from serbench.models.deep.recurrent import Bidirectional, reverse  # noqa: E402

LENGTHS = (1, 2, 5, 8)


@pytest.fixture
def batch():
    random = np.random.default_rng(0)
    X = [random.normal(size=(length, 3)).astype(np.float32) for length in LENGTHS]
    return X, *pad(X)


def test_statistics_pooling(batch):
    X, frames, valid = batch
    found = np.asarray(layers.StatisticsPooling()(frames, valid))
    wanted = [np.concatenate([x.mean(0), np.sqrt(x.var(0) + 1e-5), x.max(0)]) for x in X]
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)


def test_attention_pooling(batch):
    X, frames, valid = batch
    layer = layers.AttentionPooling(units=4)
    found = np.asarray(layer(frames, valid))
    kernel, bias = (np.asarray(weight) for weight in layer.hidden.weights)
    score, offset = (np.asarray(weight) for weight in layer.score.weights)
    for x, row in zip(X, found, strict=True):
        energy = (np.tanh(x @ kernel + bias) @ score + offset)[:, 0]
        weight = np.exp(energy) / np.exp(energy).sum()
        mean = weight @ x
        deviation = np.sqrt(weight @ (x - mean) ** 2 + 1e-5)
        np.testing.assert_allclose(row, np.concatenate([mean, deviation]), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("rank", [3, 4])
def test_normalisation_leaves_padding_out_of_its_statistics(rank):
    random = np.random.default_rng(1)
    shape = (2, 3)[4 - rank :] if rank == 4 else (3,)
    X = [random.normal(3, 2, size=(length, *shape)) for length in LENGTHS]
    frames = np.zeros((len(X), 8, *shape), dtype=np.float32)
    for row, x in enumerate(X):
        frames[row, : len(x)] = x
    valid = (np.arange(8) < np.array(LENGTHS)[:, None]).astype(np.float32)
    layer = layers.MaskedNormalization(momentum=0.5)
    found = np.asarray(layer(frames, valid, training=True))
    values = np.concatenate([x.reshape(-1, 3) for x in X])
    mean, variance = values.mean(0), values.var(0)
    for row, x in enumerate(X):
        wanted = (x - mean) / np.sqrt(variance + 1e-3)
        np.testing.assert_allclose(found[row, : len(x)], wanted, rtol=1e-3, atol=1e-4)
        assert not found[row, len(x) :].any()
    np.testing.assert_allclose(np.asarray(layer.mean), 0.5 * mean, rtol=1e-4)
    np.testing.assert_allclose(np.asarray(layer.variance), 0.5 + 0.5 * variance, rtol=1e-4)


def test_normalisation_where_nothing_is_padding_is_that_of_keras():
    x = np.random.default_rng(1).normal(3, 2, size=(4, 9, 5)).astype(np.float32)
    ours, theirs = layers.MaskedNormalization(momentum=0.99), layers.keras.layers.BatchNormalization()
    for training in (True, False):
        found, wanted = (np.asarray(layer(x, training=training)) for layer in (ours, theirs))
        np.testing.assert_allclose(found, wanted, rtol=1e-3, atol=1e-4)


def test_reverse_turns_each_sequence_within_its_own_length(batch):
    X, frames, valid = batch
    found = np.asarray(reverse(frames, valid))
    for x, row in zip(X, found, strict=True):
        np.testing.assert_array_equal(row[: len(x)], x[::-1])
        assert not row[len(x) :].any()


@pytest.mark.parametrize("cell, keras_layer", [("lstm", "LSTM"), ("gru", "GRU"), ("simple", "SimpleRNN")])
def test_both_directions_are_those_of_keras_on_each_utterance_alone(batch, cell, keras_layer):
    tensorflow = pytest.importorskip("tensorflow")
    X, frames, valid = batch
    layer = Bidirectional(cell, 4)
    layer(frames, valid)
    random = np.random.default_rng(2)
    weights = [random.normal(scale=0.5, size=weight.shape) for weight in layer.get_weights()]
    layer.set_weights(weights)
    wanted = keras.layers.Bidirectional(getattr(keras.layers, keras_layer)(4, return_sequences=True))
    wanted.build((None, None, 3))
    wanted.set_weights(weights)
    with tensorflow.GradientTape() as tape:
        found = layer(frames, valid)
        loss = tensorflow.reduce_sum(found**2)
    gradients = tape.gradient(loss, [weight.value for weight in layer.trainable_weights])
    with tensorflow.GradientTape() as tape:
        alone = [wanted(x[None])[0] for x in X]
        loss = sum(tensorflow.reduce_sum(row**2) for row in alone)
    expected = tape.gradient(loss, [weight.value for weight in wanted.trainable_weights])
    for x, row, answer in zip(X, np.asarray(found), alone, strict=True):
        np.testing.assert_allclose(row[: len(x)], answer, rtol=1e-4, atol=1e-5)
        assert not row[len(x) :].any()
    for one, other in zip(gradients, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-4)


def test_channel_dropout_drops_whole_channels_and_keeps_the_mean():
    layer = layers.ChannelDropout(0.4)
    x = np.ones((200, 3, 2, 8), dtype=np.float32)
    np.testing.assert_array_equal(layer(x), x)
    found = np.asarray(layer(x, training=True))
    np.testing.assert_array_equal(found, np.broadcast_to(found[:, :1, :1], found.shape))
    np.testing.assert_allclose(np.unique(found), [0, 1 / 0.6], rtol=1e-6)
    assert np.mean(found == 0) == pytest.approx(0.4, abs=0.05)


def test_halving_pairs_frames_from_the_first_on(batch):
    X, frames, valid = batch
    X, frames = [np.abs(x) for x in X], np.abs(frames)
    for extra in (0, 1, 2):
        longer = np.pad(frames, ((0, 0), (0, extra), (0, 0)))
        shorter_valid = np.pad(valid, ((0, 0), (0, extra)))
        found = np.asarray(layers.HalveTime()(longer))
        halved = np.asarray(layers.HalveValid()(shorter_valid))
        for row, x in enumerate(X):
            wanted = [x[start : start + 2].max(0) for start in range(0, len(x), 2)]
            assert halved[row].sum() == len(wanted)
            np.testing.assert_array_equal(found[row, : len(wanted)], wanted)


def test_trim_sets_padding_to_zero(batch):
    X, frames, valid = batch
    found = np.asarray(layers.Trim()(frames + 1, valid))
    for x, row in zip(X, found, strict=True):
        np.testing.assert_allclose(row[: len(x)], x + 1)
        assert not row[len(x) :].any()


def test_self_attention_is_the_formula_over_the_valid_frames():
    layer, x = layers.SelfAttention(2), np.random.default_rng(0).normal(size=(1, 5, 4)).astype(np.float32)
    found = np.asarray(layer(x, (np.arange(5) < 3).astype(np.float32)[None]))
    weights = [weight.numpy() for weight in layer.weights]
    heads = []
    for head in range(2):
        parts = zip(weights[0:6:2], weights[1:6:2], strict=True)
        q, k, v = (x[0, :3] @ kernel[:, head] + bias[head] for kernel, bias in parts)
        weight = np.exp(q @ k.T / np.sqrt(2))
        heads.append(weight / weight.sum(axis=1, keepdims=True) @ v)
    wanted = np.concatenate(heads, axis=1) @ weights[6].reshape(4, 4) + weights[7]
    np.testing.assert_allclose(found[0, :3], wanted, atol=1e-5)
    assert not found[0, 3:].any()


def test_positions_are_sinusoids_whatever_the_length():
    short, long = (np.asarray(layers.Positions()(np.zeros((1, n, 6), np.float32)))[0] for n in (7, 40))
    np.testing.assert_allclose(long[:7], short, atol=1e-6)
    angles = 3 / 10_000 ** (np.arange(3) / 3)
    np.testing.assert_allclose(short[3], [*np.sin(angles), *np.cos(angles)], atol=1e-5)
