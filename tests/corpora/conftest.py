"""A server to download from, and what it has."""

from __future__ import annotations

import hashlib

import pytest
from loopback import STEMS, Resource, serve, zipped

from serbench.corpora.download import transfer


@pytest.fixture
def site(monkeypatch):
    """A server on loopback, and downloads that do not wait long for it."""
    monkeypatch.setattr(transfer, "PAUSE", 0.01)
    monkeypatch.setattr(transfer, "TIMEOUT", 5.0)
    monkeypatch.setattr(transfer, "BLOCK", 1000)
    with serve() as served:
        yield served


@pytest.fixture
def audio(tmp_path, make_wav) -> dict[str, bytes]:
    """Three utterances of EMO-DB, as they lie in its archive."""
    return {f"emodb/wav/{stem}.wav": make_wav(tmp_path / "made" / f"{stem}.wav").read_bytes() for stem in STEMS}


@pytest.fixture
def archive(audio) -> bytes:
    return zipped({**audio, "emodb/readme.txt": b"read me", "__MACOSX/emodb/wav/._03a01Fa.wav": b"x"})


@pytest.fixture
def pointers(site, audio) -> dict[str, bytes]:
    """An archive's Git LFS pointers; the site has what they stand for."""
    found = {}
    for name, content in audio.items():
        digits = hashlib.sha256(content).hexdigest()
        site[f"/media/{name.partition('/')[2]}"] = Resource(content)
        found[name] = f"version https://git-lfs.github.com/spec/v1\noid sha256:{digits}\nsize {len(content)}\n".encode()
    return found
