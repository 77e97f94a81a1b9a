"""Call the program as a user would, in this process."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import pytest

from serbench.cli.main import main


@dataclass(frozen=True)
class Answer:
    """What a call left behind."""

    status: int
    out: str
    err: str


@pytest.fixture
def serbench(monkeypatch, capsys, tmp_path, shared_cache):
    """``serbench("run", "demo", ...) -> Answer``; results go below the test's own folder."""

    def call(*words: object) -> Answer:
        monkeypatch.setattr(sys, "argv", ["serbench", *map(str, words)])
        monkeypatch.setenv("SERBENCH_RESULTS", str(tmp_path / "results"))
        monkeypatch.setenv("SERBENCH_CACHE", str(shared_cache))
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        return Answer(int(ended.value.code or 0), captured.out, captured.err)

    return call
