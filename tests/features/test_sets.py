"""The feature sets: shapes, lengths from one sample to 30 s, silence, and what they share."""

import importlib
from importlib.util import find_spec

import numpy as np
import pytest
from feature_signals import RATE, speech_like

from serbench.errors import FeatureError, UnknownName
from serbench.features.api import extract
from serbench.features.contract import check_features
from serbench.features.extract import Utterance
from serbench.features.handcrafted import HANDCRAFTED
from serbench.features.handcrafted_sequence import HANDCRAFTED_SEQUENCE
from serbench.features.logmel import LOGMEL
from serbench.features.mfcc import MFCC
from serbench.features.mfcc_sequence import MFCC_SEQUENCE
from serbench.features.silence import trim_silence
from serbench.features.spectral import Analysis, analysis
from serbench.features.voice import VOICE
from serbench.features.voice_sequence import VOICE_SEQUENCE
from serbench.registry import build_registry
from serbench.specs import FeatureSpec

SETS = [
    (MFCC, 80),
    (HANDCRAFTED, 1377),
    (VOICE, 2204),
    (MFCC_SEQUENCE, 40),
    (LOGMEL, 64),
    (HANDCRAFTED_SEQUENCE, 61),
    (VOICE_SEQUENCE, 68),
]
each_set = pytest.mark.parametrize(("spec", "dimensions"), SETS, ids=lambda value: getattr(value, "name", None))


@each_set
@pytest.mark.parametrize("seconds", [0.3, 2.0, 30.0])
def test_shape_at_any_length(spec, dimensions, seconds):
    features = extract(speech_like(seconds), spec)
    assert features.dtype == np.float32
    if spec.kind == "vector":
        assert features.shape == (dimensions,)
    else:
        assert features.shape == (1 + int(seconds * RATE) // round(spec.hop * RATE), dimensions)


@each_set
@pytest.mark.parametrize("samples", [1, 100, 5000])
@pytest.mark.parametrize("level", [0.0, 1.0])
def test_silence_constants_and_a_few_samples_give_finite_values(spec, dimensions, samples, level):
    features = extract(np.full(samples, level, dtype=np.float32), spec, trim=30)
    assert features.shape[-1] == dimensions
    assert np.isfinite(features).all()


@each_set
def test_same_signal_same_bits_and_the_signal_is_left_alone(spec, dimensions):
    signal = speech_like(1.5)
    before = signal.copy()
    assert extract(signal, spec).tobytes() == extract(signal, spec).tobytes()
    assert (signal == before).all()


@each_set
def test_shared_analysis_gives_what_the_set_alone_gives(spec, dimensions):
    signal = speech_like(1.2)
    utterance = Utterance(signal, RATE)
    for other, _ in SETS:
        utterance.describe(other, {})
    assert utterance.describe(spec, {}).tobytes() == spec.extract(signal, RATE, **spec.params).tobytes()


def test_one_transform_feeds_all_sets(monkeypatch):
    analysed = []

    class Counting(Analysis):
        def __init__(self, signal, rate, warp):
            analysed.append(len(signal))
            super().__init__(signal, rate, warp=warp)

    monkeypatch.setattr("serbench.features.extract.Analysis", Counting)
    utterance = Utterance(speech_like(1.0), RATE)
    for spec, _ in SETS:
        utterance.describe(spec, {})
    assert len(analysed) == 1


def test_what_sets_share_cannot_be_changed_by_one_of_them():
    analysis = Analysis(speech_like(0.5), RATE)
    assert analysis.contrast() is analysis.contrast()
    with pytest.raises(ValueError, match="read-only"):
        analysis.contrast()[0] = 0


@pytest.mark.parametrize("spec", build_registry().all("features"), ids=lambda spec: spec.name)
def test_every_set_keeps_the_contract_of_plug_ins(spec):
    if absent := [package for package in spec.requires if find_spec(package) is None]:
        pytest.skip(f"not installed: {', '.join(absent)}")
    if spec.choose:
        pytest.skip("names no encoder: its tests are in test_encoders")
    checks = check_features(spec)
    assert len(checks) >= 4
    assert [check for check in checks if check.ok is False] == []


def test_sets_are_named_as_their_constants_say():
    for spec, _ in SETS:
        module = importlib.import_module(f"serbench.features.{spec.name}")
        assert getattr(module, spec.name.upper()) is spec
        assert spec.rate == analysis.RATE
        assert spec.kind == "vector" or spec.hop == analysis.HOP / analysis.RATE


def test_handcrafted_leaves_out_silence_around_the_voice():
    voice = speech_like(1.6)
    silence = np.zeros(RATE, dtype=np.float32)
    padded = np.concatenate([silence, voice, silence])
    alone, within = extract(voice, "handcrafted"), extract(padded, "handcrafted")
    # Duration of the active part is the last value; its mean MFCC come first.
    assert within[-1] == pytest.approx(alone[-1], abs=0.13)
    assert np.abs(within[1:13] - alone[1:13]).max() < 8
    assert within[-2] < alone[-2]
    # The mean over all frames, silence included, is far off.
    assert np.abs(extract(padded, "mfcc")[0] - extract(voice, "mfcc")[0]) > 50


def test_functionals_of_handcrafted_are_parts_of_the_whole():
    signal = speech_like(0.9)
    whole, n_values = extract(signal, "handcrafted"), 125
    bounds = {"moments": (0, 2), "percentiles": (2, 7), "slope_moments": (7, 9), "slope_percentiles": (9, 11)}
    for name, (first, last) in bounds.items():
        part = extract(signal, "handcrafted", functionals=[name])
        assert np.array_equal(part, np.r_[whole[first * n_values : last * n_values], whole[-2:]])
    both = extract(signal, "handcrafted", functionals=["slope_percentiles", "moments"])
    assert np.array_equal(both, np.r_[whole[:250], whole[1125:]])
    for wrong in ([], ["median"], ["moments", "median"]):
        with pytest.raises(FeatureError, match="functionals") as caught:
            extract(signal, "handcrafted", functionals=wrong)
        assert "slope_moments" in str(caught.value)


@pytest.mark.parametrize("top_db", [10, 30, 60])
@pytest.mark.parametrize("seed", range(5))
def test_trim_equals_librosa(seed, top_db):
    import librosa

    rng = np.random.default_rng(seed)
    pause = 1e-4 * rng.standard_normal(RATE // 2).astype(np.float32)
    signal = np.concatenate([pause, speech_like(0.8, seed), pause[:3000]])
    theirs, _ = librosa.effects.trim(signal, top_db=top_db)
    ours = trim_silence(signal, top_db)
    assert len(ours) == len(theirs)
    assert (ours == theirs).all()


def test_trim_cuts_what_the_set_sees():
    signal = np.concatenate([np.zeros(RATE, dtype=np.float32), speech_like(1.0)])
    assert len(extract(signal, "logmel", trim=40)) < len(extract(signal, "logmel")) - 40
    assert len(trim_silence(np.zeros(5000, dtype=np.float32), 30)) == 5000


def test_bad_parameters_are_named():
    signal = speech_like(0.5)
    with pytest.raises(UnknownName, match="actve_db") as caught:
        extract(signal, "handcrafted", actve_db=20)
    assert "active_db" in str(caught.value)
    for trim in (-3, 0, "loud", True):
        with pytest.raises(FeatureError, match="trim"):
            extract(signal, "mfcc", trim=trim)
    with pytest.raises(UnknownName, match="did you mean 'mfcc'"):
        extract(signal, "mfc")


@pytest.mark.parametrize(
    "samples",
    [np.zeros(0), np.zeros((2, 100)), np.array([0.1, np.nan]), np.array([1, 2, 3])],
    ids=["empty", "stereo", "nan", "integers"],
)
def test_bad_samples_are_refused(samples):
    with pytest.raises(FeatureError):
        extract(samples, "mfcc")


def test_samples_of_another_rate_are_converted():
    time = np.arange(48_000) / 48_000
    tone = (0.1 * np.sin(2 * np.pi * 440 * time)).astype(np.float32)
    frames = extract(tone, "handcrafted_sequence", rate=48_000)
    assert len(frames) == 63
    assert frames[30, 40:52].argmax() == 9


@pytest.mark.parametrize(
    ("result", "complaint"),
    [
        (np.zeros((3, 2)), "shape"),
        (np.zeros(0), "shape"),
        (np.array([1.0, np.inf]), "not finite"),
        (np.array([1e300]), "not finite"),
        (np.array(["a"]), "type"),
    ],
)
def test_a_set_that_gives_nonsense_is_named_with_the_utterance(result, complaint):
    spec = FeatureSpec(name="odd", version="1", kind="vector", extract=lambda signal, rate: result)
    with pytest.raises(FeatureError, match=complaint) as caught:
        Utterance(speech_like(0.3), RATE, "emodb/03a01Fa").describe(spec, {})
    assert "odd of emodb/03a01Fa" in str(caught.value)


def test_a_set_that_raises_is_named_with_its_reason():
    def extract(signal, rate):
        raise ZeroDivisionError("no pitch")

    spec = FeatureSpec(name="odd", version="1", kind="vector", extract=extract)
    with pytest.raises(FeatureError, match="ZeroDivisionError: no pitch"):
        Utterance(speech_like(0.3), RATE).describe(spec, {})
