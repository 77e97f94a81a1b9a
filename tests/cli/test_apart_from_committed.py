"""What a run writes lies apart from the committed figures, and the verbs say which they show."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from serbench.records.ledger import ledger_of_host

REPOSITORY = Path(__file__).parents[2]
QUICK = ("--model", "majority", "--model", "svm", "--executor", "in_process")


def git(*words: object) -> str:
    return subprocess.run(["git", *map(str, words)], capture_output=True, text=True, check=True).stdout


@pytest.fixture
def clone(tmp_path, monkeypatch) -> Path:
    """A clone of this repository, with its uncommitted rules about what git ignores, as working directory."""
    if not (REPOSITORY / ".git").exists():
        pytest.skip("not a git repository")
    folder = tmp_path / "clone"
    git("clone", "--quiet", REPOSITORY, folder)
    shutil.copy(REPOSITORY / ".gitignore", folder / ".gitignore")
    monkeypatch.chdir(folder)
    return folder


def test_a_run_leaves_the_clone_clean(serbench, clone):
    before = git("status", "--porcelain")
    where = ("--results", "results")
    committed = serbench("leaderboard", "demo", *where)
    assert "demo: rows shown: " in committed.err and "run here" not in committed.err
    total = int(committed.err.split("rows shown: ")[1].split()[0])
    answer = serbench("run", "demo", *where, *QUICK)
    assert answer.status == 0, answer.err
    assert git("status", "--porcelain") == before
    assert (clone / "results" / "demo" / "run" / "leaderboard.csv").is_file()
    scored = ledger_of_host(clone / "results" / "demo").read_text().splitlines()[1:]
    assert len(scored) == len(list((clone / "results" / "demo" / "cells").iterdir())) > 0
    shown = serbench("leaderboard", "demo", *where).err
    here = len({path.stem for path in (clone / "results" / "demo" / "cells").iterdir()}) // 3
    assert here and f"demo: rows shown: {here} run here, {total - here} as committed (frozen.parquet)" in shown
    rows = json.loads(serbench("leaderboard", "demo", *where, "--format", "json").out)
    by_model = {row["model"]: row["row"] for row in rows}
    assert "demo: rows shown: 1 run here" in serbench("show", by_model["majority"], "demo", *where).err
    assert "demo: rows shown: 1 as committed" in serbench("show", by_model["lda"], "demo", *where).err
    # Freezing is what changes the committed files.
    assert serbench("freeze", "demo", *where).status == 0
    assert "results/demo/frozen.parquet" in git("status", "--porcelain")
