"""Dask with a real scheduler and two real worker processes on this machine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from plugins import HEAD

import serbench
from serbench.circumstances import Circumstances
from serbench.errors import ExecutorError
from serbench.records import read_cell
from serbench.runner.cell.environment import THREAD_VARIABLES
from serbench.runner.executors import dask as executor
from serbench.runner.executors.base import TimedOut, WorkerDied
from serbench.runner.executors.contract import check_executor, results_of
from serbench.runner.executors.dask_cluster import read_cluster

distributed = pytest.importorskip("distributed")
ON_A_CARD = (
    HEAD
    + """
class Noting(Prior):
    def fit(self, X, y):
        with open(os.path.splitext(__file__)[0] + ".pids", "a") as file:
            file.write(f"{os.getpid()} ")
        return super().fit(X, y)

CARD = ModelSpec(
    name="card", accepts="vector", params={"device": "cuda"}, build=lambda params, *, n_classes, seed: Noting()
)
"""
)
FILTERS = {"model": ["majority", "lda"], "features": ["handcrafted"]}


@contextmanager
def cluster(folder: Path, *worker_options: str, workers: int = 2, gpus: int = 0):
    """A scheduler and workers as a user starts them, the first with a `GPU` each; gives the scheduler's address."""
    # As a user's shell is: nobody has said anything of threads.
    environment = {name: value for name, value in os.environ.items() if name not in THREAD_VARIABLES}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder}
    quiet |= {"env": environment, "start_new_session": True}
    dask, file = [sys.executable, "-m", "dask"], folder / "scheduler.json"
    common = ["--host", "127.0.0.1", "--no-dashboard"]
    started = [subprocess.Popen([*dask, "scheduler", *common, "--port", "0", "--scheduler-file", file], **quiet)]
    try:
        for number in range(workers):
            words = [*dask, "worker", *common, "--scheduler-file", file, *(worker_options or ("--nthreads", "1"))]
            words += ["--resources", "GPU=1"] if number < gpus else []
            started.append(subprocess.Popen(words, **quiet))
        while not file.exists():
            assert started[0].poll() is None
            time.sleep(0.1)
        with distributed.Client(scheduler_file=str(file), set_as_default=False) as client:
            client.wait_for_workers(workers, timeout=60)
            yield client.scheduler.address
    finally:
        # A nanny would wait for a worker that hangs, as some do here on purpose.
        for process in reversed(started):
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    with cluster(tmp_path_factory.mktemp("cluster")) as found:
        yield found


@pytest.fixture
def around(tmp_path, shared_cache, address):
    where = {"data": tmp_path / "data", "cache": shared_cache, "results": tmp_path / "results"}
    return Circumstances(**where, jobs=1, executor="dask", scheduler=address)


@pytest.fixture
def opened(around, tmp_path):
    with closing(executor.DASK.open(around, tmp_path / "work")) as found:
        yield found


def answers(results: Path) -> dict:
    return {path.name: read_cell(path)[1] for path in sorted((results / "demo" / "cells").glob("*.parquet"))}


def test_it_keeps_the_contract(around):
    (check,) = check_executor(executor.DASK, around)
    assert check.ok, check.detail


def test_the_answers_are_those_of_local_workers(around, monkeypatch):
    monkeypatch.chdir(around.results.parent)
    board = serbench.run("demo", filters=FILTERS, around=replace(around, results=Path("results")))
    assert board.attrs["failed"] == 0 and not list((around.results / "demo" / "work" / "jobs").iterdir())
    local = replace(around, results=around.results.with_name("local"), executor="local")
    serbench.run("demo", filters=FILTERS, around=local)
    one, other = answers(around.results), answers(local.results)
    assert one.keys() == other.keys() and len(one) == board.attrs["ran"]
    assert all(one[name].equals(other[name]) for name in one)


def test_four_workers_give_the_local_answers_and_models_on_a_graphics_card_go_to_the_one_that_has_it(around, tmp_path):
    plugin = tmp_path / "card.py"
    plugin.write_text(ON_A_CARD, encoding="utf-8")
    filters = {**FILTERS, "model": ["lda", "card"]}
    local = replace(around, results=tmp_path / "local", executor="local", plugins=(plugin,))
    serbench.run("demo", filters=filters, around=local)
    plugin.with_suffix(".pids").unlink()
    with cluster(tmp_path, workers=4, gpus=1) as found:
        run = replace(around, scheduler=found, plugins=(plugin,))
        board = serbench.run("demo", filters=filters, around=run)
        with distributed.Client(found, set_as_default=False) as client:
            ((_, card),) = client.run(os.getpid, workers=cards_of(client)).items()
    assert board.attrs["failed"] == 0 and set(plugin.with_suffix(".pids").read_text().split()) == {str(card)}
    one, other = answers(run.results), answers(local.results)
    assert one.keys() == other.keys() and len(one) == board.attrs["ran"]
    assert all(one[name].equals(other[name]) for name in one)


def cards_of(client) -> list[str]:
    """Addresses of the workers with a `GPU`."""
    return [name for name, worker in client.scheduler_info(n_workers=-1)["workers"].items() if worker["resources"]]


def test_a_task_carries_no_arrays(opened, monkeypatch):
    import numpy as np

    seen, submit = [], opened._client.submit
    monkeypatch.setattr(opened._client, "submit", lambda *words, **how: seen.append(words) or submit(*words, **how))
    ((_, result),) = results_of(opened, len, [np.zeros(1_000_000)])
    assert result == 1_000_000
    ((_, *words),) = seen
    assert sum(len(repr(word)) for word in words) < 5_000 and not any(isinstance(word, np.ndarray) for word in words)


def test_threads_are_set_inside_the_job(opened):
    code = "__import__('os').environ['OMP_NUM_THREADS'] + __import__('os').getcwd()"
    assert results_of(opened, eval, [code]) == [(code, "1" + str(Path.cwd()))]


def test_a_job_of_a_killed_worker_is_run_again(opened, tmp_path):
    noted = tmp_path / "noted"
    code = f"""
import os, time
with open({str(noted)!r}, "a") as file:
    file.write(str(os.getpid()) + " ")
time.sleep(1.5)
"""
    found = []
    waiting = threading.Thread(target=lambda: found.extend(results_of(opened, exec, [code])))
    waiting.start()
    while not (noted.exists() and noted.read_text().strip()):
        time.sleep(0.05)
    os.kill(int(noted.read_text().split()[0]), signal.SIGKILL)
    waiting.join()
    assert found == [(code, None)] and len(set(noted.read_text().split())) == 2


def test_a_job_that_kills_its_workers_has_failed(opened):
    ((_, result),) = results_of(opened, os._exit, [3])
    assert isinstance(result, WorkerDied) and not isinstance(result, TimedOut)


def test_a_job_that_hangs_is_ended_with_its_worker(opened):
    code = "import time; print(__import__('os').getpid()); time.sleep(600)"
    opened.submit(exec, code, seconds=1.0)
    found, end = [], time.monotonic() + 60
    while opened.running and time.monotonic() < end:
        found += opened.completed(timeout=0.2)
    ((_, result),) = found
    assert isinstance(result, TimedOut) and "1 s (--cell-timeout)" in str(result)
    # The worker's place is taken by a new one: two jobs side by side still end.
    assert sorted(results_of(opened, int, ["1", "2"])) == [("1", 1), ("2", 2)]


@pytest.mark.parametrize("what", ["version", "corpus"])
def test_a_worker_that_is_not_as_the_caller_is_named_before_anything_runs(around, monkeypatch, what):
    expected = executor.Expected.of(around, around.results)
    if what == "version":
        other = replace(expected, versions={**expected.versions, "numpy": "1.0"})
    else:
        other = replace(expected, paths=(*expected.paths, "/not/on/the/worker/emodb"))
    monkeypatch.setattr(executor.Expected, "of", classmethod(lambda cls, *where: other))
    with pytest.raises(ExecutorError, match=r"instead of 1\.0" if what == "version" else "no /not/on/the/") as error:
        serbench.run("demo", filters=FILTERS, around=around)
    assert "worker tcp://" in str(error.value) and not answers(around.results)


def test_several_threads_are_named(around, tmp_path):
    with (
        cluster(tmp_path, "--nthreads", "2", workers=1) as found,
        pytest.raises(ExecutorError, match="found 2 threads") as error,
    ):
        executor.DASK.open(replace(around, scheduler=found), tmp_path / "work")
    assert "--nthreads 1" in str(error.value)


def test_a_scheduler_that_is_not_there_is_named(around, monkeypatch):
    monkeypatch.setattr(executor, "ANSWER", 1.0)
    for nothing in ("tcp://127.0.0.1:1", "no address"):
        with pytest.raises(ExecutorError, match="no scheduler answers") as error:
            serbench.run("demo", filters=FILTERS, around=replace(around, scheduler=nothing))
        assert f"--scheduler {nothing}" in str(error.value)


def test_a_model_on_a_graphics_card_wants_a_worker_that_has_one(opened):
    class Job(str):
        resources = {"GPU": 1.0}  # noqa: RUF012

    with pytest.raises(ExecutorError, match="no worker has a GPU"):
        opened.submit(len, Job("x"))


class Waiting(float):
    """Sleep that long on a graphics card."""

    resources = {"GPU": 1.0}  # noqa: RUF012
    seconds = 4.0


def test_waiting_for_a_graphics_card_is_no_time_of_the_job(around, tmp_path):
    def ended():
        found = []
        while opened.running:
            found += [result for _, result in opened.completed(timeout=0.5)]
        return found

    with (
        cluster(tmp_path, gpus=1) as address,
        closing(executor.DASK.open(replace(around, scheduler=address), tmp_path / "work")) as opened,
    ):
        # Two workers, one with a card: the second job begins when the first ends, and both take longer than four.
        for _ in range(2):
            opened.submit(time.sleep, Waiting(2.5))
        assert ended() == [None, None]
        opened.submit(time.sleep, Waiting(600))
        (late,) = ended()
    assert "took longer than 4 s" in str(late)


def test_the_example_of_a_batch_system_is_one(monkeypatch):
    made, workers = read_cluster(Path(__file__).parents[2] / "configs" / "cluster.slurm.yaml")
    import dask_jobqueue
    import yaml

    options = yaml.safe_load((Path(__file__).parents[2] / "configs" / "cluster.slurm.yaml").read_text())["options"]
    monkeypatch.setattr(dask_jobqueue.SLURMCluster, "__init__", lambda self, **given: vars(self).update(given))
    monkeypatch.setattr(dask_jobqueue.SLURMCluster, "__del__", lambda self: None, raising=False)
    assert workers == 20 and made().walltime == options["walltime"]
    monkeypatch.undo()
    script = dask_jobqueue.slurm.SLURMJob("tcp://head:8786", "one", **{**options, "interface": None}).job_script()
    assert "--nthreads 1" in script and "--lifetime 220m" in script and "#SBATCH -t 04:00:00" in script


@pytest.mark.parametrize("text", ["[", "cluster: no.such.Thing", "workers: 3", "cluster: 3", "cluster: a\nextra: 1"])
def test_a_cluster_file_that_is_none_is_named(tmp_path, text):
    file = tmp_path / "cluster.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ExecutorError, match=r"cluster\.yaml"):
        read_cluster(file)


def test_without_a_scheduler_workers_are_started_here(around, tmp_path):
    with closing(executor.DASK.open(replace(around, scheduler=None), tmp_path / "work")) as own:
        assert results_of(own, int, ["7"]) == [("7", 7)]
