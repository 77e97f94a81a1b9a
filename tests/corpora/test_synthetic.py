"""The synthetic corpus: the same everywhere, whole or absent, and as hard as a real one."""

from __future__ import annotations

import dataclasses
import itertools
import multiprocessing
from pathlib import Path

import numpy as np
import pytest

from serbench.corpora import synthetic
from serbench.corpora.loading import open_corpus
from serbench.corpora.synthesis.prosody import EMOTIONS, cast
from serbench.corpora.synthesis.voice import HOP, RATE, Controls, speak
from serbench.corpora.synthetic import LABELS, SYNTHETIC, load, utterances
from serbench.registry import build_registry

REGISTRY = build_registry()


@pytest.fixture(scope="module")
def corpus(shared_cache, tmp_path_factory):
    from serbench.circumstances import Circumstances

    folder = tmp_path_factory.mktemp("none")
    return open_corpus(SYNTHETIC, Circumstances(data=folder, cache=shared_cache, results=folder))


def test_design(corpus):
    table = corpus.table
    assert corpus.used == SYNTHETIC.utterances == 336
    assert corpus.findings == ()
    assert table.groupby(["speaker", "label", "text", "take"]).size().eq(1).all()
    assert table.groupby("gender")["speaker"].nunique().to_dict() == {"f": 4, "m": 4}
    assert table.groupby("official_fold")["gender"].nunique().eq(2).all()
    assert table["duration"].between(1.4, 2.51).all()
    assert LABELS == EMOTIONS == corpus.spec.labels


def test_it_is_deterministic_and_utterances_are_independent(corpus):
    import soundfile

    first = dict(itertools.islice(utterances(0), 8))
    for name, signal in first.items():
        path = corpus.table.set_index("utterance").loc[name, "path"]
        stored, rate = soundfile.read(path, dtype="float32")
        assert rate == RATE
        np.testing.assert_allclose(stored, signal, atol=1e-4)
        assert 0.01 < np.abs(signal).max() <= 0.96
    other = dict(itertools.islice(utterances(1), 1))
    name = next(iter(other))
    assert len(other[name]) != len(first[name]) or not np.allclose(other[name], first[name])


def test_women_speak_higher_than_men():
    pitch = {gender: [person.f0 for person in cast(0) if person.gender == gender] for gender in "fm"}
    assert min(pitch["f"]) > max(pitch["m"])


def test_the_voice_has_the_pitch_and_formants_asked_for():
    frames = 125
    controls = Controls(
        f0=np.full(frames, 200.0),
        voicing=np.ones(frames),
        frication=np.zeros(frames),
        level=np.zeros(frames),
        formants=np.tile([700.0, 1200.0, 2500.0, 3500.0], (frames, 1)),
        tilt=0.0,
        breath=-80.0,
        jitter=0.0,
        shimmer=0.0,
        open_quotient=0.6,
    )
    signal = speak(controls, np.random.default_rng(0))
    assert len(signal) == frames * HOP
    middle = signal[4000:12000] * np.hanning(8000)
    power = np.abs(np.fft.rfft(middle)) ** 2
    frequency = np.fft.rfftfreq(8000, 1 / RATE)
    harmonics = np.array([power[np.abs(frequency - 200 * k) < 10].max() for k in range(1, 20)])
    between = np.array([power[np.abs(frequency - 200 * k - 100) < 10].max() for k in range(1, 20)])
    assert (harmonics > 100 * between).all()
    assert 200 * (1 + harmonics[1:5].argmax() + 1) in (600, 800)  # next to the first formant
    assert harmonics[5] > harmonics[7]  # 1200 Hz, the second formant, above 1600 Hz


def load_few(root: Path) -> tuple[list[str], int]:
    """Load a corpus of three utterances; tells the files found and how many this process made."""
    made = []

    def few(seed: int):
        for name, signal in itertools.islice(utterances(seed), 3):
            made.append(name)
            yield name, signal

    synthetic.utterances = few  # in this process only
    return synthetic.load(root)["utterance"].tolist(), len(made)


def test_two_processes_make_it_once(tmp_path):
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        results = pool.map(load_few, [tmp_path, tmp_path], chunksize=1)
    assert results[0][0] == results[1][0]
    assert sorted(made for _, made in results) == [0, 3]
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == ["v1-seed0"]


def test_an_interrupted_making_leaves_nothing_that_looks_whole(tmp_path, monkeypatch):
    def dying(seed: int):
        yield next(utterances(seed))
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(synthetic, "utterances", dying)
        with pytest.raises(KeyboardInterrupt):
            load(tmp_path)
    assert not [path for path in tmp_path.iterdir() if path.is_dir()]


def librosa_mfcc(path: str) -> np.ndarray:
    """Mean and deviation of 40 MFCC, straight from librosa."""
    import librosa
    import soundfile

    signal, rate = soundfile.read(path, dtype="float32")
    mfcc = librosa.feature.mfcc(y=signal, sr=rate, n_mfcc=40, n_fft=512, hop_length=160, n_mels=64)
    return np.concatenate([mfcc.mean(axis=1), mfcc.std(axis=1)])


def handcrafted(path: str) -> np.ndarray:
    from serbench.features.api import extract

    return extract(path, "handcrafted", registry=REGISTRY)


@pytest.mark.parametrize("features", [librosa_mfcc, handcrafted])
def test_it_is_as_hard_as_a_real_corpus(corpus, features):
    from sklearn.metrics import balanced_accuracy_score
    from sklearn.model_selection import LeaveOneGroupOut, StratifiedKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    table = corpus.table
    values = np.array([features(path) for path in table["path"]])

    def uar(cost, folds, groups=None):
        model = make_pipeline(StandardScaler(), SVC(C=cost))
        predicted = cross_val_predict(model, values, table["label"], cv=folds, groups=groups)
        return balanced_accuracy_score(table["label"], predicted)

    for cost in (1, 10):
        random = uar(cost, StratifiedKFold(5, shuffle=True, random_state=0))
        unseen = uar(cost, LeaveOneGroupOut(), table["official_fold"])
        assert 0.75 <= random <= 0.97
        assert 2.5 / 7 < unseen <= random - 0.07


def test_a_cache_that_cannot_be_written(tmp_path):
    from serbench.errors import CorpusError

    (tmp_path / "file").write_text("in the way")
    with pytest.raises(CorpusError, match="cannot be made"):
        load(tmp_path / "file")


def test_another_seed_is_another_corpus():
    assert dataclasses.asdict(cast(0)[0])["f0"] != dataclasses.asdict(cast(1)[0])["f0"]
