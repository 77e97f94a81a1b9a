"""The index of audio files: right, fast the second time, and not to be broken."""

from __future__ import annotations

import multiprocessing
import os
from pathlib import Path

import numpy as np
import pytest

from serbench.corpora import scanning
from serbench.corpora.scanning import INDEX, scan_file, scan_files
from serbench.errors import ResultsError


def test_content_is_of_the_samples_not_of_the_container(tmp_path, make_wav):
    wav = make_wav(tmp_path / "a.wav", seed=1)
    flac = make_wav(tmp_path / "a.flac", seed=1)
    other = make_wav(tmp_path / "b.wav", seed=2)
    slower = make_wav(tmp_path / "c.wav", seed=1, rate=8_000, seconds=0.1)
    first, same, different, at_other_rate = (scan_file(str(path)).content for path in (wav, flac, other, slower))
    assert first == same
    assert len({first, different, at_other_rate}) == 3


def test_level_length_and_clipping_by_hand(tmp_path, make_wav):
    signal = np.zeros(1000)
    signal[::10] = 1.0
    scan = scan_file(str(make_wav(tmp_path / "a.wav", signal=signal, rate=8_000, subtype="FLOAT")))
    assert (scan.seconds, scan.rate, scan.channels) == (0.125, 8_000, 1)
    assert scan.clipped == pytest.approx(0.1)
    assert scan.peak == pytest.approx(0.9)  # without the mean of 0.1


@pytest.mark.parametrize(("level", "silent"), [(0.0, True), (0.5e-4, True), (1e-3, False)])
def test_silence_is_told_from_quiet_even_with_an_offset(tmp_path, make_wav, level, silent):
    signal = 0.2 + level * np.sin(np.arange(4000))
    assert scan_file(str(make_wav(tmp_path / "a.wav", signal=signal, subtype="FLOAT"))).silent is silent


def test_unchanged_files_are_not_decoded_again(tmp_path, make_wav, monkeypatch):
    paths = [str(make_wav(tmp_path / f"{name}.wav")) for name in "abc"]
    first = scan_files(paths, tmp_path / "cache")
    decoded = []

    def counted(path):
        decoded.append(Path(path).name)
        return scan_file(path)

    monkeypatch.setattr(scanning, "scan_file", counted)
    assert scan_files(paths, tmp_path / "cache") == first
    assert decoded == []
    make_wav(tmp_path / "b.wav", seed=7)
    os.utime(tmp_path / "b.wav", ns=(1, 1))  # an older time is a change too
    again = scan_files([*paths, str(make_wav(tmp_path / "d.wav"))], tmp_path / "cache")
    assert sorted(decoded) == ["b.wav", "d.wav"]
    assert again[0] == first[0]
    assert again[1] != first[1]


def test_problems_are_told_and_remembered(tmp_path, monkeypatch):
    (tmp_path / "bad.wav").write_bytes(b"no audio")
    first = scan_files([str(tmp_path / "bad.wav"), str(tmp_path / "absent.wav")], tmp_path / "cache")
    assert "cannot be decoded" in first[0].problem
    assert "cannot be read" in first[1].problem
    assert scan_files([str(tmp_path / "bad.wav")], tmp_path / "cache") == first[:1]


@pytest.mark.parametrize("damage", [lambda content: b"nonsense" * 200, lambda content: content[:5000]])
def test_a_damaged_index_is_made_again(tmp_path, make_wav, damage):
    paths = [str(make_wav(tmp_path / f"{number}.wav")) for number in range(60)]
    first = scan_files(paths, tmp_path / "cache")
    index = tmp_path / "cache" / INDEX
    index.write_bytes(damage(index.read_bytes()))
    assert scan_files(paths, tmp_path / "cache") == first
    assert scan_files(paths, tmp_path / "cache") == first


def test_a_cache_that_cannot_be_written_is_named(tmp_path, make_wav):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ResultsError, match="index of audio files") as caught:
        scan_files([str(make_wav(tmp_path / "a.wav"))], tmp_path / "file")
    assert "--cache" in str(caught.value)


def test_two_processes_fill_one_index(tmp_path, make_wav):
    paths = [str(make_wav(tmp_path / f"{number}.wav")) for number in range(80)]
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        shares = pool.starmap(scan_files, [(paths[:60], tmp_path / "cache"), (paths[20:], tmp_path / "cache")])
    alone = scan_files(paths, tmp_path / "other")
    assert shares == [alone[:60], alone[20:]]
    assert scan_files(paths, tmp_path / "cache") == alone


def test_an_index_of_another_shape_is_made_again(tmp_path, make_wav):
    import sqlite3

    path = str(make_wav(tmp_path / "a.wav"))
    with sqlite3.connect(tmp_path / INDEX) as connection:
        connection.execute("CREATE TABLE files (colour)")
    connection.close()
    assert scan_files([path], tmp_path) == scan_files([path], tmp_path) == [scan_file(path)]
