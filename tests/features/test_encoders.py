"""Encoders against a direct call of transformers; padding, batches and windows; one layer or many; bad folders."""

import json
import re
import shutil

import numpy as np
import pytest
from tiny_encoders import ARCHITECTURES, HIDDEN, LAYERS, save_encoder

from serbench.errors import FeatureError, UnknownName
from serbench.features.encoders import running
from serbench.features.encoders.filling import PENDING, base_sets
from serbench.features.encoders.place import Place
from serbench.features.encoders.pooling import layer_weights, sequence, statistics, vector
from serbench.features.encoders.weights import check_folder, find_weights
from serbench.features.encoders.windows import join, starts
from serbench.features.extract import Utterance, extract_into
from serbench.features.ssl import ssl_spec
from serbench.features.store import FeatureStore

pytest.importorskip("torch", reason="the extra `encoders` is not installed")
pytest.importorskip("transformers", reason="the extra `encoders` is not installed")
# Large models normalise every frame by itself, base models over time.
KINDS = [*((name, {}) for name in ARCHITECTURES), ("wav2vec2", {"feat_extract_norm": "layer"}),
         ("wavlm", {"feat_extract_norm": "layer", "do_stable_layer_norm": True})]  # fmt: skip
each_kind = pytest.mark.parametrize(("architecture", "settings"), KINDS, ids=lambda value: str(value))


def noise(seconds: float, seed: int = 0) -> np.ndarray:
    return (0.1 * np.random.default_rng(seed).standard_normal(int(16_000 * seconds))).astype(np.float32)


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A folder with one encoder of each architecture, by its name."""
    root = tmp_path_factory.mktemp("weights")
    for name in ARCHITECTURES:
        save_encoder(root / name, name)
    return root


@pytest.fixture
def place(weights, tmp_path):
    running.release()
    return Place(weights, "cpu", tmp_path / "cache")


def called_directly(folder, signal):
    """Hidden states of one signal, as the documentation of transformers computes them: (layers + 1, frames, d)."""
    import torch
    import transformers

    extractor = transformers.AutoFeatureExtractor.from_pretrained(folder)
    model = transformers.AutoModel.from_pretrained(folder).eval()
    model = model.encoder if hasattr(model, "decoder") else model
    given = extractor(signal, sampling_rate=16_000, return_tensors="pt")
    given.pop("attention_mask", None)
    with torch.no_grad():
        states = model(**given, output_hidden_states=True).hidden_states
    return torch.stack(states)[:, 0].numpy()


@each_kind
def test_an_encoder_equals_a_direct_call(tmp_path, architecture, settings):
    folder = save_encoder(tmp_path / "model", architecture, **settings)
    signal = noise(1.234)
    (found,) = running.Encoder(check_folder(folder, "model")).encode([signal])
    expected = called_directly(folder, signal)
    assert found.dtype == np.float32
    assert found.shape == (LAYERS + 1, 62 if architecture == "whisper" else 61, HIDDEN)
    np.testing.assert_allclose(found, expected[:, : found.shape[1]], atol=1e-5)


@each_kind
def test_neither_padding_nor_company_changes_an_embedding(tmp_path, architecture, settings):
    encoder = running.Encoder(check_folder(save_encoder(tmp_path / "model", architecture, **settings), "model"))
    signals = [noise(seconds, seed) for seed, seconds in enumerate([0.4, 1.9, 1.0, 0.7])]
    alone = [encoder.encode([signal])[0] for signal in signals]
    encoder.at_once = 10**9
    together = encoder.encode(signals)
    in_pairs = encoder.encode(signals[:2]) + encoder.encode(signals[2:])
    for one, many, pair in zip(alone, together, in_pairs, strict=True):
        assert one.shape == many.shape == pair.shape
        np.testing.assert_allclose(many, one, atol=1e-5)
        np.testing.assert_allclose(pair, one, atol=1e-5)


def test_batches_hold_what_is_about_as_long(place, weights):
    encoder = running.Encoder(check_folder(weights / "wav2vec2", "wav2vec2"))
    windows = [np.zeros(length) for length in (5, 90, 6, 100, 50)]
    assert list(encoder._batches(windows)) == [[3], [1], [4], [2], [0]]
    encoder.at_once = 200
    assert list(encoder._batches(windows)) == [[3, 1], [4, 2, 0]]


@pytest.mark.parametrize("architecture", ["wav2vec2", "whisper"])
def test_long_audio_is_heard_in_overlapping_windows(weights, monkeypatch, architecture):
    folder = weights / architecture
    encoder = running.Encoder(check_folder(folder, architecture))
    encoder.longest = 32_000
    signal = noise(5.0)
    (found,) = encoder.encode([signal])
    # Windows of 2 s every second: frame 60 lies in the middle of the first one.
    assert starts(len(signal), 32_000) == [0, 16_000, 32_000, 48_000]
    assert found.shape[1] == (250 if architecture == "whisper" else 249)
    prepared = encoder._prepared(signal)
    (first,) = encoder._run([prepared[:32_000]])
    (last,) = encoder._run([prepared[48_000:]])
    np.testing.assert_allclose(found[:, :74], first[:, :74], atol=1e-6)
    np.testing.assert_allclose(found[:, -60:], last[:, -60:], atol=1e-6)


def test_windows_of_half_a_minute_cover_any_length():
    for samples in (1, 480_000, 480_001, 900_000, 1_234_567):
        begins = starts(samples, 480_000)
        counts = [(min(samples - begin, 480_000) - 400) // 320 + 1 if samples >= 400 else 1 for begin in begins]
        # Each frame says where it is.
        parts = [
            np.arange(begin // 320, begin // 320 + count)[None, :, None]
            for begin, count in zip(begins, counts, strict=True)
        ]
        assert join(parts, begins)[0, :, 0].tolist() == list(range(max((samples - 400) // 320 + 1, 1)))


def test_a_signal_shorter_than_a_frame_is_refused(weights):
    encoder = running.Encoder(check_folder(weights / "wav2vec2", "wav2vec2"))
    assert encoder.encode([noise(0.025)])[0].shape[1] == 1
    with pytest.raises(FeatureError, match="24 ms of sound, a frame takes 25 ms"):
        encoder.encode([noise(0.0245)])


@pytest.fixture
def utterances(tmp_path, make_wav):
    """Three files as (content, path)."""
    return [(f"c{n}", str(make_wav(tmp_path / f"{n}.wav", seconds))) for n, seconds in enumerate((0.5, 1.1, 0.8))]


def filled(place, utterances, **params):
    spec = ssl_spec(place).choose({"model": "wav2vec2", **params})
    store = FeatureStore(place.cache / "features")
    failures = extract_into(store, [(spec, {"model": "wav2vec2", **params})], utterances)
    assert failures == []
    return store.read(spec, {"model": "wav2vec2", **params}, ["a", "b", "c"], [content for content, _ in utterances])


def test_what_is_stored_is_what_a_direct_call_gives(place, weights, utterances):
    from serbench.corpora.audio import decode

    expected = [called_directly(weights / "wav2vec2", decode(path, 16_000)) for _, path in utterances]
    found = filled(place, utterances, layer=2, pool="mean_std")
    np.testing.assert_allclose(found.values, [np.r_[each[2].mean(0), each[2].std(0)] for each in expected], atol=1e-5)
    np.testing.assert_allclose(filled(place, utterances).values, [each.mean((0, 1)) for each in expected], atol=1e-5)
    frames = filled(place, utterances, layer=3, pool="none")
    # These have been float16.
    np.testing.assert_allclose(frames.values, np.concatenate([each[3] for each in expected]), atol=2e-3)
    assert isinstance(frames.values.base, np.memmap) or isinstance(frames.values, np.memmap)


def test_another_layer_or_pooling_needs_no_encoder(place, utterances, monkeypatch):
    first = filled(place, utterances)
    monkeypatch.setattr(running, "Encoder", None)
    running.release()
    assert filled(place, utterances, layer=1, pool="mean_std").values.shape == (3, 2 * HIDDEN)
    assert filled(place, utterances, layer="weighted").values.shape == first.values.shape
    lengths = [np.diff(filled(place, utterances, pool="none", hop=hop).offsets).tolist() for hop in (20, 40, 80)]
    assert lengths == [[24, 54, 39], [12, 27, 20], [6, 14, 10]]
    store = FeatureStore(place.cache / "features")
    version = ssl_spec(place).choose({"model": "wav2vec2"}).version
    entries = store.entries(base_sets(version)[0], {}, [content for content, _ in utterances])
    assert {entry.dtype for entry in entries.values()} == {np.dtype(np.float16)}
    assert all(isinstance(entry, np.memmap) for entry in entries.values())
    assert [len(entries[f"c{n}"]) for n in range(3)] == [(LAYERS + 1) * count for count in (24, 54, 39)]


def test_a_file_that_cannot_be_described_is_named_and_the_others_are_kept(place, utterances, tmp_path, make_wav):
    short = ("short", str(make_wav(tmp_path / "short.wav", 0.01)))
    (tmp_path / "noise.wav").write_bytes(b"no audio")
    spec, params = ssl_spec(place).choose({"model": "wav2vec2"}), {"model": "wav2vec2"}
    store = FeatureStore(place.cache / "features")
    items = [utterances[0], short, ("broken", str(tmp_path / "noise.wav")), *utterances[1:]]
    failures = dict(extract_into(store, [(spec, params)], items))
    assert sorted(failures) == sorted([short[1], str(tmp_path / "noise.wav")])
    assert "10 ms of sound" in failures[short[1]]
    assert store.missing(spec, params, [content for content, _ in items]) == ["short", "broken"]


def test_pending_frames_are_written_before_they_fill_the_memory(place, utterances, monkeypatch):
    import serbench.features.encoders.filling as filling

    assert PENDING < 2**28
    monkeypatch.setattr(filling, "PENDING", 1)
    filled(place, utterances)
    version = ssl_spec(place).choose({"model": "wav2vec2"}).version
    folder = FeatureStore(place.cache / "features").path(base_sets(version)[0], {})
    assert len(list(folder.glob("*.shard"))) == len(utterances)


def test_layers_and_pooling_by_hand():
    frames = np.arange(2 * 5 * 3, dtype=np.float32).reshape(2, 5, 3)
    pooled = statistics(frames)
    assert pooled.shape == (4, 2, 3)
    assert vector(pooled, 1, "mean").tolist() == [21, 22, 23]
    np.testing.assert_allclose(vector(pooled, "mean", "mean_std"), [13.5, 14.5, 15.5, *[np.sqrt(18)] * 3], rtol=1e-6)
    assert sequence(frames, 0, 40).tolist() == [[1.5, 2.5, 3.5], [7.5, 8.5, 9.5], [12, 13, 14]]
    assert sequence(frames.astype(np.float16), "mean", 80)[:, 0].tolist() == [12, 19.5]
    assert layer_weights("weighted", 13).argmax() == 6
    assert layer_weights("weighted", 13).sum() == pytest.approx(1)


def test_the_plugin_path_describes_one_signal_too(place):
    spec = ssl_spec(place).choose({"model": "hubert", "pool": "none", "hop": 40})
    assert (spec.kind, spec.hop) == ("sequence", 0.04)
    found = Utterance(noise(1.0), 16_000).describe(spec, {"model": "hubert", "pool": "none", "hop": 40})
    assert found.shape == (25, HIDDEN) and found.dtype == np.float32


@pytest.mark.parametrize(
    ("params", "error", "said"),
    [
        ({}, FeatureError, "model is None"),
        ({"model": "wav2vec2", "layer": 99}, FeatureError, "no layer 99.*0 to 3"),
        ({"model": "wavlm-base-plus", "layer": 13}, FeatureError, "no layer 13.*0 to 12"),
        ({"model": "wav2vec2", "layer": True}, FeatureError, "no layer True"),
        ({"model": "wav2vec2", "pool": "meen"}, UnknownName, "did you mean 'mean'"),
        ({"model": "wav2vec2", "hop": 30}, FeatureError, "hop is 30"),
        ({"model": "wav2vec2", "hop": 40}, FeatureError, "goes with `pool: none`"),
        ({"model": "wav2vec2", "revision": "main"}, FeatureError, "40 digits of a commit"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(place, params, error, said):
    with pytest.raises(error) as raised:
        ssl_spec(place).choose(params)
    assert re.search(said, str(raised.value).replace("\n", " "))


def damage(folder, how):
    """Do one thing to a folder that makes it unusable."""
    config = json.loads((folder / "config.json").read_text())
    preprocessor = json.loads((folder / "preprocessor_config.json").read_text())
    file = folder / "model.safetensors"
    if how == "no config":
        (folder / "config.json").unlink()
    elif how == "config is a list":
        (folder / "config.json").write_text("[]")
    elif how == "unknown architecture":
        (folder / "config.json").write_text(json.dumps({**config, "model_type": "bert"}))
    elif how == "no layers":
        (folder / "config.json").write_text(json.dumps({**config, "num_hidden_layers": "many"}))
    elif how == "another frame rate":
        (folder / "config.json").write_text(json.dumps({**config, "conv_stride": [5, 2, 2, 2, 2, 2, 4]}))
    elif how == "wrong sampling rate":
        (folder / "preprocessor_config.json").write_text(json.dumps({**preprocessor, "sampling_rate": 8000}))
    elif how == "no preprocessor":
        (folder / "preprocessor_config.json").unlink()
    elif how == "pickled only":
        file.rename(folder / "pytorch_model.bin")
    elif how == "no weights":
        file.unlink()
    elif how == "cut short":
        file.write_bytes(file.read_bytes()[:-100])
    elif how == "cut in its header":
        file.write_bytes(file.read_bytes()[:50])
    elif how == "no safetensors":
        file.write_bytes(b"\xff" * 1000)
    elif how == "a part is missing":
        file.unlink()
        (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": "part-1.safetensors"}}))


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("no config", "no config.json"),
        ("config is a list", "holds no mapping"),
        ("unknown architecture", "unknown architecture 'bert'"),
        ("no layers", "num_hidden_layers 'many'"),
        ("another frame rate", "a frame every 640 samples"),
        ("wrong sampling rate", "a sampling rate of 8000, expected 16000"),
        ("no preprocessor", "no preprocessor_config.json"),
        ("pickled only", "only pickled weights (pytorch_model.bin): refused"),
        ("no weights", "no model.safetensors"),
        ("cut short", "cut short: "),
        ("cut in its header", "its header cannot be read"),
        ("no safetensors", "its header cannot be read"),
        ("a part is missing", "no part-1.safetensors"),
    ],
)
def test_a_folder_that_cannot_be_used_makes_a_skipped_row_with_the_reason(weights, tmp_path, how, said):
    folder = tmp_path / "w" / "wav2vec2"
    shutil.copytree(weights / "wav2vec2", folder)
    damage(folder, how)
    with pytest.raises(FeatureError) as raised:
        check_folder(folder, "wav2vec2")
    assert said in str(raised.value) and str(folder) in str(raised.value)
    assert said in ssl_spec(Place(tmp_path / "w", "cpu", tmp_path)).choose({"model": "wav2vec2"}).unavailable


def test_weights_of_another_configuration_are_refused_when_they_are_loaded(weights, tmp_path):
    folder = tmp_path / "wav2vec2"
    shutil.copytree(weights / "wav2vec2", folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "num_hidden_layers": 5}))
    with pytest.raises(FeatureError, match=r"the weights lack .* tensors"):
        running.Encoder(check_folder(folder, "wav2vec2"))


def test_pickles_beside_safetensors_are_never_read(weights, tmp_path):
    folder = tmp_path / "wav2vec2"
    shutil.copytree(weights / "wav2vec2", folder)
    (folder / "pytorch_model.bin").write_bytes(b"this would fail to unpickle")
    signal = noise(0.5)
    (found,) = running.Encoder(check_folder(folder, "wav2vec2")).encode([signal])
    np.testing.assert_allclose(found, called_directly(weights / "wav2vec2", signal), atol=1e-5)


def test_identity_is_of_the_content_and_not_of_the_place(weights, tmp_path):
    shutil.copytree(weights / "wav2vec2", tmp_path / "elsewhere")
    same = check_folder(tmp_path / "elsewhere", "elsewhere", tmp_path / "cache")
    assert same.identity == check_folder(weights / "wav2vec2", "wav2vec2").identity
    file = tmp_path / "elsewhere" / "model.safetensors"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    assert check_folder(tmp_path / "elsewhere", "elsewhere", tmp_path / "cache").identity != same.identity


def test_a_model_is_found_by_name_short_name_folder_and_revision(weights, tmp_path):
    root, commit, other = tmp_path / "w", "a" * 40, "b" * 40
    shutil.copytree(weights / "wavlm", root / "microsoft" / "wavlm-base-plus")
    shutil.copytree(weights / "hubert", root / "hubert-base-ls960")
    for name in (commit, other):
        shutil.copytree(weights / "wav2vec2", root / "models--facebook--wav2vec2-base" / "snapshots" / name)
    found = {
        name: find_weights(name, root, None).architecture
        for name in (
            "wavlm-base-plus",
            "microsoft/wavlm-base-plus",
            "facebook/hubert-base-ls960",
            str(weights / "whisper"),
        )
    }
    assert list(found.values()) == ["wavlm", "wavlm", "hubert", "whisper"]
    assert find_weights("wav2vec2-base", root, None, other).revision == other
    with pytest.raises(FeatureError, match="2 revisions"):
        find_weights("wav2vec2-base", root, None)
    (root / "models--facebook--wav2vec2-base" / "refs").mkdir()
    (root / "models--facebook--wav2vec2-base" / "refs" / "main").write_text(commit)
    assert find_weights("wav2vec2-base", root, None).revision == commit
    with pytest.raises(FeatureError, match=f"snapshots/{'c' * 40}"):
        find_weights("wav2vec2-base", root, None, "c" * 40)


def test_absent_weights_are_told_file_by_file(tmp_path):
    reason = ssl_spec(Place(tmp_path, "cpu", tmp_path)).choose({"model": "wavlm-large"}).unavailable
    for part in (
        "config.json",
        "preprocessor_config.json",
        "model.safetensors",
        str(tmp_path / "microsoft/wavlm-large"),
    ):
        assert part in reason
    assert "serbench weights get microsoft/wavlm-large" in reason


def test_emotion2vec_is_named_as_not_supported(tmp_path):
    for name in ("emotion2vec", "iic/emotion2vec_plus_large"):
        reason = ssl_spec(Place(tmp_path, "cpu", tmp_path)).choose({"model": name}).unavailable
        assert "not supported" in reason and "FunASR" in reason


def test_each_worker_takes_a_gpu_of_its_own(tmp_path, monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    taken = []
    for _ in range(3):
        running.own_device.cache_clear()
        taken.append(running.own_device("auto", tmp_path))
    for lock in running._HELD:
        lock.release()
    running._HELD.clear()
    running.own_device.cache_clear()
    assert taken == ["cuda:0", "cuda:1", "cuda:0"]
