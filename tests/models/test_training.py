import numpy as np
import pytest

pytest.importorskip("keras")

from serbench.models.deep.defaults import TRAINING
from serbench.models.deep.training import class_weights, learning_rate_schedule


def test_class_weights_by_hand():
    # 6 utterances, 2 classes present: 6 / (2 x 4) and 6 / (2 x 2).
    y = np.array([0, 0, 0, 0, 2, 2])
    np.testing.assert_allclose(class_weights(y, 3, "balanced")[[0, 2]], [0.75, 1.5])
    assert class_weights(y, 3, "balanced")[y].mean() == pytest.approx(1)
    np.testing.assert_array_equal(class_weights(y, 3, None), [1, 1, 1])


def test_schedule_rises_to_its_peak_and_falls_to_zero():
    params = {**TRAINING, "epochs": 10, "warmup": 0.2, "learning_rate": 0.5}
    schedule = learning_rate_schedule(params, steps_per_epoch=10)
    rates = np.array([float(schedule(step)) for step in range(101)])
    assert rates[0] == 0
    assert rates[10] == pytest.approx(0.25)
    assert rates.argmax() == 20 and rates[20] == pytest.approx(0.5)
    assert rates[60] == pytest.approx(0.25)
    assert rates[100] == pytest.approx(0, abs=1e-6)
