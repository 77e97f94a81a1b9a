"""Where a case happens: a temporary folder with a tiny corpus, a suite and finished results, and the real program."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import soundfile

from serbench.records import read_record

SUITE = """\
title: Tiny
corpora: [{name: tiny, adapter: folder, speaker: "/(s[0-9])_"}]
grid:
  - features: [mfcc]
    models: [majority, lda]
    protocols: [{name: speaker_kfold, params: {k: 3}}]
"""
CELLS = 6
RATE = 16_000
LABELS = {"low": 150.0, "mid": 300.0, "high": 600.0}
# What a plug-in file begins with: a model that answers with the shares of the classes, and is well behaved.
MODEL = """
import os, sys, time
import numpy as np
from serbench import FeatureSpec, ModelSpec, ProtocolSpec, Split

class Prior:
    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.shares = np.bincount(y) / len(y)
        return self

    def predict_proba(self, X):
        return np.tile(self.shares, (len(X), 1))
"""


@dataclass(frozen=True)
class Answer:
    """What a command answered; `status` is None where it had to be killed."""

    status: int | None
    out: str
    err: str
    seconds: float

    @property
    def said(self) -> str:
        """Both streams."""
        return self.out + self.err


@dataclass
class Place:
    """A folder of one case.

    Attributes
    ----------
    folder : Path
    limit : float
        Seconds after which a command counts as endless.
    base : Path, optional
        What it was copied from.
    answers : list of Answer
        Of the commands so far.
    kept : dict
        Finished cells that must still be there at the end, with their predictions.
    """

    folder: Path
    limit: float = 60.0
    base: Path | None = None
    answers: list[Answer] = field(default_factory=list)
    kept: dict[Path, pd.DataFrame] = field(default_factory=dict)

    @property
    def corpus(self) -> Path:
        """The audio: a folder per label."""
        return self.folder / "data" / "tiny"

    @property
    def suite(self) -> Path:
        """The suite file."""
        return self.folder / "tiny.yaml"

    @property
    def results(self) -> Path:
        """Results of the suite."""
        return self.folder / "results" / "tiny"

    @property
    def cells(self) -> list[Path]:
        """Files of its cells."""
        return sorted((self.results / "cells").glob("*.parquet"))

    def write(self, name: str, content: str | bytes) -> Path:
        """Write a file below the folder."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))
        return path

    def keep(self, *spoilt: Path) -> None:
        """Hold the case to all cells that are finished now, but for those that it spoils itself."""
        self.kept = {path: pd.read_parquet(path) for path in self.cells if path not in spoilt}

    def lost(self) -> list[str]:
        """Finished cells that are gone, damaged or changed."""
        return [path.name for path, predictions in self.kept.items() if not _as_before(path, predictions)]

    def run(self, *words: object, suite: object = "tiny.yaml", **settings: object) -> Answer:
        """``serbench run`` in one process at a time, without tracking."""
        return self.cli("run", suite, "--jobs", 1, "--no-tracking", *words, **settings)

    def plugin(self, source: str, *words: object, **settings: object) -> Answer:
        """Run the suite with a plug-in file; the words name what of it is wanted."""
        self.write("plug.py", MODEL + source)
        return self.run("--plugin", "plug.py", *words, **settings)

    def cli(self, *words: object, **settings: object) -> Answer:
        """Any verb of the program, in this folder."""
        return self.python("-m", "serbench", *map(str, words), **settings)

    def python(self, *words: str, **settings: object) -> Answer:
        """A Python process in this folder: killed with all that it started when the time is up."""
        process = self.start(*words)
        return self.wait(process, **settings)

    def start(self, *words: str) -> subprocess.Popen:
        """Start a Python process in a session of its own."""
        environment = {
            **os.environ,
            "SERBENCH_DATA": str(self.folder / "data"),
            "SERBENCH_CACHE": str(self.folder / "cache"),
            "SERBENCH_RESULTS": "results",
            "COLUMNS": "160",
        }
        # Files and not pipes: what a plug-in left running would keep a pipe open.
        self._out, self._err = (tempfile.TemporaryFile() for _ in range(2))  # noqa: SIM115
        command = [sys.executable, *map(os.fsencode, words)]
        streams = {"stdin": subprocess.DEVNULL, "stdout": self._out, "stderr": self._err}
        self._begun = time.perf_counter()
        return subprocess.Popen(command, cwd=self.folder, env=environment, start_new_session=True, **streams)

    def wait(self, process: subprocess.Popen, within: float | None = None) -> Answer:
        """Wait for a process and read what it said."""
        try:
            status = process.wait(timeout=within or self.limit)
        except subprocess.TimeoutExpired:
            status = None
        seconds = time.perf_counter() - self._begun
        _kill_group(process)
        said = [_read(stream) for stream in (self._out, self._err)]
        answer = Answer(status, *said, seconds)
        self.answers.append(answer)
        return answer

    def interrupted(self, *words: str, ready: Callable[[], bool], within: float = 5.0) -> Answer:
        """Press Ctrl-C once `ready`: all that the command has started must end `within` seconds, and then it."""
        process = self.start("-m", "serbench", *words)
        begun = time.monotonic()
        while not ready() and process.poll() is None and time.monotonic() - begun < self.limit:
            time.sleep(0.05)
        children = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
        # Python's own helper ends with the program.
        started = [child for child in children if "resource_tracker" not in " ".join(child.cmdline())]
        process.send_signal(signal.SIGINT)
        ended = time.monotonic() + within
        while (alive := any(map(_lives, started))) and time.monotonic() < ended:
            time.sleep(0.05)
        return self.wait(process, within=0.1 if alive else self.limit)


def make_base(folder: Path) -> Place:
    """The place that others are copied from: corpus, suite, features, six finished cells."""
    place = Place(folder, limit=300)
    place.write("tiny.yaml", SUITE)
    make_corpus(place.corpus)
    answer = place.run()
    if answer.status != 0:
        raise RuntimeError(f"the undisturbed run failed: {answer.said}")
    return place


def copy_of(base: Path, folder: Path, limit: float) -> Place:
    """A place of one's own with all that the base has."""
    shutil.copytree(base, folder, dirs_exist_ok=True)
    return Place(folder, limit, base)


def make_corpus(folder: Path, speakers: int = 6, takes: int = 3) -> None:
    """Noisy tones, a folder per label."""
    times = np.arange(RATE // 4) / RATE
    generator = np.random.default_rng(0)
    for label, pitch in LABELS.items():
        (folder / label).mkdir(parents=True)
        for speaker in range(speakers):
            for take in range(takes):
                tone = 0.3 * np.sin(2 * np.pi * pitch * (1 + 0.1 * speaker + 0.02 * take) * times)
                noisy = tone + generator.normal(0, 0.02, len(times))
                soundfile.write(folder / label / f"s{speaker}_{label}_{take}.wav", noisy, RATE)


def statuses(cells: Sequence[Path]) -> list[str]:
    """Status of each cell that can be read."""
    return [read_record(path).status for path in cells]


def _as_before(path: Path, predictions: pd.DataFrame) -> bool:
    try:
        return read_record(path).status == "ok" and pd.read_parquet(path).equals(predictions)
    except Exception:
        return False


def _lives(process: psutil.Process) -> bool:
    # An orphan that was killed can wait long for somebody to take note of it.
    with suppress(psutil.NoSuchProcess):
        return process.status() != psutil.STATUS_ZOMBIE
    return False


def _kill_group(process: subprocess.Popen) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _read(stream) -> str:
    stream.seek(0)
    with stream:
        return stream.read().decode("utf-8", "replace")
