"""The models of published claims and the speaker floor are made as published."""

import numpy as np
import pytest

from serbench.registry import build_registry


def test_the_network_of_p4_is_built_as_described():
    import keras

    spec = build_registry().get("model", "conv1d_flatten")
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(20, 5)).astype(np.float32) for _ in range(6)]
    estimator = spec.build({**spec.params, "epochs": 1, "frames": 16, "pool": 1}, n_classes=2, seed=0)
    estimator.fit(X, np.array([0, 1] * 3))
    layers = estimator.model.layers
    convolutions = [(layer.filters, layer.kernel_size) for layer in layers if isinstance(layer, keras.layers.Conv1D)]
    assert convolutions == [(128, (5,)), (256, (5,)), (512, (5,))]
    assert [layer.units for layer in layers if isinstance(layer, keras.layers.Dense)] == [256, 128, 2]
    assert [layer.rate for layer in layers if isinstance(layer, keras.layers.Dropout)] == [0.3] * 3 + [0.4] * 2


def test_a_speaker_who_is_recognised_tells_the_label():
    spec = build_registry().get("model", "speaker_identity")
    rng = np.random.default_rng(0)
    speakers = np.repeat(["a", "b", "c"], 20)
    X = (10 * np.eye(3)[np.repeat([0, 1, 2], 20)] + rng.normal(size=(60, 3))).astype(np.float32)
    y = np.where(speakers == "a", 0, 1)
    y[:5] = 1
    estimator = spec.build({"C": 10.0}, n_classes=2, seed=0)
    estimator.fit(X, y, groups=speakers)
    probabilities = estimator.predict_proba(10 * np.eye(3, dtype=np.float32))
    assert probabilities[0] == pytest.approx([0.75, 0.25], abs=0.1)
    assert probabilities[1:, 1] == pytest.approx([1, 1], abs=0.1)
    alone = spec.build({}, n_classes=2, seed=0)
    alone.fit(X[:20], y[:20], groups=speakers[:20])
    assert alone.predict_proba(X[:3]).tolist() == [[0.75, 0.25]] * 3


def fitted(name: str, dimensions: int, **params):
    """A network of a published claim, fitted for one epoch to made-up frames."""
    spec = build_registry().get("model", name)
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(20 + number, dimensions)).astype(np.float32) for number in range(6)]
    estimator = spec.build({**spec.params, "epochs": 1, "pool": 1, **params}, n_classes=2, seed=0)
    return estimator.fit(X, np.array([0, 1] * 3)), X


@pytest.fixture(scope="module")
def tim_net():
    """The fixed network of TIM-Net, which takes longest to build, and what it was fitted to."""
    return fitted("tim_net_fixed", 40, frames=16, epochs=2)


@pytest.mark.parametrize(("kernel", "dilation"), [(2, 1), (2, 8), (3, 2), (2, 128)])
def test_a_causal_convolution_is_that_of_keras(kernel, dilation):
    import keras
    import tensorflow as tf

    from serbench.models.deep.fixed import CausalConvolution

    x = tf.constant(np.random.default_rng(0).normal(size=(3, 20, 5)).astype(np.float32))
    ours = CausalConvolution(4, kernel, dilation)
    theirs = keras.layers.Conv1D(4, kernel, dilation_rate=dilation, padding="causal")
    found, weights = [], [np.random.default_rng(1).normal(size=shape) for shape in ((kernel, 5, 4), (4,))]
    for layer in (ours, theirs):
        layer.build(x.shape)
        layer.set_weights(weights)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x)
            loss = tf.reduce_sum(y**3)
        found.append([y, *tape.gradient(loss, [x, *layer.trainable_variables])])
    for mine, true in zip(*found, strict=True):
        np.testing.assert_allclose(mine, true, rtol=1e-4, atol=1e-4)


def test_tim_net_is_built_as_described(tim_net):
    import keras

    from serbench.models.deep.fixed import CausalConvolution

    estimator, X = tim_net
    layers = estimator.model.layers
    # Two that lead in, then eight scales, two directions, two convolutions each.
    assert [layer.kernel_size for layer in layers if isinstance(layer, keras.layers.Conv1D)] == [(1,)] * 2
    gated = [layer for layer in layers if isinstance(layer, CausalConvolution)]
    assert sorted(layer.dilation for layer in gated) == sorted([1, 2, 4, 8, 16, 32, 64, 128] * 4)
    assert {(layer.filters, layer.width) for layer in gated} == {(39, 2)}
    assert estimator.model.get_layer("fusion").kernel.shape == (8, 1)
    # As the authors' layers count: 2 * (39 * 39 + 39), 32 convolutions with batch normalisation, fusion, output.
    assert estimator.count_params() == 2 * 1560 + 32 * (39 * 39 * 2 + 39 + 4 * 39) + 8 + 39 * 2 + 2
    # The fortieth coefficient is not heard.
    without = [np.column_stack([x[:, :39], np.zeros(len(x), np.float32)]) for x in X]
    assert estimator.predict_proba(X) == pytest.approx(estimator.predict_proba(without))


def test_tim_net_hears_the_frames_in_both_directions(tim_net):
    estimator, X = tim_net
    base = estimator.predict_proba(X)
    for frame in (0, 15):
        louder = [x.copy() for x in X]
        for x in louder:
            x[frame] += 5
        assert not np.allclose(estimator.predict_proba(louder), base, atol=1e-6)


def test_light_sernet_is_built_as_described():
    import keras

    estimator, _ = fitted("light_sernet_fixed", 40, frames=32)
    layers = estimator.model.layers
    convolutions = [(item.filters, item.kernel_size) for item in layers if isinstance(item, keras.layers.Conv2D)]
    assert sorted(convolutions[:3]) == [(32, (1, 9)), (32, (3, 3)), (32, (11, 1))]
    assert convolutions[3:] == [(64, (3, 3)), (96, (3, 3)), (128, (3, 3)), (160, (3, 3)), (320, (1, 1))]
    pools = [item.pool_size for item in layers if isinstance(item, keras.layers.AveragePooling2D)]
    assert pools == [(2, 2)] * 5 + [(2, 1)] * 2
    assert [item.rate for item in layers if isinstance(item, keras.layers.Dropout)] == [0.3]
    paths = 32 * (11 + 9 + 9) + 3 * 32
    blocks = 9 * (96 * 64 + 64 * 96 + 96 * 128 + 128 * 160) + 160 * 320
    assert estimator.count_params() == paths + blocks + 4 * (96 + 64 + 96 + 128 + 160 + 320) + 320 * 2 + 2
