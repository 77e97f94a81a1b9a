"""The store: what goes in comes out; damage, kills and company do no harm."""

import multiprocessing
import os
import signal

import numpy as np
import pytest
import soundfile
from feature_signals import RATE, speech_like
from hypothesis import given, settings
from hypothesis import strategies as st

from serbench.errors import FeatureError, ResultsError
from serbench.features.extract import extract_into
from serbench.features.logmel import LOGMEL
from serbench.features.mfcc import MFCC
from serbench.features.mfcc_sequence import MFCC_SEQUENCE
from serbench.features.shards import open_shard
from serbench.features.store import FeatureStore
from serbench.specs import FeatureSpec

VECTOR = FeatureSpec(name="two", version="1", kind="vector", extract=lambda signal, rate: np.zeros(2))
FRAMES = FeatureSpec(
    name="frames", version="1", kind="sequence", extract=lambda signal, rate: np.zeros((1, 2)), hop=0.01
)


def frames_of(content, dimensions=2):
    """Features that tell whose they are: as many frames as the number says, filled with it."""
    number = int(content)
    return np.full((number % 5 + 1, dimensions), number, dtype=np.float32)


def fill(store, contents, chunk=3, spec=FRAMES):
    for start in range(0, len(contents), chunk):
        part = contents[start : start + chunk]
        store.write(spec, {}, part, [frames_of(content) for content in part])


def assert_holds(store, contents):
    matrix = store.read(FRAMES, {}, [f"c/{content}" for content in contents], contents)
    for content, frames in zip(contents, matrix.take(range(len(contents))), strict=True):
        assert (frames == frames_of(content)).all()
        assert frames.shape == frames_of(content).shape


def shards(store, spec=FRAMES):
    return sorted(store.path(spec, {}).glob("*.shard"))


def numbers(count, start=0):
    return [str(i) for i in range(start, start + count)]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 7), min_size=1, max_size=8), st.data())
def test_any_chunks_any_order(tmp_path_factory, chunks, data):
    store = FeatureStore(tmp_path_factory.mktemp("store"))
    contents = []
    for size in chunks:
        part = numbers(size, len(contents))
        store.write(FRAMES, {}, part, [frames_of(content) for content in part])
        contents += part
    asked = data.draw(st.lists(st.sampled_from(contents), unique=True, min_size=1))
    assert_holds(store, asked)
    assert_holds(store, contents)
    assert_holds(store, asked)
    assert store.missing(FRAMES, {}, ["999", *contents, "1000"]) == ["999", "1000"]


def test_vectors_keep_their_rows(tmp_path):
    store = FeatureStore(tmp_path)
    store.write(VECTOR, {}, ["a", "b"], [np.array([1, 2], np.float32), np.array([3, 4], np.float32)])
    matrix = store.read(VECTOR, {}, ["c/b", "c/a"], ["b", "a"])
    assert matrix.kind == "vector"
    assert matrix.values.tolist() == [[3, 4], [1, 2]]


def test_two_utterances_of_one_content_share_its_features(tmp_path):
    store = FeatureStore(tmp_path)
    fill(store, ["3"])
    matrix = store.read(FRAMES, {}, ["c/x", "c/y"], ["3", "3"])
    assert matrix.values[:, 0].tolist() == [3.0] * 8


def test_many_shards_become_one_that_is_mapped(tmp_path):
    store = FeatureStore(tmp_path)
    contents = numbers(30)
    fill(store, contents)
    assert len(shards(store)) == 10
    assert_holds(store, contents)
    assert len(shards(store)) == 1
    matrix = store.read(FRAMES, {}, contents, contents)
    assert isinstance(matrix.values, np.memmap)
    # A network is handed views into the map, and copies a batch at a time.
    assert all(np.shares_memory(frames, matrix.values) for frames in matrix.take([3, 7]))
    part = store.read(FRAMES, {}, contents[5:9], contents[5:9])
    assert isinstance(part.values, np.memmap)
    assert_holds(store, contents[5:9])


def test_merging_keeps_what_was_not_asked_for(tmp_path):
    store = FeatureStore(tmp_path)
    fill(store, numbers(30))
    assert_holds(store, numbers(30)[::2])
    assert_holds(store, numbers(30))


def test_key_is_set_version_rate_and_parameters(tmp_path):
    store = FeatureStore(tmp_path)
    store.write(MFCC, {}, ["a"], [np.zeros(80, np.float32)])
    newer = FeatureSpec(name="mfcc", version="2", kind="vector", extract=MFCC.extract)
    faster = FeatureSpec(name="mfcc", version="1", kind="vector", extract=MFCC.extract, rate=48_000)
    assert store.missing(MFCC, {}, ["a"]) == []
    assert store.missing(MFCC, {"trim": None}, ["a"]) == []
    for spec, params in [(MFCC, {"trim": 30}), (newer, {}), (faster, {}), (MFCC_SEQUENCE, {})]:
        assert store.missing(spec, params, ["a"]) == ["a"]


@pytest.mark.parametrize("merged", [False, True])
def test_every_damaged_byte_is_noticed_and_made_good(tmp_path, merged):
    store = FeatureStore(tmp_path)
    contents = numbers(18)
    fill(store, contents)
    if merged:
        assert_holds(store, contents)
    rng = np.random.default_rng(0)
    for _ in range(40):
        path = shards(store)[rng.integers(len(shards(store)))]
        whole = bytearray(path.read_bytes())
        position = int(rng.integers(len(whole)))
        whole[position] ^= 0xFF
        path.write_bytes(whole)
        lost = store.missing(FRAMES, {}, contents)
        if lost:
            with pytest.raises(FeatureError, match=f"no intact features for {len(lost)} of 18"):
                store.read(FRAMES, {}, contents, contents)
            fill(store, lost)
        # Without loss, the byte was padding between header and values.
        assert_holds(store, contents)


@pytest.mark.parametrize("keep", [0, 5, 16, 60, 200, -1])
def test_a_shard_cut_short_is_extracted_again(tmp_path, keep):
    store = FeatureStore(tmp_path)
    fill(store, numbers(6), chunk=6)
    (path,) = shards(store)
    path.write_bytes(path.read_bytes()[:keep])
    assert store.missing(FRAMES, {}, numbers(6)) == numbers(6)
    fill(store, numbers(6), chunk=6)
    assert_holds(store, numbers(6))


def test_leftovers_of_a_kill_during_writing_are_ignored(tmp_path):
    store = FeatureStore(tmp_path)
    fill(store, numbers(3))
    (path,) = shards(store)
    (path.parent / f".{path.name}.abc.tmp").write_bytes(path.read_bytes()[:50])
    assert_holds(store, numbers(3))
    assert store.missing(FRAMES, {}, ["7"]) == ["7"]


def _write_forever(folder):
    store, start = FeatureStore(folder), 0
    while True:
        fill(store, numbers(10, start), chunk=1)
        store.read(FRAMES, {}, numbers(10, start), numbers(10, start))
        start += 10


def test_killed_writers_leave_only_whole_entries(tmp_path):
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=_write_forever, args=(tmp_path,))
    process.start()
    store = FeatureStore(tmp_path)
    while len(store.missing(FRAMES, {}, numbers(30))) > 5 and process.is_alive():
        pass
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    contents = numbers(40)
    held = [content for content in contents if content not in store.missing(FRAMES, {}, contents)]
    assert len(held) >= 25
    assert_holds(store, held)
    fill(store, store.missing(FRAMES, {}, contents))
    assert_holds(store, contents)


def _fill_and_read(folder, order, barrier):
    store = FeatureStore(folder)
    barrier.wait()
    for start in range(0, len(order), 4):
        fill(store, store.missing(FRAMES, {}, order[start : start + 4]), chunk=1)
        assert_holds(store, order[: start + 4])


def test_two_processes_fill_merge_and_read_at_once(tmp_path):
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(2)
    contents = numbers(60)
    processes = [
        context.Process(target=_fill_and_read, args=(tmp_path, order, barrier)) for order in (contents, contents[::-1])
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]
    assert_holds(FeatureStore(tmp_path), contents)


def test_a_full_disk_is_a_clear_error_and_loses_nothing(tmp_path, monkeypatch):
    store = FeatureStore(tmp_path)
    fill(store, numbers(3))

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(ResultsError, match="No space left"):
        fill(store, ["8"])
    monkeypatch.undo()
    assert_holds(store, numbers(3))
    assert store.missing(FRAMES, {}, ["8"]) == ["8"]
    assert len(list(store.path(FRAMES, {}).iterdir())) == 1


def test_a_store_that_cannot_be_merged_still_reads(tmp_path, monkeypatch):
    store = FeatureStore(tmp_path)
    fill(store, numbers(30))

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    assert_holds(store, numbers(30))
    assert len(shards(store)) == 10


def test_features_that_change_width_are_refused(tmp_path):
    store = FeatureStore(tmp_path)
    with pytest.raises(FeatureError, match="differ in the shape"):
        store.write(FRAMES, {}, ["0", "1"], [frames_of("0"), frames_of("1", dimensions=3)])
    store.write(FRAMES, {}, ["0"], [frames_of("0")])
    store.write(FRAMES, {}, ["1"], [frames_of("1", dimensions=3)])
    with pytest.raises(FeatureError, match="different shapes"):
        store.read(FRAMES, {}, ["c/0", "c/1"], ["0", "1"])


def test_a_shard_says_what_it_holds(tmp_path):
    store = FeatureStore(tmp_path)
    fill(store, numbers(3))
    shard = open_shard(shards(store)[0])
    assert shard.contents == ("0", "1", "2")
    assert shard.offsets.tolist() == [0, 1, 3, 6]
    assert shard.values.ctypes.data % 64 == 0


# From audio files into the store.


@pytest.fixture
def recordings(tmp_path):
    """Four short recordings: (content, path)."""
    items = []
    for i in range(4):
        path = tmp_path / f"{i}.wav"
        soundfile.write(path, speech_like(0.4 + 0.1 * i, seed=i), RATE)
        items.append((f"hash{i}", str(path)))
    return items


def test_extraction_fills_every_set_with_what_the_set_gives(tmp_path, recordings):
    from serbench.features.api import extract

    store = FeatureStore(tmp_path / "store")
    sets = [(MFCC, {}), (LOGMEL, {}), (LOGMEL, {"trim": 20})]
    assert extract_into(store, sets, recordings) == []
    contents = [content for content, _ in recordings]
    for spec, params in sets:
        matrix = store.read(spec, params, contents, contents)
        for (_, path), features in zip(recordings, matrix.take(range(4)), strict=True):
            assert (features == extract(path, spec, **params)).all()


def test_adding_one_recording_extracts_one(tmp_path, recordings, monkeypatch):
    from serbench.corpora import audio

    store = FeatureStore(tmp_path / "store")
    extract_into(store, [(MFCC, {})], recordings[:3])
    decoded = []
    decode = audio.decode
    monkeypatch.setattr(audio, "decode", lambda path, rate: decoded.append(path) or decode(path, rate))
    extract_into(store, [(MFCC, {})], recordings)
    assert decoded == [recordings[3][1]]
    extract_into(store, [(MFCC, {}), (LOGMEL, {})], recordings[:1])
    assert decoded == [recordings[3][1], recordings[0][1]]


def test_a_bad_recording_is_reported_and_the_others_are_kept(tmp_path, recordings):
    bad = tmp_path / "bad.wav"
    bad.write_bytes(b"RIFF nonsense")
    store = FeatureStore(tmp_path / "store")
    items = [recordings[0], ("bad", str(bad)), recordings[1]]
    failures = extract_into(store, [(MFCC, {}), (LOGMEL, {})], items)
    assert [path for path, _ in failures] == [str(bad)]
    assert store.missing(MFCC, {}, ["hash0", "bad", "hash1"]) == ["bad"]


def test_a_set_that_fails_does_not_stop_the_others(tmp_path, recordings):
    odd = FeatureSpec(name="odd", version="1", kind="vector", extract=lambda signal, rate: np.array([np.nan]))
    store = FeatureStore(tmp_path / "store")
    failures = extract_into(store, [(odd, {}), (MFCC, {})], recordings[:2])
    assert len(failures) == 2
    assert all("odd of" in reason for _, reason in failures)
    assert store.missing(MFCC, {}, ["hash0", "hash1"]) == []
    assert store.missing(odd, {}, ["hash0"]) == ["hash0"]


def test_one_content_in_two_files_is_extracted_once(tmp_path, recordings, monkeypatch):
    from serbench.corpora import audio

    decoded = []
    decode = audio.decode
    monkeypatch.setattr(audio, "decode", lambda path, rate: decoded.append(path) or decode(path, rate))
    store = FeatureStore(tmp_path / "store")
    extract_into(store, [(MFCC, {})], [("same", recordings[0][1]), ("same", recordings[1][1])])
    assert decoded == [recordings[0][1]]
    (shard,) = [open_shard(path) for path in store.path(MFCC, {}).glob("*.shard")]
    assert shard.contents == ("same",)


@pytest.mark.real
def test_real_sequences_are_read_at_once(real_data, tmp_path):
    items = [(path.stem, str(path)) for path in sorted((real_data / "emodb").rglob("*.flac"))[:40]]
    store = FeatureStore(tmp_path / "store")
    assert extract_into(store, [(MFCC_SEQUENCE, {})], items) == []
    contents = [content for content, _ in items]
    matrix = store.read(MFCC_SEQUENCE, {}, contents, contents)
    assert isinstance(matrix.values, np.memmap)
    assert np.isfinite(matrix.values).all()


@pytest.mark.parametrize(
    "text", [b"7", b'{"entries": 7}', b'{"entries": [["a", 1, 0]], "dimensions": -9, "sequence": 0}']
)
def test_a_shard_with_the_header_of_another_program_is_no_shard(tmp_path, text):
    import struct
    import zlib

    path = tmp_path / "a.shard"
    path.write_bytes(struct.pack("<8sII", b"SERSHRD1", len(text), zlib.crc32(text)) + text + b"\0" * 200)
    assert open_shard(path) is None
