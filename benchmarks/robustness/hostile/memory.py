"""Headers that promise more than a file holds, and cells that ask for more than they may have."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from hostile.cases import NAMED, ROW, case
from hostile.place import Place
from hostile.plug_ins import FEATURE, OWN

HUNGRY = "self.x = np.ones((40_000, 40_000))"


@case("memory", "a model that asks for 12 GiB under --memory 2G", ROW, "cells failed")
def _(place: Place):
    place.keep()
    place.plugin(OWN.format(body=HUNGRY), "--model", "own", "--memory", "2G")
    show = place.cli("show", _own_cell(place))
    place.answers.remove(show)
    if "2.0 GiB" not in show.said:
        raise RuntimeError(f"the figure is not said: {show.said[-400:]}")


@case("memory", "a model that asks for 10^6 GiB", ROW, "cells failed")
def _(place: Place):
    place.keep()
    place.plugin(OWN.format(body="self.x = np.ones((10**8, 10**7))"), "--model", "own")


@case("memory", "a model that grows bit by bit under --memory 1G", ROW, "cells failed")
def _(place: Place):
    place.keep()
    body = "self.x = []\n        while True: self.x.append(bytearray(10**7))"
    place.plugin(OWN.format(body=body), "--model", "own", "--memory", "1G")


@case("memory", "a feature set that asks for 12 GiB under --memory 2G", ROW, "cells failed")
def _(place: Place):
    place.keep()
    body = "np.ones((40_000, 40_000))"
    place.plugin(FEATURE.format(body=body), "--features", "own", "--memory", "2G")


def _own_cell(place: Place) -> str:
    from serbench.records import read_record

    return next(path.stem for path in place.cells if read_record(path).cell.model_name == "own")


def _npy(shape: str, values: bytes = b"\0" * 64, descr: str = "'<f8'") -> bytes:
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}".encode()
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + values


def _npz(members: dict[str, bytes], **settings: int) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, **settings) as pack:
        for name, content in members.items():
            pack.writestr(f"{name}.npy", content)
    return sink.getvalue()


NPZ = {
    "announces 10^15 values": _npz({"a": _npy("(1000000000000000,)")}),
    "announces a negative shape": _npz({"a": _npy("(-5,)")}),
    "announces 200 GiB": _npz({"a": _npy("(1000, 26843545)")}),
    "holds objects": _npz({"a": _npy("(1,)", descr="'|O'")}),
    "has a header that is no Python": _npz({"a": b"\x93NUMPY\x01\x00\x40\x00" + b"(" * 64}),
    "has a header nested too deep": _npz({"a": b"\x93NUMPY\x01\x00\xff\x7f" + b"(" * 0x7FFF}),
    "is truncated": _npz({"a": _npy("(8,)")})[:90],
    "is no archive": b"PK\x03\x04 nothing",
    "holds no array": _npz({}),
    "holds text": _npz({"a": _npy("(4,)", b"abcd" * 4, "'<U1'")}),
}
for title, content in NPZ.items():

    @case("memory", f"an NPZ of features that {title}", NAMED, "own.npz")
    def _(place: Place, content=content):
        place.write("own.npz", content)
        place.run("--features-file", "own=own.npz", "--features", "own")


@case("memory", "an NPZ that says it holds more than it does", NAMED, "own.npz")
def _(place: Place):
    content = bytearray(_npz({"a": _npy("(8,)")}))
    at = content.rindex(b"PK\x01\x02")
    content[at + 24 : at + 28] = (0xFFFFFFF0).to_bytes(4, "little")
    place.write("own.npz", bytes(content))
    place.run("--features-file", "own=own.npz", "--features", "own")


def _parquet(place: Place) -> Path:
    path = place.folder / "own.parquet"
    pd.DataFrame({"utterance": ["a"], "x": [1.0]}).to_parquet(path)
    return path


def _features(place: Place) -> None:
    place.run("--features-file", "own=own.parquet", "--features", "own")


@case("memory", "a Parquet of features that is truncated", NAMED, "own.parquet")
def _(place: Place):
    path = _parquet(place)
    path.write_bytes(path.read_bytes()[:-20])
    _features(place)


@case("memory", "a Parquet whose footer announces 2 GB", NAMED, "own.parquet")
def _(place: Place):
    path = _parquet(place)
    path.write_bytes(path.read_bytes()[:-8] + (0x7FFFFFFF).to_bytes(4, "little") + b"PAR1")
    _features(place)


@case("memory", "a Parquet whose footer is noise", NAMED, "own.parquet")
def _(place: Place):
    path = _parquet(place)
    content = bytearray(path.read_bytes())
    content[-200:-8] = np.random.default_rng(0).bytes(192)
    path.write_bytes(bytes(content))
    _features(place)


@case("memory", "a Parquet of nested lists 30 deep", NAMED, "own.parquet")
def _(place: Place):
    values = 1.0
    kind = pa.float64()
    for _ in range(30):
        values, kind = [values], pa.list_(kind)
    table = pa.table({"utterance": ["a"], "features": pa.array([values], kind)})
    pq.write_table(table, place.folder / "own.parquet")
    _features(place)


@case("memory", "a Parquet of dictionaries", NAMED, "own.parquet")
def _(place: Place):
    pq.write_table(pa.table({"utterance": ["a"], "features": pa.array([{"x": 1}])}), place.folder / "own.parquet")
    _features(place)


@case("memory", "a features file that is a pipe", NAMED, "own.npz")
def _(place: Place):
    import os

    os.mkfifo(place.folder / "own.npz")
    place.run("--features-file", "own=own.npz", "--features", "own")


@case("memory", "a features file without these utterances", ROW, "cells failed")
def _(place: Place):
    place.keep()
    place.write("own.npz", _npz({"a": _npy("(8,)")}))
    place.run("--features-file", "own=own.npz", "--features", "own")


@case("memory", "an archive of audio that unpacks to 1 TB", NAMED, "space|announces|holds")
def _(place: Place):
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as pack:
        pack.writestr("a.wav", b"\0" * 1000)
    content = bytearray(sink.getvalue())
    at = content.rindex(b"PK\x01\x02")
    content[at + 24 : at + 28] = (0xFFFFFFF0).to_bytes(4, "little")
    path = place.write("emodb.zip", bytes(content))
    place.cli("corpora", "get", "emodb", "--from", path, "--yes")
