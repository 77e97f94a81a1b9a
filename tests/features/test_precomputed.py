"""Features from a user's file."""

import io
import zipfile

import numpy as np
import pandas as pd
import pytest

from serbench.errors import FeatureError
from serbench.features.precomputed import precomputed_spec, read_precomputed

IDS = ["emodb/a", "emodb/b", "emodb/c"]
VECTORS = {"a": [1.0, 2.0], "b": [3.0, 4.0], "c": [5.0, 6.0]}
FRAMES = {"a": [[1.0, 2.0]], "b": [[3.0, 4.0], [5.0, 6.0]], "c": [[7.0, 8.0]] * 3}


def write(tmp_path, layout, content):
    """One of the accepted layouts."""
    file = tmp_path / f"own.{'npz' if layout == 'npz' else 'parquet'}"
    if layout == "npz":
        np.savez(file, **{name: np.array(value) for name, value in content.items()})
    elif layout == "columns":
        frame = pd.DataFrame.from_dict(content, orient="index").add_prefix("f").rename_axis("utterance").reset_index()
        frame.to_parquet(file)
    else:
        pd.DataFrame({"id": list(content), "features": list(content.values())}).to_parquet(file)
    return file


@pytest.mark.parametrize("layout", ["npz", "columns", "lists"])
def test_vectors(tmp_path, layout):
    file = write(tmp_path, layout, VECTORS)
    assert precomputed_spec("own", file).kind == "vector"
    matrix = read_precomputed(file, IDS[::-1])
    assert matrix.ids == tuple(IDS[::-1])
    assert matrix.values.tolist() == [[5, 6], [3, 4], [1, 2]]


@pytest.mark.parametrize("layout", ["npz", "lists"])
def test_sequences(tmp_path, layout):
    file = write(tmp_path, layout, FRAMES)
    assert precomputed_spec("own", file).kind == "sequence"
    matrix = read_precomputed(file, IDS)
    assert [frames.tolist() for frames in matrix.take(range(3))] == list(FRAMES.values())


@pytest.mark.parametrize("layout", ["npz", "columns", "lists"])
def test_full_ids_are_preferred_to_bare_ones(tmp_path, layout):
    file = write(tmp_path, layout, {"emodb/a": [9.0, 9.0], **VECTORS})
    assert read_precomputed(file, IDS).values[:, 0].tolist() == [9, 3, 5]


@pytest.mark.parametrize("layout", ["npz", "columns", "lists"])
def test_missing_utterances_are_counted_and_named(tmp_path, layout):
    file = write(tmp_path, layout, {"a": VECTORS["a"]})
    with pytest.raises(FeatureError, match="2 of 3 utterances: emodb/b, emodb/c") as caught:
        read_precomputed(file, IDS)
    assert str(file) in str(caught.value)


@pytest.mark.parametrize("layout", ["npz", "columns", "lists"])
def test_nan_is_refused_with_the_utterance(tmp_path, layout):
    file = write(tmp_path, layout, {**VECTORS, "b": [3.0, float("nan")]})
    with pytest.raises(FeatureError, match="1 of 2 feature values are not finite") as caught:
        read_precomputed(file, IDS)
    assert "emodb/b" in str(caught.value)
    # What is not asked for is not judged.
    assert len(read_precomputed(file, ["emodb/a"])) == 1


def test_version_is_the_content(tmp_path):
    first = precomputed_spec("own", write(tmp_path, "npz", VECTORS))
    again = precomputed_spec("own", write(tmp_path, "npz", VECTORS))
    other = precomputed_spec("own", write(tmp_path, "npz", {**VECTORS, "c": [0.0, 0.0]}))
    assert first.version == again.version != other.version


def test_widths_that_differ_are_refused(tmp_path):
    with pytest.raises(FeatureError, match="differ in the shape"):
        read_precomputed(write(tmp_path, "npz", {**VECTORS, "b": [1.0]}), IDS)
    with pytest.raises(FeatureError, match="shape"):
        read_precomputed(write(tmp_path, "npz", {**VECTORS, "b": [[1.0, 2.0]]}), IDS)


def test_an_unreadable_file_is_a_clear_error(tmp_path):
    with pytest.raises(FeatureError, match="no such features file"):
        precomputed_spec("own", tmp_path / "absent.npz")
    for name in ("broken.npz", "broken.parquet"):
        (tmp_path / name).write_bytes(b"not what the name says")
        with pytest.raises(FeatureError, match="cannot be read"):
            precomputed_spec("own", tmp_path / name)
    (tmp_path / "own.csv").write_text("utterance,f0\na,1\n")
    with pytest.raises(FeatureError, match=r"unknown format '\.csv'"):
        precomputed_spec("own", tmp_path / "own.csv")


def test_a_table_without_keys_numbers_or_rows_is_refused(tmp_path):
    file = tmp_path / "own.parquet"
    for frame, complaint in [
        (pd.DataFrame({"name": ["a"], "f0": [1.0]}), "no column 'utterance' or 'id'"),
        (pd.DataFrame({"id": ["a"], "f0": ["x"]}), "no numbers: f0"),
        (pd.DataFrame({"id": ["a", "a"], "f0": [1.0, 2.0]}), "'a' comes twice"),
        (pd.DataFrame({"id": ["a"]}), "no feature columns"),
        (pd.DataFrame({"id": pd.Series(dtype=str), "f0": pd.Series(dtype=float)}), "empty"),
    ]:
        frame.to_parquet(file)
        with pytest.raises(FeatureError, match=complaint):
            precomputed_spec("own", file)


def test_pickled_arrays_are_not_loaded(tmp_path):
    file = tmp_path / "own.npz"
    np.savez(file, a=np.array([{"x": 1}], dtype=object))
    with pytest.raises(FeatureError, match="cannot be read"):
        precomputed_spec("own", file)


def test_precomputed_features_are_not_extracted(tmp_path):
    spec = precomputed_spec("own", write(tmp_path, "npz", VECTORS))
    with pytest.raises(FeatureError, match="cannot be extracted"):
        spec.extract(np.zeros(10), 16_000)


def npz_of(header: str, values: bytes = b"\0" * 64) -> bytes:
    text = header.encode() + b" " * (-(len(header) + 11) % 64) + b"\n"
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as pack:
        pack.writestr("a.npy", b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + values)
    return sink.getvalue()


@pytest.mark.parametrize("shape", ["(1000000000000000,)", "(1000, 26843545)", "(-5,)", "(9,)"])
def test_a_header_that_announces_more_than_there_is_is_refused_before_memory_is_taken(tmp_path, shape):
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}"
    (tmp_path / "own.npz").write_bytes(npz_of(header))
    with pytest.raises(FeatureError, match="more than it holds"):
        precomputed_spec("own", tmp_path / "own.npz")


def test_a_member_that_says_it_inflates_beyond_what_it_can_is_refused(tmp_path):
    content = bytearray(npz_of("{'descr': '<f8', 'fortran_order': False, 'shape': (8,), }"))
    place = content.rindex(b"PK\x01\x02")
    content[place + 24 : place + 28] = (0xFFFFFFF0).to_bytes(4, "little")
    (tmp_path / "own.npz").write_bytes(content)
    with pytest.raises(FeatureError, match="more than its archive can hold"):
        precomputed_spec("own", tmp_path / "own.npz")


def test_text_is_no_features(tmp_path):
    np.savez(tmp_path / "own.npz", a=np.array(["x", "y"]))
    with pytest.raises(FeatureError, match="'a' holds no numbers"):
        precomputed_spec("own", tmp_path / "own.npz")
