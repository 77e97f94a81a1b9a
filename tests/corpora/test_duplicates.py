"""One recording under several names: found through what is usually done to copies, and called what it is."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import soundfile

from serbench.corpora.cremad import CREMAD
from serbench.corpora.duplicates import correlation, same_recordings
from serbench.corpora.emodb import EMODB
from serbench.corpora.loading import inspect_corpus
from serbench.corpora.presence import corpus_present
from serbench.corpora.ravdess import SONG_SPEC, SPEECH_SPEC
from serbench.corpora.savee import SAVEE
from serbench.corpora.tess import TESS

RATE = 16_000


def spoken(seed: int, take: int = 0, seconds: float = 1.6) -> np.ndarray:
    """Harmonics of a moving pitch in bursts; another take moves and is timed a little otherwise."""
    shape, detail = np.random.default_rng(seed), np.random.default_rng([seed, take])
    times = np.arange(int(seconds * RATE)) / RATE
    knots = 120 + 80 * shape.random(8) + 4 * detail.standard_normal(8)
    pitch = np.interp(times, np.linspace(0, seconds, 8), knots)
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    harmonics = sum(np.sin(k * phase + 6 * shape.random()) / k for k in range(1, 12))
    bursts = np.clip(np.sin(2 * np.pi * (3 + 0.1 * detail.standard_normal()) * times + shape.random()), 0, 1)
    return (0.1 * bursts * harmonics + 1e-4 * detail.standard_normal(len(times))).astype(np.float32)


def resampled(signal, rate):
    import soxr

    return soxr.resample(signal, RATE, rate), rate


def with_noise(signal):
    level = np.sqrt(np.mean(signal**2)) / 10
    return signal + (level * np.random.default_rng(1).standard_normal(len(signal))).astype(np.float32)


DISTORTIONS = {
    "mp3": lambda x: (x, RATE),
    "8 kHz": lambda x: resampled(x, 8_000),
    "44.1 kHz": lambda x: resampled(x, 44_100),
    "+6 dB": lambda x: (2 * x, RATE),
    "-6 dB": lambda x: (x / 2, RATE),
    "trimmed by 10 ms": lambda x: (x[163:], RATE),
    "trimmed by 200 ms": lambda x: (x[1600:-1607], RATE),
    "one bit": lambda x: (x + np.eye(1, len(x), 9000, dtype=np.float32)[0] * 2.0**-15, RATE),
    "stereo": lambda x: (np.stack([x, 0.7 * x], axis=1), RATE),
    "noise": lambda x: (with_noise(x), RATE),
    "upside down": lambda x: (-x, RATE),
}


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    """Eight sentences in two takes each."""
    folder = tmp_path_factory.mktemp("originals")
    paths = [folder / f"{seed}_{take}.wav" for seed in range(8) for take in range(2)]
    for path in paths:
        soundfile.write(path, spoken(*map(int, path.stem.split("_"))), RATE)
    return [str(path) for path in paths]


def test_other_takes_and_sentences_are_no_copies(originals):
    assert same_recordings(originals) == []


@pytest.mark.parametrize("name", DISTORTIONS)
def test_distorted_copies_are_found(originals, tmp_path, name):
    suffix = "mp3" if name == "mp3" else "wav"
    copies = [str(tmp_path / f"{number}.{suffix}") for number in range(len(originals))]
    for original, copy in zip(originals, copies, strict=True):
        soundfile.write(copy, *DISTORTIONS[name](soundfile.read(original, dtype="float32")[0]))
    found = same_recordings([*originals, *copies])
    assert [group.members for group in found] == [(at, at + len(originals)) for at in range(len(originals))]
    assert min(group.correlation for group in found) >= 0.9


def test_three_copies_are_one_group_and_broken_files_are_passed_over(originals, tmp_path):
    (tmp_path / "broken.wav").write_bytes(b"nothing")
    signal = soundfile.read(originals[3], dtype="float32")[0]
    for number, level in enumerate((0.5, 0.9)):
        soundfile.write(tmp_path / f"{number}.wav", level * signal, RATE)
    paths = [str(tmp_path / "broken.wav"), *originals[2:5], str(tmp_path / "0.wav"), str(tmp_path / "1.wav")]
    assert [group.members for group in same_recordings(paths)] == [(2, 4, 5)]
    assert same_recordings(paths[:1]) == []


def test_correlation_finds_a_lag_between_samples_and_ignores_little_overlap():
    signal = np.random.default_rng(0).standard_normal(4_000)
    # A band-limited signal, shifted by half a sample at the rate of the comparison.
    spectrum = np.fft.rfft(signal)
    spectrum[500:] = 0
    base = np.fft.irfft(spectrum)
    shifted = np.fft.irfft(spectrum * np.exp(-1j * np.pi * np.arange(len(spectrum)) / len(signal)))
    assert correlation(base, shifted) > 0.99
    assert correlation(base[:3000], base[1000:]) > 0.99
    assert correlation(base[:2500], base[2000:]) < 0.9  # a fifth is common
    assert correlation(base, np.zeros(4_000)) == 0


@pytest.fixture
def emodb(circumstances):
    def file(name: str, seed: int, level: float = 1.0) -> None:
        path = circumstances.data / "emodb" / f"{name}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, level * spoken(seed), RATE)

    return file


@pytest.mark.parametrize(
    ("copy", "level", "kind"),
    [
        ("03a02Fa", 0.8, "near duplicate"),
        ("03a01Wa", 0.8, "near duplicate under different labels"),
        ("08a01Fa", 0.8, "one recording under two speakers"),
        ("08a01Fa", 1.0, "one recording under two speakers"),  # equal to the last bit
    ],
)
def test_verifying_calls_a_copy_what_it_is(circumstances, emodb, copy, level, kind):
    emodb("03a01Fa", 1)
    emodb("09a01Na", 2)
    emodb(copy, 1, level)
    corpus, findings = inspect_corpus(EMODB, circumstances)
    finding = next(item for item in findings if item.kind == kind)
    assert finding.utterances == tuple(sorted(("03a01Fa", copy)))
    assert not finding.known and not finding.left_out
    assert corpus.used == (3 if level < 1 else 2)


def test_the_near_duplicates_of_cremad_are_on_its_card(circumstances):
    pairs = [
        "1017_IWL_ANG_XX 1017_IWL_FEA_XX",
        "1020_IEO_ANG_LO 1020_IEO_ANG_MD",
        "1028_IEO_HAP_LO 1028_IEO_HAP_MD",
        "1045_ITH_DIS_XX 1045_IWL_DIS_XX",
        "1056_MTI_ANG_XX 1056_TAI_ANG_XX",
        "1067_IEO_DIS_LO 1067_IEO_FEA_LO",
        "1072_IEO_ANG_LO 1072_IEO_DIS_MD",
    ]
    for seed, pair in enumerate(pairs):
        for level, name in zip((1.0, 0.7), pair.split(), strict=True):
            path = circumstances.data / "cremad" / f"{name}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(path, with_noise(level * spoken(seed)), RATE)
    _, findings = inspect_corpus(CREMAD, circumstances)
    near = [item for item in findings if item.kind.startswith("near duplicate")]
    assert sorted(" ".join(item.utterances) for item in near) == sorted(pairs)
    assert all(item.known for item in near)


@pytest.mark.real
@pytest.mark.parametrize("spec", [SPEECH_SPEC, SONG_SPEC, EMODB, CREMAD, SAVEE, TESS], ids=lambda spec: spec.name)
def test_real_corpora_have_no_near_duplicates_but_those_on_their_cards(circumstances, real_data, shared_cache, spec):
    parts = {} if (real_data / "cremad").is_dir() else {"cremad": real_data / "cremad_part"}
    around = dataclasses.replace(circumstances, data=real_data, cache=shared_cache, corpus_paths=parts)
    if not corpus_present(spec, around):
        pytest.skip(f"no {spec.name} here")
    corpus, findings = inspect_corpus(spec, around)
    found = [item for item in findings if "duplicate" in item.kind or "two speakers" in item.kind]
    assert [item for item in found if not item.known] == []
    # Six pairs, and one file that holds two others.
    assert len(found) == (7 if spec is CREMAD and not corpus.partial else 0)
