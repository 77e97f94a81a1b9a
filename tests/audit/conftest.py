"""A tiny corpus, rows of planted plug-ins and files on it, and the canary on them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from serbench.cli.main import main

SUITE = """\
title: Planted
corpora: [{name: tiny, adapter: folder, speaker: "/(s[0-9])_"}]
grid:
  - features: [%(features)s]
    models: [%(model)s]
    protocols: [{name: speaker_kfold, params: {k: 2}}]
"""


class Audited(NamedTuple):
    """What the canary said of a row, and what the leaderboard says of it before and after."""

    before: dict[str, Any]
    after: dict[str, Any]
    found: dict[str, Any]
    gate: int

    def outcomes(self, name: str) -> set[str]:
        """PASS, FAIL or undecided of one test in every fold."""
        return {fold["checks"][name]["outcome"] for fold in self.found["folds"] if name in fold["checks"]}


@pytest.fixture(scope="session")
def spoken(tmp_path_factory) -> Path:
    """A data root with the corpus `tiny`: 4 speakers × 3 labels × 4 takes, hard enough that nobody is always right."""
    import soundfile

    root, times = tmp_path_factory.mktemp("spoken"), np.arange(4_800) / 16_000
    random = np.random.default_rng(0)
    for label, pitch in {"low": 200.0, "mid": 240.0, "high": 290.0}.items():
        (root / "tiny" / label).mkdir(parents=True)
        for speaker in range(4):
            for take in range(4):
                tone = np.sin(2 * np.pi * pitch * (1 + 0.2 * random.standard_normal()) * times)
                sound = 0.3 * tone + random.normal(0, 0.05, len(times))
                soundfile.write(root / "tiny" / label / f"s{speaker}_{label}_{take}.wav", sound, 16_000)
    return root


@pytest.fixture
def call(tmp_path, monkeypatch, capsys, spoken) -> Callable[..., tuple[int, str, str]]:
    """Call the program: ``call("run", …) -> (status, out, err)``."""

    def run(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["serbench", *map(str, words)])
        monkeypatch.setenv("SERBENCH_RESULTS", str(tmp_path / "results"))
        monkeypatch.setenv("SERBENCH_CACHE", str(tmp_path / "cache"))
        monkeypatch.setenv("SERBENCH_DATA", str(spoken))
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err

    return run


@pytest.fixture
def audited(call, tmp_path) -> Callable[..., Audited]:
    """Run a row and the canary on it: ``audited(plugin=source, features=…, model=…, files={name: path})``."""

    def audit(
        *,
        plugin: str = "",
        features: str = "mfcc",
        model: str = "lda",
        files: dict | None = None,
        suite: str = SUITE,
        more: tuple = (),
    ) -> Audited:
        place = tmp_path / "planted.yaml"
        place.write_text(suite % {"features": features, "model": model})
        words: list[object] = [
            word for name, path in (files or {}).items() for word in ("--features-file", f"{name}={path}")
        ]
        if plugin:
            (tmp_path / "plugin").mkdir(exist_ok=True)
            (tmp_path / "plugin" / "planted.py").write_text(plugin)
            words += ["--plugin", tmp_path / "plugin" / "planted.py"]
        status, _, err = call("run", place, "--executor", "in_process", "--no-tracking", *words, *more)
        assert status == 0, err
        before = json.loads(call("leaderboard", "planted", "--format", "json")[1])[0]
        command = ("audit", before["row"], "--canary", "--suite", place, "--gate", "--format", "json", *words)
        gate, out, err = call(*command)
        assert out, err
        after = json.loads(call("leaderboard", "planted", "--format", "json")[1])[0]
        return Audited(before, after, json.loads(out)[0]["canary"], gate)

    return audit
