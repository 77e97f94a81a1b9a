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
