"""The voice sets: signals of known pitch, periods and formants, bad input, and Praat on real speech."""

import runpy
import warnings
from pathlib import Path

import numpy as np
import pytest
from feature_signals import RATE, speech_like
from scipy.signal import lfilter

from serbench.features.api import extract
from serbench.features.phonation.balance import BALANCE, balance
from serbench.features.phonation.descriptors import SPECTRAL, VOICED, voiced_descriptors
from serbench.features.phonation.formants import formants
from serbench.features.phonation.functionals import FUNCTIONALS, describe, segments
from serbench.features.phonation.modulation import BANDS, modulation
from serbench.features.phonation.periods import periods
from serbench.features.phonation.pitch import CEILING_HZ, FLOOR_HZ, pitch
from serbench.features.spectral import HOP, Analysis

FORMANTS = (600.0, 1500.0, 2600.0)
INNER = slice(10, -10)


def pulses(marks, heights=None, formants=FORMANTS, width=80.0, tilt=0.0):
    """One second of pulses at `marks` (samples, with fractions), low-passed by `tilt`, through `formants`."""
    source = np.zeros(RATE)
    heights = np.ones(len(marks)) if heights is None else heights
    whole = np.floor(marks).astype(int)
    share = marks - whole
    np.add.at(source, whole, heights * (1 - share))
    np.add.at(source, whole + 1, heights * share)
    source = lfilter([1.0], [1.0, -tilt], source)
    for centre in formants:
        radius = np.exp(-np.pi * width / RATE)
        source = lfilter([1.0], [1.0, -2 * radius * np.cos(2 * np.pi * centre / RATE), radius**2], source)
    return (0.3 * source / np.abs(source).max()).astype(np.float32)


def vowel(hertz, **options):
    return pulses(np.arange(20, RATE - 20, RATE / hertz), **options)


@pytest.mark.parametrize("hertz", [75, 100, 151.3, 220, 330, 450, 600])
def test_pitch_of_a_vowel_is_that_of_its_pulses(hertz):
    track = pitch(Analysis(vowel(hertz), RATE))[INNER]
    np.testing.assert_allclose(track[:, 0], hertz, rtol=0.01)
    assert (track[:, 1] > 0.8).all()


def test_pitch_follows_a_glide():
    hertz = np.linspace(120, 300, RATE)
    marks = np.flatnonzero(np.diff(np.floor(np.cumsum(hertz) / RATE))).astype(float)
    track = pitch(Analysis(pulses(marks[marks < RATE - 2]), RATE))[INNER, 0]
    truth = hertz[np.arange(63) * HOP][INNER]
    np.testing.assert_allclose(track, truth, rtol=0.05)


def test_voicing_parts_vowel_noise_and_silence():
    noise = 0.05 * np.random.default_rng(0).standard_normal(RATE)
    signal = np.concatenate([vowel(180), noise, np.zeros(RATE), vowel(120)]).astype(np.float32)
    voiced = pitch(Analysis(signal, RATE))[:, 0] > 0
    second = RATE / HOP
    for start, truth in enumerate([True, False, False, True]):
        inner = voiced[round(start * second) + 4 : round((start + 1) * second) - 4]
        assert (inner == truth).mean() > 0.95


def test_hnr_is_the_ratio_of_tone_and_noise():
    noise = np.random.default_rng(0).standard_normal(RATE)
    voice = vowel(200).astype(np.float64)
    found = []
    for decibel in (5, 10, 20):
        noisy = voice + noise * np.sqrt((voice**2).mean() / 10 ** (decibel / 10))
        hnr = voiced_descriptors(Analysis(noisy.astype(np.float32), RATE))[INNER, VOICED.index("hnr")]
        found.append(np.median(hnr))
    np.testing.assert_allclose(found, [5, 10, 20], atol=1.5)


def test_jitter_and_shimmer_of_pulses():
    # One broad resonance: what rings on from one pulse into the next is small.
    rng, voice = np.random.default_rng(0), {"formants": (1500.0,), "width": 400.0}
    lengths, heights = rng.normal(82.0, 1.0, 190), rng.normal(1.0, 0.05, 190)
    irregular = periods(Analysis(pulses(np.cumsum(lengths) + 20, heights, **voice), RATE))[INNER].mean(axis=0)
    regular = periods(Analysis(pulses(np.arange(20.0, RATE - 20, 82), **voice), RATE))[INNER].mean(axis=0)
    truth = np.abs(np.diff(lengths)).mean() / lengths.mean(), np.abs(np.diff(heights)).mean() / heights.mean()
    np.testing.assert_allclose(irregular, truth, rtol=0.2)
    assert regular.max() < 1e-3


@pytest.mark.parametrize("resonances", [(300, 2200, 2900), (600, 1500, 2600), (700, 1100, 2500)])
def test_formants_are_the_resonances(resonances):
    # The pre-emphasis undoes the tilt of a voice.
    voice = vowel(110, formants=(*resonances, 3600, 4600), tilt=0.98)
    found = np.median(formants(Analysis(voice, RATE))[INNER], axis=0)
    np.testing.assert_allclose(found[:3], resonances, rtol=0.08)
    assert (found[3:] < 400).all()


def test_balance_of_a_tone_and_of_noise():
    time = np.arange(RATE) / RATE
    tone = (0.3 * np.sin(2 * np.pi * 3000 * time)).astype(np.float32)
    noise = (0.1 * np.random.default_rng(0).standard_normal(RATE)).astype(np.float32)
    of_tone = dict(zip(BALANCE, np.median(balance(Analysis(tone, RATE))[INNER], axis=0), strict=True))
    of_noise = dict(zip(BALANCE, np.median(balance(Analysis(noise, RATE))[INNER], axis=0), strict=True))
    assert of_tone["centroid"] == pytest.approx(3.0, abs=0.02)
    assert of_tone["roll_off"] == pytest.approx(3.0, abs=0.02)
    assert of_tone["entropy"] < 0.3 < 0.8 < of_noise["entropy"] <= 1
    assert of_tone["alpha_ratio"] < -40
    assert of_noise["alpha_ratio"] == pytest.approx(10 * np.log10(0.95 / 4), abs=1)
    assert of_noise["centroid"] == pytest.approx(4.0, abs=0.2)
    assert of_noise["spread"] == pytest.approx(8 / np.sqrt(12), abs=0.2)
    assert abs(of_noise["slope_0_500"]) < 8
    assert abs(of_tone["flux"]) < 1e-3 < of_noise["flux"]


def test_balance_equals_librosa():
    import librosa

    analysis = Analysis(speech_like(1.0), RATE)
    power = analysis.power.T.astype(np.float64) + 1e-10
    ours = dict(zip(BALANCE, balance(analysis).T, strict=True))
    theirs = (
        librosa.feature.spectral_centroid(S=power, sr=RATE)[0],
        librosa.feature.spectral_bandwidth(S=power, sr=RATE)[0],
    )
    np.testing.assert_allclose(ours["centroid"] * 1000, theirs[0], rtol=1e-3)
    np.testing.assert_allclose(ours["spread"] * 1000, theirs[1], rtol=1e-2)
    roll_off = librosa.feature.spectral_rolloff(S=power, sr=RATE, roll_percent=0.85)[0]
    np.testing.assert_allclose(ours["roll_off"] * 1000, roll_off, atol=RATE / 1024 + 1e-3)


def test_louder_is_louder_by_the_power_law():
    quiet, loud = (balance(Analysis(gain * speech_like(1.0), RATE))[:, 0].mean() for gain in (0.1, 1.0))
    assert loud / quiet == pytest.approx(100**0.33, rel=1e-3)


@pytest.mark.parametrize(("hertz", "column"), [(3, 0), (6, 1), (12, 2)])
def test_modulation_finds_the_rate_and_depth_of_an_envelope(hertz, column):
    frames = np.arange(250)
    bands = np.tile((1 + 0.5 * np.sin(2 * np.pi * hertz * frames * HOP / RATE))[:, None], 26)
    depth = modulation(bands, np.ones(250, dtype=bool))
    assert depth.shape == (BANDS, 3)
    # The root mean square of a sine of 0.5.
    np.testing.assert_allclose(depth[:, column], 0.5 / np.sqrt(2), rtol=0.1)
    assert depth[:, [k for k in range(3) if k != column]].max() < 0.1


def test_functionals_are_those_of_scipy():
    from scipy.stats import kurtosis, linregress, skew

    values = np.random.default_rng(1).gamma(2.0, 3.0, (40, 3)).astype(np.float32)
    found = dict(zip(FUNCTIONALS, describe(values, np.arange(40)), strict=True))
    np.testing.assert_allclose(found["mean"], values.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(found["percentile75"], np.percentile(values, 75, axis=0), rtol=1e-5)
    np.testing.assert_allclose(found["skewness"], skew(values), rtol=1e-3)
    np.testing.assert_allclose(found["kurtosis"], kurtosis(values, fisher=False), rtol=1e-3)
    lines = [linregress(np.linspace(0, 1, 40), column) for column in values.T]
    np.testing.assert_allclose(found["trend"], [line.slope for line in lines], rtol=1e-3)
    residual = [np.std(c - line.slope * np.linspace(0, 1, 40)) for c, line in zip(values.T, lines, strict=True)]
    np.testing.assert_allclose(found["residual"], residual, rtol=1e-3)
    change = np.diff(values, axis=0)
    np.testing.assert_allclose(found["rise"] + found["fall"], change.mean(axis=0), rtol=1e-3, atol=1e-5)
    inner = (values[1:-1] > values[:-2]) & (values[1:-1] >= values[2:])
    np.testing.assert_allclose(found["peaks"], inner.sum(axis=0) / 40, rtol=1e-5)


def test_changes_across_a_gap_do_not_count():
    values = np.array([[0.0], [1.0], [100.0], [101.0]], dtype=np.float32)
    found = dict(zip(FUNCTIONALS, describe(values, np.array([3, 4, 9, 10]))[:, 0], strict=True))
    assert found["rise"] == 1
    assert found["fall"] == found["peaks"] == 0
    assert not describe(values[:0], np.arange(0)).any()
    starts, lengths = segments(np.array([True, True, False, True]))
    assert (starts.tolist(), lengths.tolist()) == ([0, 3], [2, 1])


def bad_signals():
    rng, time = np.random.default_rng(0), np.arange(2 * RATE) / RATE
    yield "whisper", lfilter([1.0], [1.0, -0.5], 0.05 * rng.standard_normal(2 * RATE))
    yield "100 ms", speech_like(0.1)
    yield "pure tone", 0.5 * np.sin(2 * np.pi * 200 * time)
    yield "one sample", np.array([0.5])
    yield "clipped", np.clip(20 * speech_like(2.0), -1, 1)
    yield "silence", np.zeros(RATE)
    yield "constant", np.full(RATE, 0.3)
    yield "too low a voice", np.sign(np.sin(2 * np.pi * 40 * time)) * 0.3
    yield "too high a voice", 0.3 * np.sin(2 * np.pi * 1500 * time)
    yield "an impulse", np.eye(1, RATE, RATE // 2)[0]
    yield "barely any sound", 1e-6 * rng.standard_normal(RATE)


@pytest.mark.parametrize(
    ("name", "signal"), list(bad_signals()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_bad_input_gives_defined_values_without_a_warning(name, signal):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        vector = extract(signal.astype(np.float32), "voice")
        frames = extract(signal.astype(np.float32), "voice_sequence")
    assert np.isfinite(vector).all()
    assert np.isfinite(frames).all()
    assert np.abs(vector).max() < 1e4
    hertz = pitch(Analysis(signal.astype(np.float32), RATE))[:, 0]
    assert ((hertz == 0) | ((hertz > 0.95 * FLOOR_HZ) & (hertz < 1.05 * CEILING_HZ))).all()
    if name in ("whisper", "silence", "constant", "one sample", "an impulse"):
        assert (hertz > 0).mean() < 0.05
    if name == "pure tone":
        np.testing.assert_allclose(hertz[INNER], 200, rtol=0.01)


def test_the_sequence_is_relative_to_the_median_pitch():
    low, high = (extract(vowel(hertz), "voice_sequence") for hertz in (110, 220))
    np.testing.assert_allclose(low[INNER, 1], 0, atol=0.2)
    np.testing.assert_allclose(high[INNER, 1], 0, atol=0.2)
    np.testing.assert_allclose(high[INNER, -1] - low[INNER, -1], 12, atol=0.2)
    assert low.shape[1] == 1 + len(VOICED) + len(SPECTRAL) + 26 + 1


@pytest.mark.real
def test_voice_agrees_with_praat_on_real_speech(real_data):
    pytest.importorskip("parselmouth", reason="Praat comes with the extra `test`")
    script = Path(__file__).parents[2] / "benchmarks" / "features" / "voice_accuracy.py"
    benchmark = runpy.run_path(str(script))
    signals = benchmark["utterances"](real_data, files=20)
    table = benchmark["praat"]([benchmark["both_analyses"](signal) for signal in signals])
    assert table["F0, gross error"].value <= 0.05
    assert table["voicing, agreement"].value >= 0.90
    for name in ("HNR", "F1 where clear", "F2 where clear", "F3 where clear"):
        assert table[name].value >= 0.85, name
    for name in ("F1", "F2", "F3"):
        assert table[name].value >= 0.80, name
