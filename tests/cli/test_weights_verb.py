"""`serbench weights`: what is here, the cards, and getting what is absent; and the options that go with it."""

from __future__ import annotations

import shutil

import pytest

from serbench.circumstances import circumstances
from serbench.cli.main import build_app
from serbench.errors import DownloadError, FeatureError, UnknownName, UsageError
from serbench.features.encoders.cards import CARDS, COMPARED, find_card
from serbench.features.encoders.hub import WANTED, download
from serbench.registry import build_registry

COMMIT = "0" * 40


@pytest.fixture
def weights(tmp_path):
    """A folder with one usable encoder and one of pickles alone."""
    pytest.importorskip("transformers", reason="the extra `encoders` is not installed")
    from tiny_encoders import save_encoder

    save_encoder(tmp_path / "w" / "mine" / "tiny")
    shutil.copytree(tmp_path / "w" / "mine" / "tiny", tmp_path / "w" / "old")
    (tmp_path / "w" / "old" / "model.safetensors").rename(tmp_path / "w" / "old" / "pytorch_model.bin")
    return tmp_path / "w"


def said(capsys, *words) -> str:
    build_app()(list(map(str, words)), standalone_mode=False)
    return " ".join(capsys.readouterr().out.split())


def test_the_list_says_what_is_here_and_what_is_known(weights, tmp_path, capsys):
    text = said(capsys, "weights", "--weights", weights, "--cache", tmp_path / "cache")
    assert "mine/tiny: wav2vec2, 3 layers of 16" in text and "identity" in text
    assert "old: not usable:" in text and "only pickled weights (pytorch_model.bin)" in text
    assert all(card.model in text or card.short in text for card in CARDS)
    assert "not supported: emotion2vec" in text


def test_a_card_says_everything_and_where_the_files_go(tmp_path, capsys):
    text = said(capsys, "weights", "show", "whisper-large-v3", "--weights", tmp_path, "--cache", tmp_path / "cache")
    for part in ("Apache-2.0", "1550 million", "16000 Hz", "1280", "32 blocks", "unknown: aesdd", "model.safetensors"):
        assert part in text
    with pytest.raises(UnknownName, match="did you mean 'wavlm-large'"):
        said(capsys, "weights", "show", "wavlm-lage")


def test_the_usual_encoders_have_whole_cards():
    assert len(CARDS) == 11 and len({card.short for card in CARDS}) == 11
    for card in CARDS:
        assert find_card(card.short) is find_card(card.model) is card
        assert card.licence and card.training and card.languages and card.parameters > 50
        assert card.hidden in (768, 1024, 1280) and card.layers in (12, 24, 32)
        assert card.corpora <= COMPARED and card.revision in ("", card.revision[:40])


def test_every_corpus_here_was_compared_with_the_sources_on_the_cards():
    assert {spec.name for spec in build_registry().all("corpus") if not spec.user_named} == COMPARED


def test_nothing_is_downloaded_without_a_commit(tmp_path):
    for revision in (None, "main"):
        with pytest.raises(UsageError, match="40 digits"):
            download("wavlm-large", tmp_path, revision)


@pytest.fixture
def hub(monkeypatch):
    """Stand in for the hub's client: what it was asked for, and what it does."""
    client = pytest.importorskip("huggingface_hub", reason="the extra `encoders` is not installed")
    asked = []

    def install(act):
        def snapshot(name, **settings):
            asked.append((name, settings))
            return act(**settings)

        monkeypatch.setattr(client, "snapshot_download", snapshot)
        return asked

    return install


def test_a_pinned_revision_comes_without_pickles(hub, weights, tmp_path):
    asked = hub(lambda **_: str(weights / "mine" / "tiny"))
    found = download("wavlm-large", tmp_path, COMMIT)
    ((name, settings),) = asked
    assert name == found.model == "microsoft/wavlm-large"
    assert settings["revision"] == COMMIT and settings["allow_patterns"] == list(WANTED)
    assert not any(pattern.endswith((".bin", ".py")) for pattern in WANTED)
    download("whisper-small", tmp_path)
    assert asked[1][1]["revision"] == find_card("whisper-small").revision


def test_a_revision_of_pickles_alone_is_refused(hub, weights, tmp_path):
    hub(lambda **_: str(weights / "old"))
    with pytest.raises(FeatureError, match="refused"):
        download("wavlm-large", tmp_path, COMMIT)


def test_without_a_network_it_is_said_what_to_copy(hub, tmp_path):
    def fail(**_):
        raise OSError("Name or service not known")

    hub(fail)
    with pytest.raises(DownloadError, match=r"Name or service not known(.|\n)*copy the model's folder"):
        download("wavlm-large", tmp_path, COMMIT)


def test_where_and_on_what_comes_from_options_and_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("SERBENCH_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("SERBENCH_DEVICE", "cuda:1")
    around = circumstances()
    assert around.weights == tmp_path and around.device == "cuda:1"
    assert circumstances(device="cpu").device == "cpu"
    with pytest.raises(UsageError, match="'gpu' is no device"):
        circumstances(device="gpu")
    with pytest.raises(UsageError, match="no such folder"):
        circumstances(weights=tmp_path / "nothing")


def test_features_still_takes_a_suite_first(capsys):
    with pytest.raises(UnknownName, match="did you mean 'demo'"):
        build_app()(["features", "--jobs", "1", "demmo"], standalone_mode=False)
