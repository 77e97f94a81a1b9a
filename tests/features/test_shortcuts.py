"""What is measured of a recording without its speech, by hand on made signals."""

from __future__ import annotations

import numpy as np
import pytest

from serbench.features.api import extract
from serbench.features.shortcuts import FACTS, bit_depth


def facts_of(source, **settings) -> dict[str, float]:
    return dict(zip(FACTS, extract(source, "shortcuts", **settings).tolist(), strict=True))


def test_facts_by_hand(tmp_path, make_wav):
    rate = 22_050
    signal = np.zeros(2 * rate)
    tone = 0.5 * np.sin(2 * np.pi * 1_000 * np.arange(rate) / rate)
    signal[rate // 2 : rate // 2 + rate] = tone
    found = facts_of(make_wav(tmp_path / "a.wav", signal=signal + 0.0625, rate=rate, subtype="FLOAT"))
    assert found["duration"] == 2
    assert found["samples"] == 2 * rate
    assert found["rate"] == rate  # its own, not that of other sets
    assert found["peak"] == pytest.approx(20 * np.log10(0.5625), abs=0.01)
    assert found["DC"] == pytest.approx(0.0625, abs=1e-4)
    assert found["leading silence"] == pytest.approx(0.5, abs=0.011)  # an offset hides no silence
    assert found["noise floor"] == -120


def test_silence_at_both_ends_and_digital_silence(tmp_path, make_wav):
    signal = np.zeros(16_000)
    signal[3_200:12_000] = np.random.default_rng(0).normal(0, 0.1, 8_800)
    found = facts_of(make_wav(tmp_path / "a.wav", signal=signal))
    assert found["leading silence"] == pytest.approx(0.2, abs=0.011)
    assert found["trailing silence"] == pytest.approx(0.25, abs=0.011)
    assert found["noise floor"] == -120
    assert facts_of(np.zeros(1_000, dtype=np.float32), rate=8_000)["rate"] == 8_000


@pytest.mark.parametrize("edge", [1_800, 3_400, 7_000])
def test_bandwidth_is_where_a_filter_cuts(edge):
    from scipy.signal import ellip, sosfilt

    noise = np.random.default_rng(0).normal(0, 0.1, 16_000)
    limited = sosfilt(ellip(12, 0.1, 90, edge, fs=16_000, output="sos"), noise).astype(np.float32)
    assert facts_of(limited)["bandwidth"] == pytest.approx(edge, rel=0.1)


@pytest.mark.parametrize(("subtype", "bits"), [("PCM_U8", 8), ("PCM_16", 16), ("PCM_24", 24), ("FLOAT", 32)])
def test_bit_depth_is_that_of_the_samples(tmp_path, make_wav, subtype, bits):
    signal = np.random.default_rng(0).uniform(-0.9, 0.9, 4_000) / 3
    assert facts_of(make_wav(tmp_path / "a.wav", signal=signal, subtype=subtype))["bit depth"] == bits


def test_digital_gain_shows_in_the_bit_depth():
    signal = (np.random.default_rng(0).integers(-4_000, 4_000, 1_000) / 2**15).astype(np.float32)
    assert (bit_depth(signal), bit_depth(2 * signal), bit_depth(np.zeros(4))) == (16, 15, 1)
