"""What holds for every network: padding, company and length never change an answer; the loop keeps its word."""

import numpy as np
import pytest

from serbench.models.deep.batches import pad
from serbench.models.deep.defaults import TRAINING
from serbench.registry import build_registry

TINY = {
    "cnn": {"filters": 8, "blocks": 3},
    "lstm": {"units": 8, "layers": 1},
    "cnn_lstm": {"filters": 8, "units": 8},
    "rnn": {"units": 8, "layers": 1},
    "cnn2d": {"filters": 4, "blocks": 3},
    "transformer": {"width": 8, "heads": 2, "layers": 2},
    "tcn": {"filters": 8, "blocks": 4},
}
HOP = 0.016


def make(lengths, seed=0, dimensions=16, classes=3):
    random = np.random.default_rng(seed)
    y = np.arange(len(lengths)) % classes
    centres = np.random.default_rng(9).normal(size=(classes, dimensions))
    return [
        (centres[c] + random.normal(size=(n, dimensions))).astype(np.float32) for n, c in zip(lengths, y, strict=True)
    ], y


def fit(name, X, y, validation=None, seed=1, **changes):
    spec = build_registry().get("model", name)
    params = {"epochs": 4, "batch_size": 8, **TINY[name], **changes}
    return spec.build(params, n_classes=3, seed=seed).fit(X, y, validation=validation)


@pytest.fixture(scope="module", params=sorted(TINY))
def fitted(request):
    X, y = make(np.random.default_rng(0).integers(20, 120, 30))
    return fit(request.param, X, y, noise=0.1, time_mask=0.2, feature_mask=0.2, shift=0.1, stretch=0.1, mixup=0.2)


@pytest.mark.parametrize("extra", [1, 2, 3, 7, 64])
def test_more_padding_changes_no_probability(fitted, extra):
    X, _ = make([37, 52, 9, 90], seed=3)
    frames, valid = pad(fitted.preparation.apply(X))
    plain = fitted.forward(frames, valid).numpy()
    padded = fitted.forward(np.pad(frames, ((0, 0), (0, extra), (0, 0))), np.pad(valid, ((0, 0), (0, extra)))).numpy()
    np.testing.assert_allclose(padded, plain, atol=2e-5)


def test_what_lies_in_the_padding_is_never_read(fitted):
    X, _ = make([37, 52, 9, 90], seed=3)
    frames, valid = pad(fitted.preparation.apply(X))
    dirty = np.where(valid[..., None] > 0, frames, 1e3).astype(np.float32)
    np.testing.assert_allclose(fitted.forward(dirty, valid).numpy(), fitted.forward(frames, valid).numpy(), atol=2e-5)


def test_company_and_order_change_no_prediction(fitted):
    X, _ = make(np.random.default_rng(4).integers(3, 200, 70), seed=4)
    together = fitted.predict_proba(X)
    order = np.random.default_rng(5).permutation(len(X))
    np.testing.assert_allclose(fitted.predict_proba([X[i] for i in order]), together[order], atol=1e-5)
    alone = np.concatenate([fitted.predict_proba([x]) for x in X[:5]])
    np.testing.assert_allclose(alone, together[:5], atol=1e-5)


def test_from_a_third_of_a_second_to_half_a_minute(fitted):
    X, _ = make([1, round(0.3 / HOP), round(3 / HOP), round(30 / HOP)], seed=6)
    found = fitted.predict_proba(X)
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found.sum(axis=1), 1)
    # What is beyond the crop is not heard, and the crop is the middle.
    surplus = len(X[3]) - fitted.preparation.max_frames
    middle = X[3][surplus // 2 : surplus // 2 + fitted.preparation.max_frames]
    np.testing.assert_allclose(fitted.predict_proba([middle])[0], found[3], atol=1e-5)


def test_the_same_seed_gives_the_same_bits_and_another_seed_does_not():
    X, y = make([30] * 24)
    how = {"noise": 0.1, "time_mask": 0.2, "mixup": 0.2}
    first, second, other = (fit("cnn", X, y, seed=seed, **how) for seed in (1, 1, 2))
    assert first.history == second.history
    np.testing.assert_array_equal(first.predict_proba(X), second.predict_proba(X))
    assert not np.array_equal(first.predict_proba(X), other.predict_proba(X))


def test_history_and_the_best_epoch():
    X, y = make([30] * 24)
    Xv, yv = make([30] * 9, seed=8)
    model = fit("cnn", X, y, (Xv, yv), epochs=12, patience=3)
    epochs = len(model.history["loss"])
    assert set(model.history) == {"loss", "accuracy", "uar", "val_loss", "val_accuracy", "val_uar"}
    assert all(len(values) == epochs for values in model.history.values())
    # The weights are those of the best epoch: the validation part gets its UAR again.
    hits = model.predict(Xv) == yv
    uar = np.mean([hits[yv == label].mean() for label in range(3)])
    assert uar == pytest.approx(max(model.history["val_uar"]))
    truth = model.predict_proba(Xv)[np.arange(9), yv]
    assert any(value == pytest.approx(-np.log(truth).mean(), rel=1e-4) for value in model.history["val_loss"])


def test_training_stops_when_patience_ends():
    X, y = make([20] * 12)
    Xv, _ = make([20] * 6, seed=8)
    # Labels at odds with the features: the loss on them rises from the first epochs on.
    model = fit("cnn", X, y, (Xv, (np.arange(6) + 1) % 3), epochs=60, patience=2, monitor="loss", learning_rate=0.02)
    losses = model.history["val_loss"]
    assert len(losses) < 60
    assert np.argmin(losses) == len(losses) - 3


def test_without_validation_all_epochs_are_run():
    X, y = make([20] * 12)
    model = fit("cnn", X, y, epochs=5, patience=1)
    assert len(model.history["loss"]) == 5
    assert "val_loss" not in model.history


def test_training_can_be_watched_and_stopped():
    X, y = make([20] * 12)
    model = build_registry().get("model", "cnn").build({"epochs": 9, **TINY["cnn"]}, n_classes=3, seed=0)
    seen = []
    model.watch = lambda epoch, history: seen.append((epoch, history["loss"][-1])) or epoch == 2
    model.fit(X, y)
    assert [epoch for epoch, _ in seen] == [0, 1, 2]
    assert [loss for _, loss in seen] == model.history["loss"]


def test_standardisation_ignores_validation_and_test():
    X, y = make([20] * 12)
    Xv = [x + 100 for x in make([20] * 6, seed=8)[0]]
    alone, beside = (fit("cnn", X, y, part, epochs=1) for part in (None, (Xv, np.arange(6) % 3)))
    np.testing.assert_array_equal(alone.preparation.mean, beside.preparation.mean)
    np.testing.assert_array_equal(alone.preparation.scale, beside.preparation.scale)


def test_class_weights_raise_the_rare_class():
    random = np.random.default_rng(0)
    y = np.array([0] * 40 + [1] * 4 + [2] * 4)
    X = [random.normal(size=(20, 16)).astype(np.float32) for _ in y]
    how = {
        "epochs": 8,
        "label_smoothing": 0.0,
        "learning_rate": 5e-3,
        "dropout": 0.0,
    }
    fresh = [random.normal(size=(20, 16)).astype(np.float32) for _ in range(60)]
    balanced = fit("cnn", X, y, class_weight="balanced", **how).predict_proba(fresh).mean(axis=0)
    plain = fit("cnn", X, y, class_weight=None, **how).predict_proba(fresh).mean(axis=0)
    assert balanced[1] + balanced[2] > plain[1] + plain[2]


def test_count_params_is_the_size_of_the_network():
    X, y = make([20] * 12)
    model = fit("cnn", X, y, epochs=1)
    assert model.count_params() == sum(int(np.prod(weight.shape)) for weight in model.model.weights)


def test_every_training_parameter_is_in_every_card():
    registry = build_registry()
    for name in TINY:
        assert set(TRAINING) <= set(registry.get("model", name).params)
