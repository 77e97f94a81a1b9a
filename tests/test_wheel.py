"""The wheel holds all that a run needs: unpacked outside of any clone, it runs a row of the demo."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory) -> Path:
    """What an installation puts beside other packages."""
    pytest.importorskip("hatchling")
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder], cwd=ROOT, check=True)
    (wheel,) = folder.glob("serbench-*-py3-none-any.whl")
    zipfile.ZipFile(wheel).extractall(folder / "site")
    return folder / "site"


def test_it_holds_suites_and_label_maps_and_no_results(unpacked):
    suites = {path.relative_to(ROOT) for path in (ROOT / "benchmarks").rglob("*.yaml")}
    assert suites and all((unpacked / "serbench" / path).is_file() for path in suites)
    assert (unpacked / "serbench" / "configs" / "labels" / "common7.yaml").is_file()
    assert not list(unpacked.rglob("*.parquet")) and not list(unpacked.rglob("test_*.py"))


def test_it_runs_the_demo_outside_of_a_clone(unpacked, tmp_path):
    words = ["run", "demo", "--model", "lda", "--protocol", "speaker_kfold", "--jobs", "1", "--no-tracking"]
    done = subprocess.run(
        [sys.executable, "-m", "serbench", *words],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(unpacked), "SERBENCH_RESULTS": str(tmp_path / "results")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "speaker-independent" in done.stdout and "3/3" in done.stdout
    origin = subprocess.run(
        [sys.executable, "-c", "import serbench; print(serbench.__file__)"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(unpacked)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(origin.stdout.strip()).is_relative_to(unpacked)
