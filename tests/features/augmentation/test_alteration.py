import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serbench.errors import FeatureError, UnknownName
from serbench.features.augmentation import Alteration
from serbench.features.augmentation.degradations import add_reverb, limit_band
from serbench.features.augmentation.transforms import add_noise, shift_pitch, shift_time, stretch

RATE = 16_000


def voice(seconds=1.0, pitch=200.0) -> np.ndarray:
    """A tone with overtones, as a voice has."""
    times = np.arange(round(seconds * RATE)) / RATE
    return (0.1 * sum(np.sin(2 * np.pi * pitch * k * times) / k for k in range(1, 6))).astype(np.float32)


def fundamental(signal: np.ndarray) -> float:
    """F0 in Hz by autocorrelation: a second method, on the middle of the signal."""
    middle = signal[len(signal) // 4 : 3 * len(signal) // 4].astype(np.float64)
    spectrum = np.fft.rfft(middle * np.hanning(len(middle)), 1 << 17)
    correlation = np.fft.irfft(np.abs(spectrum) ** 2)
    shortest, longest = RATE // 500, RATE // 80
    return RATE / (shortest + int(correlation[shortest:longest].argmax()))


def band_power(signal, low, high):
    spectrum, frequencies = np.abs(np.fft.rfft(signal)) ** 2, np.fft.rfftfreq(len(signal), 1 / RATE)
    return spectrum[(frequencies >= low) & (frequencies < high)].mean()


@given(snr_db=st.floats(-10, 60), level=st.floats(1e-3, 1.0), seed=st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_noise_meets_its_ratio(snr_db, level, seed):
    signal = level * voice()
    noise = add_noise(signal, snr_db, np.random.default_rng(seed)).astype(np.float64) - signal
    measured = 10 * np.log10(np.mean(signal.astype(np.float64) ** 2) / np.mean(noise**2))
    assert measured == pytest.approx(snr_db, abs=0.05)


@pytest.mark.parametrize("semitones", [-4, -1, 2, 5])
def test_pitch_moves_by_semitones_and_keeps_the_duration(semitones):
    signal = voice()
    changed = shift_pitch(signal, RATE, semitones)
    assert len(changed) == len(signal) and changed.dtype == np.float32
    assert fundamental(changed) == pytest.approx(200 * 2 ** (semitones / 12), rel=0.02)


@pytest.mark.parametrize("rate", [0.8, 0.95, 1.3])
def test_stretching_changes_the_duration_and_keeps_the_pitch(rate):
    changed = stretch(voice(2.0), rate)
    assert len(changed) / (2.0 * RATE) == pytest.approx(1 / rate, rel=0.01)
    assert fundamental(changed) == pytest.approx(200, rel=0.02)


@given(st.floats(-0.9, 0.9))
@settings(max_examples=25, deadline=None)
def test_a_shift_moves_the_signal_and_keeps_its_length(seconds):
    signal, samples = voice(), round(seconds * RATE)
    moved = shift_time(signal, RATE, seconds)
    assert len(moved) == len(signal)
    kept = len(signal) - abs(samples)
    start, source = max(samples, 0), max(-samples, 0)
    np.testing.assert_array_equal(moved[start : start + kept], signal[source : source + kept])
    assert np.count_nonzero(moved) <= kept


def test_a_telephone_passes_its_band_alone():
    signal = np.random.default_rng(0).standard_normal(4 * RATE).astype(np.float32)
    heard = limit_band(signal, RATE, "telephone")
    inside = band_power(heard, 600, 2800) / band_power(signal, 600, 2800)
    assert inside == pytest.approx(1, abs=0.05)
    for low, high in ((20, 120), (6000, 8000)):
        assert band_power(heard, low, high) < 0.01 * band_power(signal, low, high)


@pytest.mark.parametrize("seconds", [0.3, 0.8])
def test_reverberation_falls_by_sixty_decibels_in_its_time(seconds):
    click = np.zeros(2 * RATE, dtype=np.float32)
    click[0] = 1.0
    heard = add_reverb(click, RATE, seconds).astype(np.float64)
    assert np.sum(heard**2) == pytest.approx(1, rel=1e-3)
    # Schroeder's backward integral; the slope between -5 and -25 dB gives the time for 60 dB.
    left = 10 * np.log10(np.cumsum(heard[1:][::-1] ** 2)[::-1] / np.sum(heard[1:] ** 2))
    early, late = (int(np.argmax(left < level)) for level in (-5, -25))
    assert 3 * (late - early) / RATE == pytest.approx(seconds, rel=0.15)


EVERYTHING = {
    "noise": {"snr_db": [10, 30]},
    "pitch": {"semitones": [-2, 2]},
    "stretch": {"rate": [0.85, 1.15]},
    "shift": {"seconds": [-0.1, 0.1]},
}


def test_copies_differ_and_each_is_the_same_every_time():
    signal = voice()
    first, second = (Alteration(EVERYTHING, copy).apply(signal, RATE, "content") for copy in (1, 2))
    again = Alteration(dict(EVERYTHING), 1).apply(signal.copy(), RATE, "content")
    other = Alteration(EVERYTHING, 1).apply(signal, RATE, "another")
    np.testing.assert_array_equal(first, again)
    assert len(first) != len(second) and len(first) != len(other)
    assert np.array_equal(signal, voice())


def test_a_change_draws_the_same_beside_others():
    signal = voice()
    alone = Alteration({"noise": {"snr_db": [0, 40]}}).apply(signal, RATE, "c") - signal
    beside = Alteration({"noise": {"snr_db": [0, 40]}, "pitch": {"semitones": 0}}).apply(signal, RATE, "c") - signal
    np.testing.assert_array_equal(alone, beside)


def test_keys_tell_contents_copies_and_changes_apart():
    keys = {
        Alteration(changes, copy).key(content)
        for changes in ({"noise": {"snr_db": 10}}, {"noise": {"snr_db": 20}}, {"noise": {"snr_db": [10, 20]}})
        for copy in (1, 2)
        for content in ("a", "b")
    }
    assert len(keys) == 12
    assert Alteration({"noise": {"snr_db": 10.0}}).key("a") == Alteration({"noise": {"snr_db": 10}}).key("a")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"noise": {"snr_db": "ten"}}, "snr_db is 'ten'"),
        ({"noise": {"snr_db": [10, float("nan")]}}, "snr_db is nan"),
        ({"noise": {"snr_db": True}}, "snr_db is True"),
        ({"stretch": {"rate": 0}}, "rate is 0"),
        ({"reverb": {"seconds": -1}}, "reverberation time"),
        ({"bandwidth": {"name": "radio"}}, "unknown bandwidth"),
        ({"shift": {"seconds": 5}}, "silence is left"),
    ],
)
def test_what_cannot_be_done_is_said(changes, message):
    with pytest.raises(FeatureError, match=message):
        Alteration(changes).apply(voice(), RATE, "content")


def test_silence_has_no_ratio():
    with pytest.raises(FeatureError, match="no signal-to-noise ratio"):
        add_noise(np.zeros(100, dtype=np.float32), 10, np.random.default_rng(0))


def test_unknown_changes_and_parameters_are_refused():
    with pytest.raises(UnknownName, match="did you mean 'noise'"):
        Alteration({"noize": {"snr_db": 10}})
    with pytest.raises(FeatureError, match="it takes snr_db"):
        Alteration({"noise": {"snr": 10}})


def test_vtlp_leaves_the_samples_and_raises_frequencies_by_semitones():
    octave, down = Alteration({"vtlp": {"semitones": 12}}), Alteration({"vtlp": {"semitones": -12}})
    assert octave.warp("content") == 2.0 and down.warp("content") == 0.5
    np.testing.assert_array_equal(octave.apply(voice(), RATE, "content"), voice())
    drawn = [Alteration({"vtlp": {"semitones": [-3, 3]}}, copy).warp("content") for copy in (1, 2, 1)]
    assert drawn[0] == drawn[2] != drawn[1]
    assert all(2**-0.25 <= factor <= 2**0.25 for factor in drawn)
    assert Alteration({"noise": {"snr_db": 10}}).warp("content") == 1.0
