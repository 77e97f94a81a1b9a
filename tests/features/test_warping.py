"""Vocal tract length perturbation on the shared analysis: frequencies move, the rest stays."""

import numpy as np
import pytest
from feature_signals import RATE, speech_like

from serbench.errors import FeatureError
from serbench.features.extract import Utterance
from serbench.features.handcrafted import HANDCRAFTED
from serbench.features.phonation.descriptors import VOICED, voiced_descriptors
from serbench.features.spectral import Analysis
from serbench.features.spectral.warping import warped
from serbench.features.voice import VOICE
from serbench.features.voice_sequence import VOICE_SEQUENCE
from serbench.specs import FeatureSpec

BINS = 513


def tone(hertz):
    return (0.4 * np.sin(2 * np.pi * hertz * np.arange(RATE) / RATE)).astype(np.float32)


@pytest.mark.parametrize("spec", [VOICE, HANDCRAFTED, VOICE_SEQUENCE], ids=lambda spec: spec.name)
def test_a_warp_of_one_changes_no_bit(spec):
    signal = speech_like(1.0)
    same = Utterance(signal, RATE, warp=1.0).describe(spec, {})
    assert same.tobytes() == Utterance(signal, RATE).describe(spec, {}).tobytes()
    assert (Utterance(signal, RATE, warp=1.1).describe(spec, {}) != same).any()


@pytest.mark.parametrize("factor", [0.5, 0.84, 1.0, 1.19, 2.0])
def test_frequencies_are_multiplied_up_to_the_knee_and_none_leaves(factor):
    power = np.tile(np.arange(BINS, dtype=np.float32), (2, 1))
    moved = warped(power, factor)
    knee = int(0.6 * (BINS - 1) * min(factor, 1.0))
    np.testing.assert_allclose(moved[0, : knee + 1], np.arange(knee + 1) / factor, rtol=1e-4, atol=1e-3)
    assert moved[0, 0] == 0.0 and moved[0, -1] == pytest.approx(BINS - 1)
    assert (np.diff(moved[0]) > 0).all() and moved.shape == power.shape


@pytest.mark.parametrize("factor", [0.84, 1.19])
def test_a_tone_and_its_pitch_move_by_the_factor(factor):
    plain, moved = (Analysis(tone(220.0), RATE, warp=warp) for warp in (1.0, factor))
    inner = slice(10, -10)
    assert plain.power[inner].mean(axis=0).argmax() * factor == pytest.approx(
        moved.power[inner].mean(axis=0).argmax(), abs=1.0
    )
    before, after = (2 ** (voiced_descriptors(each)[inner, VOICED.index("semitones")] / 12) for each in (plain, moved))
    np.testing.assert_allclose(after / before, factor, rtol=0.02)
    rates = [each.zero_crossing_rate()[inner].mean() for each in (plain, moved)]
    assert rates[1] / rates[0] == pytest.approx(factor, rel=1e-5)


@pytest.mark.parametrize("factor", [0.84, 1.19])
def test_periods_are_those_of_the_voice_as_it_was(factor):
    plain, moved = (Analysis(speech_like(1.0), RATE, warp=warp) for warp in (1.0, factor))
    columns = [VOICED.index(name) for name in ("jitter", "shimmer")]
    before, after = (voiced_descriptors(each) for each in (plain, moved))
    both = (before[:, 0] > 0) & (after[:, 0] > 0)
    assert both.sum() > 10
    close = np.isclose(before[both][:, columns], after[both][:, columns], rtol=0.3, atol=0.5)
    assert close.mean() > 0.9


def test_a_set_that_reads_samples_refuses_a_warp():
    own = FeatureSpec(name="own", version="1", kind="vector", extract=lambda signal, rate: signal[:3])
    Utterance(speech_like(0.3), RATE).describe(own, {})
    with pytest.raises(FeatureError, match="own does not read the shared analysis, which vtlp warps"):
        Utterance(speech_like(0.3), RATE, warp=1.1).describe(own, {})
