"""Fixtures that tests of several areas share."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of the real corpora; a test that needs it is skipped where it is absent."""
    folder = Path(os.environ.get("SERBENCH_DATA") or ROOT.parent / "shared" / "corpora")
    if not (folder / "emodb").is_dir():
        pytest.skip("the real corpora are not here")
    return folder.resolve()


@pytest.fixture(scope="session")
def make_wav():
    """Write a short tone: ``make_wav(path, pitch=200.0, seconds=0.4, rate=16_000, seed=0)``."""

    def make(path: Path, pitch: float = 200.0, seconds: float = 0.4, rate: int = 16_000, seed: int = 0) -> Path:
        times = np.arange(int(seconds * rate)) / rate
        noise = np.random.default_rng(seed).normal(0, 0.02, len(times))
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, 0.3 * np.sin(2 * np.pi * pitch * times) + noise, rate)
        return path

    return make


@pytest.fixture(scope="session")
def tiny_data(tmp_path_factory, make_wav) -> Path:
    """A data root with the corpus `tiny`: 6 speakers × 3 labels × 3 takes, a folder per label."""
    root = tmp_path_factory.mktemp("data")
    pitches = {"low": 150.0, "mid": 300.0, "high": 600.0}
    for speaker in range(6):
        for place, (label, pitch) in enumerate(pitches.items()):
            for take in range(3):
                seed = 100 * speaker + 10 * place + take
                name = f"s{speaker}_{label}_{take}.wav"
                make_wav(root / "tiny" / label / name, pitch * (1 + 0.1 * speaker + 0.02 * take), seed=seed)
    return root


TINY_SUITE = """\
title: Tiny
corpora: [{name: tiny, adapter: folder, speaker: "^(s[0-9])_"}]
grid:
  - features: [mfcc]
    models: [majority, knn, lda]
    protocols: [{name: speaker_kfold, params: {k: 3}}, {name: stratified_kfold, params: {k: 3}}]
"""


@pytest.fixture
def tiny_suite(tmp_path) -> Path:
    """A suite of 18 cells over the corpus `tiny`."""
    path = tmp_path / "tiny.yaml"
    path.write_text(TINY_SUITE)
    return path


@pytest.fixture(scope="session")
def shared_cache(tmp_path_factory) -> Path:
    """A cache folder for the whole test run, so that the synthetic corpus is made once."""
    return tmp_path_factory.mktemp("cache")
