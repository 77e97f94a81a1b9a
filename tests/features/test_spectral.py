"""Every feature against librosa's own function on the same frames."""

import librosa
import numpy as np
import pytest
from feature_signals import RATE, speech_like

from serbench.corpora.audio import decode
from serbench.features.spectral import Analysis, filters
from serbench.features.spectral.analysis import deltas, power_to_db
from serbench.features.spectral.functionals import mean_std, percentiles

FRAMES = [(1024, 256), (2048, 512), (512, 160)]


@pytest.fixture(params=[(0, 3.7), (1, 0.3), (2, 1.0), (3, 30.0)], ids=lambda case: f"{case[1]} s")
def signal(request):
    seed, seconds = request.param
    return speech_like(seconds, seed)


def assert_equal(ours, theirs):
    # Relative to each value, and for values near zero (an MFCC can cross it) to the size of the feature.
    assert ours.dtype == np.float32
    assert ours.shape == theirs.T.shape
    np.testing.assert_allclose(ours, theirs.T, rtol=1e-4, atol=2e-6 * np.abs(theirs).max())


def references(signal, n_fft, hop):
    # librosa transforms a float32 signal in float32, whose noise fills the spectral valleys: it gets float64.
    exact = signal.astype(np.float64)
    frames = {"sr": RATE, "n_fft": n_fft, "hop_length": hop}
    magnitude = np.abs(librosa.stft(exact, n_fft=n_fft, hop_length=hop))
    return {
        "power": magnitude**2,
        "mel": librosa.feature.melspectrogram(y=exact, **frames),
        "mel_db": librosa.power_to_db(librosa.feature.melspectrogram(y=exact, **frames)),
        "mfcc": librosa.feature.mfcc(y=exact, n_mfcc=40, **frames),
        "chroma": librosa.feature.chroma_stft(y=exact, tuning=0.0, **frames),
        "contrast": librosa.feature.spectral_contrast(y=exact, **frames),
        "zero_crossing_rate": librosa.feature.zero_crossing_rate(signal, frame_length=n_fft, hop_length=hop),
        "rms": librosa.feature.rms(S=magnitude, frame_length=n_fft, hop_length=hop),
    }


def compare_all(signal, n_fft, hop):
    analysis = Analysis(signal, RATE, n_fft=n_fft, hop=hop)
    for name, reference in references(signal, n_fft, hop).items():
        ours = getattr(analysis, name)
        assert_equal(ours if name == "power" else ours(), reference)
    mfcc = analysis.mfcc(40)
    if len(mfcc) >= 9:
        np.testing.assert_allclose(deltas(mfcc), librosa.feature.delta(mfcc.T).T, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("n_fft", "hop"), FRAMES)
def test_features_equal_librosa(signal, n_fft, hop):
    compare_all(signal, n_fft, hop)


@pytest.mark.real
def test_features_equal_librosa_on_real_speech(real_data):
    for corpus in ("ravdess_speech", "emodb"):
        for path in sorted((real_data / corpus).rglob("*.flac"))[::300]:
            compare_all(decode(path, RATE), 1024, 256)


@pytest.mark.parametrize(("rate", "n_fft", "n_mels"), [(16_000, 1024, 128), (16_000, 2048, 64), (48_000, 1024, 40)])
def test_filter_banks_equal_librosa(rate, n_fft, n_mels):
    mel = librosa.filters.mel(sr=rate, n_fft=n_fft, n_mels=n_mels, dtype=np.float64)
    np.testing.assert_allclose(filters.mel_bank(rate, n_fft, n_mels), mel, rtol=1e-9, atol=1e-12)
    chroma = librosa.filters.chroma(sr=rate, n_fft=n_fft, tuning=0.0, dtype=np.float64)
    np.testing.assert_allclose(filters.chroma_bank(rate, n_fft), chroma.T, rtol=1e-5, atol=1e-7)


def test_power_to_db_cuts_80_db_below_the_maximum():
    assert power_to_db(np.array([1.0, 1e-3, 1e-9], dtype=np.float32)).tolist() == pytest.approx([0.0, -30.0, -80.0])
    assert power_to_db(np.zeros(2, dtype=np.float32)).tolist() == pytest.approx([-100.0, -100.0])


def test_rms_is_of_the_windowed_frame():
    tone = (0.5 * np.sin(2 * np.pi * 1000 * np.arange(RATE) / RATE)).astype(np.float32)
    # The mean square of a periodic Hann window is 3/8, that of a sine of amplitude 0.5 is 1/8.
    assert Analysis(tone, RATE).rms()[30, 0] == pytest.approx(np.sqrt(3 / 64), rel=1e-4)


def test_chroma_knows_the_pitch_class():
    for pitch_class, hertz in {0: 261.63, 4: 329.63, 9: 440.0}.items():
        tone = np.sin(2 * np.pi * hertz * np.arange(RATE) / RATE).astype(np.float32)
        assert Analysis(tone, RATE).chroma()[30].argmax() == pitch_class


def test_deltas_of_a_ramp_are_its_slope_even_in_few_frames():
    ramp = np.outer(np.arange(20), [1.0, -2.0]).astype(np.float32)
    np.testing.assert_allclose(deltas(ramp), np.tile([1.0, -2.0], (20, 1)), rtol=1e-6)
    short = deltas(ramp[:3])
    assert short.shape == (3, 2)
    assert (short[:, 0] > 0).all()
    assert deltas(ramp[:1]).tolist() == [[0.0, 0.0]]


@pytest.mark.parametrize("frames", [1, 2, 7, 100])
def test_functionals_equal_numpy(frames):
    values = np.random.default_rng(frames).normal(100, 3, (frames, 5)).astype(np.float32)
    shares = (0, 5, 25, 50, 75, 95, 100)
    np.testing.assert_allclose(percentiles(values, shares), np.percentile(values, shares, axis=0), rtol=1e-5)
    expected = np.stack([values.astype(np.float64).mean(axis=0), values.astype(np.float64).std(axis=0)])
    np.testing.assert_allclose(mean_std(values), expected, rtol=1e-6)
