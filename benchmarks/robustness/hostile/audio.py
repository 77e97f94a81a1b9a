"""Audio that is none, or lies about its length."""

from __future__ import annotations

import os
import struct

import numpy as np
import soundfile

from hostile.cases import HEALED, NAMED, case
from hostile.place import Place

NEW = "low/s0_low_9.wav"


def _wav(frames: int, announced: int, rate: int = 16_000, channels: int = 1) -> bytes:
    data = b"\1\0" * frames
    form = struct.pack("<HHIIHH", 1, channels, rate, (rate * 2 * channels) & 0xFFFFFFFF, (2 * channels) & 0xFFFF, 16)
    return (
        b"RIFF" + struct.pack("<I", (36 + announced) & 0xFFFFFFFF) + b"WAVEfmt " + struct.pack("<I", 16) + form
        + b"data" + struct.pack("<I", announced & 0xFFFFFFFF) + data
    )  # fmt: skip


def _run(place: Place) -> None:
    place.keep()
    place.run("--model", "knn")


FILES = {
    "empty": b"",
    "a Git LFS pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
    "text": b"this is no audio",
    "random bytes": bytes(range(256)) * 50,
    "a WAV without samples": _wav(0, 0),
    "a WAV that announces 4 GB": _wav(100, 0xFFFFFF00),
    "a WAV of 0 Hz": _wav(100, 200, rate=0),
    "a WAV of 65,535 channels": _wav(100, 200, channels=65_535),
    "a RIFF header alone": b"RIFF\x24\0\0\0WAVE",
}
for title, content in FILES.items():

    @case("audio", f"a file that is {title}", HEALED, "unreadable|empty|left out|pointer|cut|decoded|samples")
    def _(place: Place, content=content):
        (place.corpus / NEW).write_bytes(content)
        _run(place)


@case("audio", "a WAV of 1 Hz that is 100,000 s at 16 kHz", HEALED, "long|left out|GiB|Hz")
def _(place: Place):
    (place.corpus / NEW).write_bytes(_wav(1_000_000, 2_000_000, rate=1))
    _run(place)


@case("audio", "a FLAC whose header announces 2^35 samples", HEALED, "cut|announce|left out")
def _(place: Place):
    path = place.corpus / "low" / "s0_low_9.flac"
    soundfile.write(path, np.zeros(4_000), 16_000)
    content = bytearray(path.read_bytes())
    # The total number of samples: the last four bits of byte 21 and the four bytes after it.
    content[21] |= 0x08
    path.write_bytes(bytes(content))
    _run(place)


@case("audio", "samples that are not finite", HEALED, "finite")
def _(place: Place):
    soundfile.write(place.corpus / NEW, np.full(4_000, np.nan, np.float32), 16_000, subtype="FLOAT")
    _run(place)


@case("audio", "silence", HEALED, "silent|silence")
def _(place: Place):
    soundfile.write(place.corpus / NEW, np.zeros(4_000), 16_000)
    _run(place)


@case("audio", "one sample", HEALED)
def _(place: Place):
    soundfile.write(place.corpus / NEW, np.array([0.5]), 16_000)
    _run(place)


@case("audio", "a named pipe", HEALED, "pipe|regular")
def _(place: Place):
    os.mkfifo(place.corpus / NEW)
    _run(place)


@case("audio", "a link to an endless device", HEALED, "device|regular")
def _(place: Place):
    (place.corpus / NEW).symlink_to("/dev/zero")
    _run(place)


@case("audio", "a socket", HEALED, "regular|socket")
def _(place: Place):
    import socket

    here = os.getcwd()
    with socket.socket(socket.AF_UNIX) as server:
        try:
            os.chdir(place.corpus / "low")
            server.bind("s0_low_9.wav")
        finally:
            os.chdir(here)
    _run(place)


@case("audio", "a folder called like audio", HEALED)
def _(place: Place):
    (place.corpus / NEW).mkdir()
    _run(place)


@case("audio", "a link to nowhere", HEALED, "left out|unreadable|read")
def _(place: Place):
    (place.corpus / NEW).symlink_to("/nowhere/at/all.wav")
    _run(place)


@case("audio", "a link to itself", HEALED, "left out|unreadable|read")
def _(place: Place):
    (place.corpus / NEW).symlink_to(place.corpus / NEW)
    _run(place)


@case("audio", "a folder that links to its parent", HEALED)
def _(place: Place):
    (place.corpus / "low" / "again").symlink_to(place.corpus)
    _run(place)


@case("audio", "a manifest that is a pipe", NAMED)
def _(place: Place):
    os.mkfifo(place.folder / "pipe.csv")
    text = place.suite.read_text().replace('adapter: folder, speaker: "/(s[0-9])_"', "adapter: manifest")
    place.write("own.yaml", text)
    place.run("--corpus-path", "tiny=pipe.csv", suite="own.yaml")


@case("audio", "a manifest that names a device", NAMED)
def _(place: Place):
    place.write("own/manifest.csv", "path,label,speaker\n/dev/zero,low,a\n/dev/zero,high,b\n")
    text = place.suite.read_text().replace('adapter: folder, speaker: "/(s[0-9])_"', "adapter: manifest")
    place.write("own.yaml", text)
    place.run("--corpus-path", "tiny=own", suite="own.yaml")


@case("audio", "no file is readable", NAMED, "no usable")
def _(place: Place):
    for path in place.corpus.rglob("*.wav"):
        path.write_bytes(b"spoilt")
    place.run()
