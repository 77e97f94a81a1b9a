"""Decoding: every usual sample format works, every kind of damage is named."""

from __future__ import annotations

import os

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from serbench.corpora.audio import POINTER, decode, read_native
from serbench.errors import AudioError

POINTER_TEXT = (
    "version https://git-lfs.github.com/spec/v1\n"
    "oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 65000\n"
)


def tone(rate: int, seconds: float = 0.5, frequency: float = 440.0) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * frequency * np.arange(int(rate * seconds)) / rate)


@pytest.mark.parametrize(
    ("suffix", "subtype", "tolerance"),
    [
        (".wav", "PCM_U8", 0.01),
        (".wav", "PCM_16", 1e-4),
        (".wav", "PCM_24", 1e-6),
        (".wav", "FLOAT", 1e-7),
        (".wav", "DOUBLE", 1e-7),
        (".flac", "PCM_16", 1e-4),
    ],
)
def test_sample_formats_decode_to_the_same_signal(tmp_path, make_wav, suffix, subtype, tolerance):
    path = make_wav(tmp_path / f"a{suffix}", signal=tone(16_000), subtype=subtype)
    signal = decode(path)
    assert signal.dtype == np.float32
    assert signal.ndim == 1
    np.testing.assert_allclose(signal, tone(16_000), atol=tolerance)


@pytest.mark.parametrize("suffix", [".mp3", ".ogg"])
def test_lossy_files_keep_length_and_pitch(tmp_path, make_wav, suffix):
    signal = decode(make_wav(tmp_path / f"a{suffix}", signal=tone(16_000, 1.0)))
    assert abs(len(signal) - 16_000) < 1600
    spectrum = np.abs(np.fft.rfft(signal[2000:14000]))
    assert abs(spectrum.argmax() * 16_000 / 12_000 - 440) < 2


@pytest.mark.parametrize("rate", [8_000, 22_050, 24_414, 44_100, 48_000, 192_000])
def test_any_rate_becomes_16_khz(tmp_path, make_wav, rate):
    signal = decode(make_wav(tmp_path / "a.wav", signal=tone(rate), rate=rate, subtype="FLOAT"))
    assert abs(len(signal) - 8_000) <= 1
    inner = slice(500, 7500)  # the ends ring
    np.testing.assert_allclose(signal[inner], tone(16_000)[: len(signal)][inner], atol=2e-3)


def test_six_channels_are_averaged(tmp_path, make_wav):
    channels = np.stack([tone(16_000) * gain for gain in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)], axis=1)
    signal = decode(make_wav(tmp_path / "a.wav", signal=channels, subtype="FLOAT"))
    np.testing.assert_allclose(signal, tone(16_000) * 0.5, atol=1e-6)


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".mp3"])
@pytest.mark.parametrize("kept", [0.9, 0.5])
def test_a_cut_file_is_refused(tmp_path, make_wav, suffix, kept):
    path = make_wav(tmp_path / f"a{suffix}", seconds=2)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    with pytest.raises(AudioError, match=r"cut short|cannot be decoded") as caught:
        decode(path)
    assert str(path) in str(caught.value)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_cut_wav_never_passes_for_a_whole_one(tmp_path, make_wav, data):
    path = make_wav(tmp_path / "a.wav", seconds=0.01)
    content = path.read_bytes()
    path.write_bytes(content[: data.draw(st.integers(0, len(content) - 1))])
    with pytest.raises(AudioError):
        decode(path)


@pytest.mark.parametrize("announced", [0, 0xFFFFFFFF])
def test_a_wav_written_to_a_pipe_is_read_whole(tmp_path, make_wav, announced):
    path = make_wav(tmp_path / "a.wav", seconds=0.1)
    content = bytearray(path.read_bytes())
    at = content.index(b"data") + 4
    content[at : at + 4] = announced.to_bytes(4, "little")
    path.write_bytes(content)
    if announced == 0:
        with pytest.raises(AudioError, match="no samples"):
            decode(path)
    else:
        assert len(decode(path)) == 1600


def test_chunks_after_the_samples_are_no_damage(tmp_path, make_wav):
    path = make_wav(tmp_path / "a.wav", seconds=0.1)
    path.write_bytes(path.read_bytes() + b"LIST" + (4).to_bytes(4, "little") + b"abcd")
    assert len(decode(path)) == 1600


def test_git_lfs_pointer_is_named(tmp_path):
    path = tmp_path / "a.wav"
    path.write_text(POINTER_TEXT)
    with pytest.raises(AudioError, match="Git LFS pointer") as caught:
        decode(path)
    assert caught.value.what == POINTER
    assert "git lfs pull" in caught.value.hint


@pytest.mark.parametrize(
    ("content", "message"), [(b"", "empty file"), (b"this is not audio at all", "cannot be decoded")]
)
def test_what_is_no_audio_is_refused(tmp_path, content, message):
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    with pytest.raises(AudioError, match=message):
        decode(path)


def test_no_samples_absent_and_not_finite(tmp_path, make_wav):
    with pytest.raises(AudioError, match="no samples"):
        decode(make_wav(tmp_path / "none.wav", signal=np.zeros(0)))
    with pytest.raises(AudioError, match="cannot be read"):
        decode(tmp_path / "absent.wav")
    for value in (np.nan, np.inf):
        with pytest.raises(AudioError, match="not finite"):
            decode(make_wav(tmp_path / "nan.wav", signal=np.array([0.1, value, 0.2]), subtype="FLOAT"))


def test_flac_of_unknown_length_is_named(tmp_path, make_wav):
    path = make_wav(tmp_path / "a.flac", seconds=0.5)
    content = bytearray(path.read_bytes())
    content[21] &= 0xF0  # the 36 bits of STREAMINFO that hold the number of samples
    content[22:26] = bytes(4)
    path.write_bytes(content)
    with pytest.raises(AudioError, match="unknown length"):
        decode(path)


def test_native_reading_keeps_channels_and_rate(tmp_path, make_wav):
    samples, rate = read_native(make_wav(tmp_path / "a.wav", rate=44_100, channels=2))
    assert rate == 44_100
    assert samples.shape == (2205, 2)
    assert samples.dtype == np.float32


def test_a_pipe_is_named_and_never_waited_for(tmp_path):
    path = tmp_path / "pipe.wav"
    os.mkfifo(path)
    with pytest.raises(AudioError, match="no regular file"):
        read_native(path)


def test_a_header_that_announces_more_than_an_utterance_has_is_refused_before_memory_is_taken(tmp_path, make_wav):
    path = make_wav(tmp_path / "a.flac", format="FLAC")
    content = bytearray(path.read_bytes())
    # The number of samples: the last four bits of this byte, and the four bytes behind it.
    content[21] |= 0x08
    path.write_bytes(content)
    with pytest.raises(AudioError, match=r"announces 128\.0 GiB"):
        read_native(path)


def test_a_rate_of_1_hz_does_not_make_gigabytes(tmp_path, make_wav):
    path = make_wav(tmp_path / "a.wav", signal=np.ones(100_000, np.int16), rate=1)
    with pytest.raises(AudioError, match="announces"):
        decode(path, 16_000)
