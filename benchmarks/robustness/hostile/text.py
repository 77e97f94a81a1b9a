"""Text that is none: encodings, NUL, halves of characters, names too long for the system."""

from __future__ import annotations

import os

from hostile.cases import HEALED, NAMED, ROW, case
from hostile.place import SUITE, Place

LONG = "a" * 5_000

FILES = {
    "in Latin-1": (SUITE.replace("Tiny", "Grün").encode("latin-1"), "UTF-8"),
    "in UTF-16": (SUITE.encode("utf-16"), "UTF-8|valid YAML"),
    "of random bytes": (bytes(range(256)) * 8, "UTF-8|valid YAML"),
    "with NUL": (SUITE.replace("Tiny", "Ti\0ny").encode(), "YAML"),
    "empty": (b"", "mapping"),
    "of one tab": (b"\t", "YAML|mapping"),
    "of 100,000 brackets": (b"[" * 100_000, "nested|YAML"),
    "with a date for a title": (SUITE.replace("Tiny", "2024-01-01").encode(), "title"),
    "with an impossible date": (SUITE.replace("Tiny", "2024-99-99").encode(), "YAML"),
    "that is a list": (b"- a\n- b\n", "mapping"),
    "of two documents": (SUITE.encode() + b"---\n" + SUITE.encode(), "YAML"),
    "with an unknown tag": (SUITE.replace("Tiny", "!!python/object/apply:os.system [ls]").encode(), "YAML"),
}
for title, (content, says) in FILES.items():

    @case("text", f"a suite {title}", NAMED, says)
    def _(place: Place, content=content):
        place.write("bad.yaml", content)
        place.run(suite="bad.yaml")


@case("text", "a suite with a byte order mark", HEALED)
def _(place: Place):
    place.write("tiny.yaml", b"\xef\xbb\xbf" + SUITE.encode())
    place.keep()
    place.run()


@case("text", "a suite that is a folder", NAMED, "suite")
def _(place: Place):
    (place.folder / "dir.yaml").mkdir()
    place.run(suite="dir.yaml")


@case("text", "a suite that is a pipe", NAMED, "suite")
def _(place: Place):
    os.mkfifo(place.folder / "pipe.yaml")
    place.run(suite="pipe.yaml")


@case("text", "a suite's path of 5,000 characters", NAMED, "suite")
def _(place: Place):
    place.run(suite=f"{LONG}.yaml")


@case("text", "a suite's name of 5,000 characters", NAMED, "suite")
def _(place: Place):
    place.run(suite=LONG)


for option in ("--results", "--cache", "--data", "--plugin"):

    @case("text", f"{option} of 5,000 characters", NAMED)
    def _(place: Place, option=option):
        place.run(option, LONG, "--model", "knn")


@case("text", "--corpus-path of 5,000 characters", NAMED)
def _(place: Place):
    place.run("--corpus-path", f"tiny={LONG}")


@case("text", "a suite whose name is a path", NAMED, "name")
def _(place: Place):
    place.write("bad.yaml", "name: ../../escape\n" + SUITE)
    place.run(suite="bad.yaml")


@case("text", "a suite whose name is 300 characters", NAMED, "name")
def _(place: Place):
    place.write("bad.yaml", f"name: {'n' * 300}\n" + SUITE)
    place.run(suite="bad.yaml")


@case("text", "a suite whose title holds half a character", NAMED, "character|YAML|UTF-8")
def _(place: Place):
    place.write("bad.yaml", SUITE.replace("Tiny", '"\\ud800"'))
    place.run(suite="bad.yaml")


@case("text", "NUL in an escaped corpus name", NAMED, "NUL|control")
def _(place: Place):
    place.write("bad.yaml", SUITE.replace("name: tiny", 'name: "ti\\0ny"'))
    place.run(suite="bad.yaml")


@case("text", "audio whose names are no UTF-8", HEALED, "UTF-8|name")
def _(place: Place):
    source = next((place.corpus / "low").glob("*.wav"))
    os.link(source, os.fsencode(place.corpus / "low") + b"/s0_low_\xff\xfe.wav")
    place.keep()
    place.run("--model", "knn")


@case("text", "a label folder whose name is no UTF-8", HEALED, "UTF-8|name")
def _(place: Place):
    folder = os.fsencode(place.corpus) + b"/gr\xfcn"
    os.mkdir(folder)
    source = next((place.corpus / "low").glob("*.wav"))
    os.link(source, folder + b"/s0_a.wav")
    place.run("--model", "knn")


@case("text", "a corpus folder whose name is no UTF-8", NAMED, "UTF-8")
def _(place: Place):
    os.rename(os.fsencode(place.corpus), os.fsencode(place.folder) + b"/t\xefny")
    place.cli("run", "tiny.yaml", "--jobs", 1, "--no-tracking", "--corpus-path", "tiny=t\udcefny", "--model", "knn")


@case("text", "a word on the command line that is no UTF-8", NAMED)
def _(place: Place):
    place.run("--model", "kn\udcff")


@case("text", "a manifest in Latin-1", NAMED, "manifest|read")
def _(place: Place):
    _manifest(place, "path,label,speaker\ngrün.wav,low,s0\n".encode("latin-1"))


@case("text", "a manifest with NUL", NAMED)
def _(place: Place):
    _manifest(place, b"path,label,speaker\nti\0ny.wav,low,s0\n")


@case("text", "a manifest with a path of 5,000 characters", NAMED)
def _(place: Place):
    _manifest(place, f"path,label,speaker\n{LONG}.wav,low,s0\n".encode())


@case("text", "a manifest of random bytes called Parquet", NAMED)
def _(place: Place):
    _manifest(place, bytes(range(256)) * 20, "manifest.parquet")


@case("text", "configs/local.yaml in Latin-1", NAMED, "local.yaml")
def _(place: Place):
    place.write("configs/local.yaml", "data: grün".encode("latin-1"))
    place.run()


@case("text", "configs/local.yaml with values of other types", NAMED, "local.yaml|data|plugins")
def _(place: Place):
    place.write("configs/local.yaml", "data: 7\ncorpus_paths: 3\nplugins: null\n")
    place.run()


def _manifest(place: Place, content: bytes, name: str = "manifest.csv") -> None:
    place.write(f"own/{name}", content)
    place.write("own.yaml", SUITE.replace('adapter: folder, speaker: "/(s[0-9])_"', "adapter: manifest"))
    place.run("--corpus-path", f"tiny=own/{name}", suite="own.yaml")


RAISES = """
class Raises(Prior):
    def fit(self, X, y):
        {body}

OWN = ModelSpec(name="own", accepts="vector", build=lambda params, *, n_classes, seed: Raises())
"""
BODIES = {
    "holds half a character": 'raise RuntimeError("\\ud800 is half")',
    "holds NUL": 'raise RuntimeError("a\\0b")',
    "is 10 MB long": 'raise RuntimeError("x" * 10_000_000)',
    "cannot be shown": 'raise type("Odd", (Exception,), {"__str__": lambda self: 1 / 0})()',
    "is no Exception": 'raise type("Base", (BaseException,), {})("base")',
}
for title, body in BODIES.items():

    @case("text", f"a plug-in's error that {title}", ROW, "cells failed")
    def _(place: Place, body=body):
        place.keep()
        place.plugin(RAISES.format(body=body), "--model", "own")
