"""State that a run has left: plans, split tables, journals, logs, cells, frozen files, damaged in every way."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from hostile.cases import HEALED, NAMED, case
from hostile.place import Place
from serbench.records import METADATA_KEY

BYTES = {
    "truncated": lambda old: old[: len(old) // 2],
    "empty": lambda old: b"",
    "foreign": lambda old: b"\x89PNG\r\n\x1a\n" + bytes(range(256)),
}
PLANS = {
    "null": "null",
    "a list of null": "[null]",
    "a number": "7",
    "cells of another shape": '[{"id": 3, "cell": []}]',
    "nested 100,000 deep": "[" * 100_000,
    "half a character": '[{"id": "\\ud800", "cell": {}}]',
}
AROUND = "set aside as"


def _spoil(path: Path, kind: str) -> None:
    old = path.read_bytes()
    path.unlink()
    path.write_bytes(BYTES[kind](old))


def _replaced(path: Path, kind: str) -> None:
    path.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    if kind == "folder":
        (path / "within").mkdir(parents=True)
    else:
        os.mkfifo(path)


def _again(place: Place) -> None:
    """The spoilt state is met, and once more after that: what is healed stays healed."""
    place.keep()
    place.run()
    first = place.answers.pop()
    place.run()
    place.answers.insert(0, place.answers.pop())
    place.answers.append(first)


for kind in BYTES:

    @case("state", f"splits.parquet {kind}", HEALED, AROUND)
    def _(place: Place, kind=kind):
        _spoil(place.results / "splits.parquet", kind)
        _again(place)


@case("state", "splits.parquet with other columns", HEALED, AROUND)
def _(place: Place):
    pd.DataFrame({"colour": ["red"]}).to_parquet(place.results / "splits.parquet")
    _again(place)


for name in ("splits.parquet", "plan.json", "work/workers.log", "work"):
    for kind in ("folder", "pipe"):

        @case("state", f"{name} is a {kind}", HEALED)
        def _(place: Place, name=name, kind=kind):
            path = place.results / name
            if path.is_dir():
                os.rename(path, path.with_name("aside"))
            _replaced(path, kind)
            place.keep()
            place.run("--model", "knn")


for title, content in PLANS.items():

    @case("state", f"plan.json holds {title}", HEALED, AROUND)
    def _(place: Place, content=content):
        place.write("results/tiny/plan.json", content)
        _again(place)


for kind in BYTES:

    @case("state", f"a cell file {kind}", HEALED, "1 damaged")
    def _(place: Place, kind=kind):
        _spoil(place.cells[0], kind)
        place.keep(place.cells[0])
        place.run()


METADATA = {
    "a list": b"[]",
    "null": b"null",
    "null as corpus": b'{"status": "ok", "cell": {"corpus": null}}',
    "not UTF-8": b"\xff\xfe",
    "nested 100,000 deep": b"[" * 100_000,
}
for title, content in METADATA.items():

    @case("state", f"a cell whose metadata are {title}", HEALED, "1 damaged")
    def _(place: Place, content=content):
        path = place.cells[0]
        table = pq.read_table(path)
        key = METADATA_KEY if isinstance(METADATA_KEY, bytes) else METADATA_KEY.encode()
        pq.write_table(table.replace_schema_metadata({**table.schema.metadata, key: content}), path)
        place.keep(path)
        place.run()


@case("state", "a cell without prediction columns", HEALED)
def _(place: Place):
    path = place.cells[0]
    old = pq.read_table(path)
    metadata = {key: value for key, value in old.schema.metadata.items() if key != b"pandas"}
    pq.write_table(pa.table({"x": [1]}).replace_schema_metadata(metadata), path)
    place.keep(path)
    place.run()


@case("state", "a truncated cell, seen by leaderboard", HEALED, "damaged")
def _(place: Place):
    _spoil(place.cells[0], "truncated")
    place.keep(place.cells[0])
    place.cli("leaderboard", "tiny")


for kind in BYTES:

    @case("state", f"frozen.parquet {kind}", HEALED, "frozen")
    def _(place: Place, kind=kind):
        place.cli("freeze", "tiny")
        _spoil(place.results / "frozen.parquet", kind)
        place.keep()
        place.cli("leaderboard", "tiny")


for kind in BYTES:

    @case("state", f"a search's journal {kind}", HEALED)
    def _(place: Place, kind=kind):
        words = ("--model", "lda", "--trials", 2, "--fold", "1")
        place.run(*words)
        for path in (place.results).rglob("*"):
            if path.is_file() and ("journal" in path.name or path.suffix == ".log"):
                _spoil(path, kind)
        place.keep()
        place.run(*words, "--force")


for kind in BYTES:

    @case("state", f"feature shards {kind}", HEALED)
    def _(place: Place, kind=kind):
        for path in (place.folder / "cache" / "features").rglob("*.shard"):
            _spoil(path, kind)
        place.keep()
        place.run("--model", "knn")


@case("state", "a feature shard whose header is no shard's", HEALED)
def _(place: Place):
    import struct
    import zlib

    text = b'{"entries": 7}'
    for path in (place.folder / "cache" / "features").rglob("*.shard"):
        path.write_bytes(struct.pack("<8sII", b"SERSHRD1", len(text), zlib.crc32(text)) + text)
    place.keep()
    place.run("--model", "knn")


for kind in BYTES:

    @case("state", f"the index of audio files {kind}", HEALED)
    def _(place: Place, kind=kind):
        for path in (place.folder / "cache").glob("audio-*.sqlite"):
            _spoil(path, kind)
        place.keep()
        place.run("--model", "knn")


@case("state", "the index of audio files has other columns", HEALED)
def _(place: Place):
    import sqlite3

    for path in (place.folder / "cache").glob("audio-*.sqlite"):
        path.unlink()
        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE files (colour)")
    place.keep()
    place.run("--model", "knn")


@case("state", "results is a file", NAMED, "results")
def _(place: Place):
    place.write("taken", "a file")
    place.run("--results", "taken")


@case("state", "the cache is a file", NAMED, "cache|taken")
def _(place: Place):
    place.write("taken", "a file")
    place.run("--cache", "taken", "--model", "knn")


@case("state", "leaderboard.csv is a folder", NAMED, "leaderboard.csv")
def _(place: Place):
    _replaced(place.results / "run" / "leaderboard.csv", "folder")
    place.keep()
    place.run("--model", "knn")


@case("state", "the tracking store is no database", HEALED, "track")
def _(place: Place):
    (place.folder / "results").mkdir(exist_ok=True)
    place.write("results/mlflow.db", bytes(np.arange(200, dtype=np.uint8)))
    place.keep()
    place.cli("run", "tiny.yaml", "--jobs", 1, "--model", "knn", "--tracking-uri", "sqlite:///results/mlflow.db")
