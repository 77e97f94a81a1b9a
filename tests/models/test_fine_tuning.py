"""Fine-tuned encoders: the models' contract, a direct call of transformers, the state kept, and what is refused."""

import numpy as np
import pytest
from tiny_encoders import save_encoder

from serbench.errors import ModelError
from serbench.features.encoders.place import Place
from serbench.features.waveform import FRAME, WAVEFORM
from serbench.models.contract import check_model
from serbench.models.fine_tuned import FINE_TUNED, fine_tuned_spec
from serbench.models.saving import load_model, save_model
from serbench.registry import build_registry

pytest.importorskip("torch", reason="the extra `encoders` is not installed")
pytest.importorskip("transformers", reason="the extra `encoders` is not installed")
QUICK = {"epochs": 3, "learning_rate": 0.003, "batch_size": 4}


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    root = tmp_path_factory.mktemp("weights")
    for architecture in ("wav2vec2", "hubert", "wavlm", "data2vec-audio", "whisper"):
        save_encoder(root / architecture, architecture)
    return root


def tones(count, seed, classes=2):
    """Noisy tones of a pitch for each class, in frames, of 0.1 to 0.3 s."""
    random = np.random.default_rng(seed)
    y = np.arange(count) % classes
    signals = []
    for code in y:
        times = np.arange(random.integers(1600, 4800)) / 16_000
        signals.append(np.sin(2 * np.pi * (200 + 600 * code) * times) + 0.1 * random.standard_normal(len(times)))
    return [WAVEFORM.extract(signal.astype(np.float32), 16_000) for signal in signals], y


def build(weights, model="hubert", **params):
    place = Place(weights, "cpu", None)
    return fine_tuned_spec(place).build({"model": model, **QUICK, **params}, n_classes=2, seed=1)


def test_it_keeps_the_contract_of_models(weights):
    checks = check_model(FINE_TUNED, {"model": str(weights / "hubert"), "learning_rate": 0.01, "epochs": 6})
    assert {check.name for check in checks if check.ok is False} == set()
    assert {check.name for check in checks if check.ok is None} == {"clones", "search space"}


@pytest.mark.parametrize("architecture", ["wav2vec2", "hubert", "wavlm", "data2vec-audio"])
def test_a_fitted_network_answers_as_transformers_itself(weights, architecture, tmp_path):
    import torch
    import transformers

    X, y = tones(8, seed=0)
    fitted = build(weights, architecture).fit(X, y)
    meta = {"cell": {"model": {"name": "fine_tuned"}}, "params": fitted.params, "labels": ["a", "b"], "seen": [0, 1]}
    save_model(fitted, tmp_path / "saved", meta)
    extractor = transformers.AutoFeatureExtractor.from_pretrained(tmp_path / "saved")
    network = transformers.AutoModelForAudioClassification.from_pretrained(tmp_path / "saved").eval()
    with torch.no_grad():
        logits = [network(**extractor(x.ravel(), sampling_rate=16_000, return_tensors="pt")).logits for x in X]
    direct = torch.cat(logits).softmax(dim=1).numpy()
    np.testing.assert_allclose(fitted.predict_proba(X), direct, atol=1e-6)
    # Saved models go where the weights that they came from are not.
    saved = load_model(tmp_path / "saved", build_registry())
    np.testing.assert_allclose(saved.predict_proba(X), direct, atol=1e-6)
    assert fitted.count_params() == sum(values.numel() for values in network.parameters())


def test_the_convolutions_stay_and_the_transformer_moves(weights):
    import torch
    import transformers

    before = transformers.AutoModel.from_pretrained(weights / "hubert").state_dict()
    after = build(weights).fit(*tones(8, seed=0)).model.hubert.state_dict()
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert not any(name.startswith("feature_extractor") for name in moved)
    assert any(name.startswith("encoder.layers.0") for name in moved)


def test_the_state_that_validation_likes_best_is_kept(weights):
    (X, y), (Xv, yv) = tones(8, seed=0), tones(6, seed=1)
    seen = []
    model = build(weights, epochs=4, validate_every=1)
    model.watch = lambda time, history: seen.append(model.predict_proba(Xv)) and False
    model.fit(X, y, validation=(Xv, yv))
    assert len(seen) == len(model.history["val_uar"]) == len(model.history["loss"]) == 8  # two batches an epoch
    ranked = [uar - 1e-6 * loss for uar, loss in zip(model.history["val_uar"], model.history["val_loss"], strict=True)]
    np.testing.assert_allclose(model.predict_proba(Xv), seen[int(np.argmax(ranked))], atol=1e-7)
    last = build(weights, epochs=4).fit(X, y)
    assert "val_uar" not in last.history and len(last.history["loss"]) == 4


def test_who_watches_can_stop_it(weights):
    model = build(weights, epochs=5)
    model.watch = lambda time, history: time == 1
    model.fit(*tones(8, seed=0))
    assert len(model.history["loss"]) == 2


def test_long_and_very_short_signals_are_heard(weights):
    model = build(weights, max_seconds=0.1).fit(*tones(8, seed=0))
    long = tones(1, seed=3)[0][0]
    np.testing.assert_array_equal(model.predict_proba([long]), model.predict_proba([long[:5]]))  # 100 ms
    short = model.predict_proba([np.full((1, FRAME), 0.1, dtype=np.float32)])  # less than the encoder's first frame
    assert np.isfinite(short).all()


def test_the_version_is_that_of_the_weights(weights, tmp_path):
    spec = fine_tuned_spec(Place(weights, "cpu", None))
    chosen = spec.choose({"model": "hubert"})
    assert chosen.version.startswith("1-") and not chosen.unavailable
    assert chosen.version != spec.choose({"model": "wavlm"}).version
    absent = spec.choose({"model": "wavlm-large"})
    assert absent.version == "1" and "no weights of 'wavlm-large'" in absent.unavailable
    assert "trained further are wav2vec2, hubert" in spec.choose({"model": "whisper"}).unavailable
    with pytest.raises(ModelError, match="name one"):
        spec.choose({})


def test_what_cannot_be_trained_further_is_refused(weights, tmp_path):
    with pytest.raises(ModelError, match="WhisperForAudioClassification is not trained further here"):
        build(weights, "whisper").fit(*tones(4, seed=0))
    import safetensors.numpy

    save_encoder(tmp_path / "hubert", "hubert")
    file = tmp_path / "hubert" / "model.safetensors"
    tensors = safetensors.numpy.load_file(file)
    dropped = sorted(name for name in tensors if "layers.0" in name)
    safetensors.numpy.save_file({name: tensors[name] for name in tensors if name not in dropped}, file)
    with pytest.raises(ModelError, match=f"lack {len(dropped)} tensors, such as hubert.encoder.layers.0"):
        build(tmp_path).fit(*tones(4, seed=0))
    with pytest.raises(ModelError, match="has not been fitted"):
        build(weights).predict_proba(tones(1, seed=0)[0])


def test_frames_hold_every_sample_in_order():
    signal = np.arange(1, 1001, dtype=np.float32)
    frames = WAVEFORM.extract(signal, 16_000)
    assert frames.shape == (4, FRAME) and frames.dtype == np.float32
    np.testing.assert_array_equal(frames.ravel()[:1000], signal)
    assert not frames.ravel()[1000:].any()
