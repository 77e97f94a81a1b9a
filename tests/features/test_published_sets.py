"""The sets of published systems, and those of openSMILE where it is installed."""

import sys

import numpy as np
import pytest
from feature_signals import RATE, speech_like

from serbench.errors import FeatureError
from serbench.features import smile
from serbench.features.api import extract
from serbench.features.compare import COMPARE
from serbench.features.egemaps import EGEMAPS


def test_means_are_those_of_the_frames():
    signal = speech_like(1.0)
    frames = extract(signal, "mfcc_chroma_contrast_sequence")
    assert frames.shape == (63, 59)
    np.testing.assert_allclose(extract(signal, "mfcc_chroma_contrast"), frames.mean(axis=0), rtol=1e-4, atol=1e-5)


def test_the_stacked_means_come_in_their_order():
    signal = speech_like(1.0)
    stacked, frames = extract(signal, "zcr_chroma_mfcc_rms_mel"), extract(signal, "handcrafted_sequence")
    assert stacked.shape == (162,)
    zcr, chroma, mfcc, rms = stacked[0], stacked[1:13], stacked[13:33], stacked[33]
    np.testing.assert_allclose(zcr, frames[:, 59].mean(), rtol=1e-4)
    np.testing.assert_allclose(chroma, frames[:, 40:52].mean(axis=0), rtol=1e-4)
    np.testing.assert_allclose(mfcc, frames[:, :20].mean(axis=0), rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(rms, frames[:, 60].mean(), rtol=1e-4)
    assert (stacked[34:] >= 0).all() and stacked[34:].max() > 0


@pytest.mark.parametrize(("spec", "dimensions"), [(EGEMAPS, 88), (COMPARE, 6373)], ids=["egemaps", "compare2016"])
def test_opensmile_describes_an_utterance(spec, dimensions):
    pytest.importorskip("opensmile")
    signal = speech_like(1.0)
    features = extract(signal, spec)
    assert features.shape == (dimensions,) and "licence" in spec.description
    np.testing.assert_array_equal(features, extract(signal, spec))


def test_egemaps_hears_the_pitch():
    pytest.importorskip("opensmile")
    times = np.arange(RATE) / RATE
    low, high = (
        extract((0.1 * sum(np.sin(2 * np.pi * pitch * k * times) / k for k in range(1, 9))), EGEMAPS)[0]
        for pitch in (110.0, 220.0)
    )
    # Semitones from 27.5 Hz: an octave is twelve.
    assert high - low == pytest.approx(12, abs=0.5)


def test_without_opensmile_the_error_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "opensmile", None)
    smile._extractor.cache_clear()
    with pytest.raises(FeatureError, match=r"not installed\n.*serbench\[opensmile\]"):
        extract(speech_like(0.5), EGEMAPS)
    smile._extractor.cache_clear()
