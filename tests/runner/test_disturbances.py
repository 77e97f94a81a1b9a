"""Ctrl-C, SIGKILL and a full disk: what is finished stays, and the next run goes on from there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pandas as pd
import plugins
import psutil
import pytest

from serbench.records import read_record


@pytest.fixture
def command(tmp_path, tiny_suite, tiny_data, shared_cache):
    """Command line of a run whose six cells take a second each."""
    plugin = tmp_path / "slow.py"
    plugin.write_text(plugins.SLOW.replace("SECONDS", "1.0"))
    words = ["run", tiny_suite, "--data", tiny_data, "--cache", shared_cache, "--results", tmp_path / "results"]
    words += ["--plugin", plugin, "--model", "slow", "--jobs", "2", "--no-tracking"]
    return [sys.executable, "-m", "serbench", *map(str, words)]


def start(command) -> subprocess.Popen:
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)


def finished(tmp_path) -> list:
    return sorted((tmp_path / "results" / "tiny" / "cells").glob("*.parquet"))


def wait_for_cells(tmp_path, process, count: int = 1) -> None:
    while len(finished(tmp_path)) < count:
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)


def resume(command, tmp_path, undone: int | None = None) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    if undone is not None:
        assert f"{undone} to run" in done.stderr
    assert len(finished(tmp_path)) == 6
    assert {read_record(path).status for path in finished(tmp_path)} == {"ok"}


def test_ctrl_c_stops_after_the_running_cells_and_the_next_run_goes_on(command, tmp_path):
    process = start(command)
    wait_for_cells(tmp_path, process)
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "stopping after the running cells" in said and "cells left" in said and "Traceback" not in said
    kept = len(finished(tmp_path))
    assert 1 <= kept < 6
    resume(command, tmp_path, undone=6 - kept)


def test_a_second_ctrl_c_stops_at_once(command, tmp_path):
    process = start(command)
    wait_for_cells(tmp_path, process)
    children = psutil.Process(process.pid).children(recursive=True)
    os.killpg(process.pid, signal.SIGINT)
    time.sleep(0.2)
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130 and "Traceback" not in said
    _, alive = psutil.wait_procs(children, timeout=10)
    assert alive == []
    resume(command, tmp_path)


@pytest.mark.parametrize("victim", ["parent", "worker", "group"])
def test_sigkill_costs_the_running_cells_only(command, tmp_path, victim):
    process = start(command)
    wait_for_cells(tmp_path, process)
    workers = [child for child in psutil.Process(process.pid).children() if "spawn_main" in " ".join(child.cmdline())]
    if victim == "worker":
        workers[0].kill()
        process.communicate(timeout=60)
        # Killed between two cells, a worker costs none.
        failed = [read_record(path).status for path in finished(tmp_path)].count("failed")
        assert failed <= 1 and process.returncode == failed
    else:
        os.killpg(process.pid, signal.SIGKILL) if victim == "group" else process.kill()
        process.communicate(timeout=60)
        _, alive = psutil.wait_procs(workers, timeout=10)
        assert alive == []
    kept = {path: pd.read_parquet(path) for path in finished(tmp_path) if read_record(path).status == "ok"}
    resume(command, tmp_path, undone=6 - len(kept))
    for path, predictions in kept.items():
        pd.testing.assert_frame_equal(pd.read_parquet(path), predictions)


def test_a_full_disk_ends_with_a_clear_error_and_nothing_lost(command, tmp_path):
    assert subprocess.run([*command, "--fold", "1"], capture_output=True).returncode == 0
    kept = finished(tmp_path)
    # A limit on the size of files is met like a full disk: by an OSError in the middle of a write.
    limited = ["bash", "-c", 'ulimit -f 4; exec "$@"', "bash", *command]
    done = subprocess.run(limited, capture_output=True, text=True)
    assert done.returncode == 2, done.stderr
    assert "cannot write" in done.stderr and "free space" in done.stderr and "Traceback" not in done.stderr
    assert finished(tmp_path) == kept
    resume(command, tmp_path, undone=4)
