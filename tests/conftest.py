"""Fixtures about corpora: the real ones where they are, small files, and one cache for the whole run."""

from __future__ import annotations

import gc
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from trained_models import spoken, trained, trained_pair  # noqa: F401  made once for all folders that ask for them

from serbench.circumstances import Circumstances
from serbench.runner.cell.environment import THREAD_VARIABLES

REPOSITORY = Path(__file__).parents[1]
_REAL_CORPORA, _OWN_CACHE = "SERBENCH_TEST_DATA", "SERBENCH_TEST_CACHE"


def pytest_configure(config: pytest.Config) -> None:
    # Before anything is imported: the synthetic corpus is made once a run, shared by parallel workers and doctests,
    # and the user's own cache and data stay untouched.
    if _OWN_CACHE not in os.environ:
        os.environ[_OWN_CACHE] = os.environ["SERBENCH_CACHE"] = tempfile.mkdtemp(prefix="serbench-tests-")
        config.add_cleanup(lambda: shutil.rmtree(os.environ[_OWN_CACHE], ignore_errors=True))
    # Parallel workers inherit the variables of the process that starts them, after it has come through here.
    user_data = os.environ.pop("SERBENCH_DATA", "") or str(REPOSITORY.parent / "shared" / "corpora")
    os.environ.setdefault(_REAL_CORPORA, user_data)
    # Tests run beside each other on few cores: a numerical library that starts a thread a core only waits for itself.
    for name in THREAD_VARIABLES:
        os.environ.setdefault(name, "1")
    # The programs that tests start compile serbench once, not each of them anew.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    # What is imported stays. Keras looks for garbage before each network that is built: not in all modules each time.
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


@pytest.fixture(scope="session")
def shared_cache() -> Path:
    """The cache folder of this test run: the synthetic corpus is in it once it was opened."""
    return Path(os.environ["SERBENCH_CACHE"])


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of the real corpora; a test that asks for it is skipped where there are none."""
    folder = Path(os.environ[_REAL_CORPORA])
    if not (folder / "emodb").is_dir():
        pytest.skip("no real corpora here (SERBENCH_DATA)")
    return folder


@pytest.fixture
def circumstances(tmp_path: Path) -> Circumstances:
    """Data, cache and results below the test's own folder."""
    return Circumstances(data=tmp_path / "data", cache=tmp_path / "cache", results=tmp_path / "results", jobs=1)


@pytest.fixture
def make_wav() -> Callable[..., Path]:
    """Write a small file: ``make_wav(path, seconds, rate, seed=..., signal=..., channels=..., subtype=...)``.

    Different paths get different noise unless a seed or the samples are given.
    """
    import soundfile

    def make(
        path: Path,
        seconds: float = 0.05,
        rate: int = 16_000,
        *,
        seed: int | None = None,
        signal: np.ndarray | None = None,
        channels: int = 1,
        **settings: str,
    ) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        if signal is None:
            entropy = list(str(path).encode()) if seed is None else seed
            shape = (int(seconds * rate), channels) if channels > 1 else int(seconds * rate)
            # Whole numbers: what is written does not depend on how a container rounds.
            signal = (3000 * np.random.default_rng(entropy).standard_normal(shape)).astype(np.int16)
        soundfile.write(path, signal, rate, **settings)
        return path

    return make


TINY_SUITE = """\
title: Tiny
corpora: [{name: tiny, adapter: folder, speaker: "/(s[0-9])_"}]
grid:
  - features: [mfcc]
    models: [majority, knn, lda]
    protocols: [{name: speaker_kfold, params: {k: 3}}, {name: stratified_kfold, params: {k: 3}}]
"""


@pytest.fixture(scope="session")
def tiny_data(tmp_path_factory) -> Path:
    """A data root with the corpus `tiny`: 6 speakers × 3 labels × 3 takes of a noisy tone, a folder per label."""
    import soundfile

    root = tmp_path_factory.mktemp("data")
    times = np.arange(6_400) / 16_000
    generator = np.random.default_rng(0)
    for label, pitch in {"low": 150.0, "mid": 300.0, "high": 600.0}.items():
        (root / "tiny" / label).mkdir(parents=True)
        for speaker in range(6):
            for take in range(3):
                tone = 0.3 * np.sin(2 * np.pi * pitch * (1 + 0.1 * speaker + 0.02 * take) * times)
                path = root / "tiny" / label / f"s{speaker}_{label}_{take}.wav"
                soundfile.write(path, tone + generator.normal(0, 0.02, len(times)), 16_000)
    return root


@pytest.fixture
def tiny_suite(tmp_path: Path) -> Path:
    """A suite of 18 cells over the corpus `tiny`."""
    path = tmp_path / "tiny.yaml"
    path.write_text(TINY_SUITE)
    return path
