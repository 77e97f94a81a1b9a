"""Executors by name: the package's own, a plug-in's, and what is said of a name that is none."""

from __future__ import annotations

from dataclasses import replace

import pytest
from in_one_process import carried_out

import serbench
from serbench.api import plan_run
from serbench.circumstances import Circumstances, circumstances
from serbench.errors import UnknownName
from serbench.registry import build_registry
from serbench.runner.executors.contract import check_executor

FILTERS = {"model": ["majority"], "features": ["handcrafted"]}
PLUGIN = """
from pathlib import Path
from serbench import ExecutorSpec
from serbench.runner.executors.in_process import InProcess

class Noting(InProcess):
    def submit(self, function, job):
        Path(__file__).with_suffix(".noted").open("a").write(function.__name__ + " ")
        super().submit(function, job)

NOTING = ExecutorSpec("noting", lambda circumstances, work: Noting())
"""


@pytest.fixture
def around(tmp_path, shared_cache):
    return Circumstances(data=tmp_path, cache=shared_cache, results=tmp_path / "results", jobs=1)


@pytest.mark.parametrize("name", ["in_process", "local"])
def test_executors_of_the_package_keep_the_contract(around, name):
    (check,) = check_executor(build_registry().get("executor", name), around)
    assert check.ok, check.detail


def test_an_executor_that_loses_a_job_breaks_the_contract(around, monkeypatch):
    from serbench.runner.executors import contract, in_process

    monkeypatch.setattr(contract, "PATIENCE", 1.0)
    monkeypatch.setattr(in_process.InProcess, "completed", lambda self, timeout=None: iter(self._ended[:0]))
    (check,) = check_executor(in_process.IN_PROCESS, around)
    assert check.ok is False and "came back as []" in check.detail


def test_a_plugin_declares_an_executor(around, tmp_path):
    file = tmp_path / "noting.py"
    file.write_text(PLUGIN, encoding="utf-8")
    board = serbench.run("demo", filters=FILTERS, around=replace(around, plugins=(file,), executor="noting"))
    assert board.attrs["failed"] == 0
    assert file.with_suffix(".noted").read_text().count("run_cell") == board.attrs["ran"] > 0


def test_executors_leave_the_same_answers(around):
    done = carried_out(plan_run("demo", around, filters=FILTERS)[0], around)
    elsewhere = replace(around, results=around.results / "local")
    serbench.run("demo", filters=FILTERS, around=elsewhere)
    for key, (_, rows) in carried_out(plan_run("demo", elsewhere, filters=FILTERS)[0], elsewhere).items():
        assert rows.equals(done[key][1])


def test_an_executor_that_is_none_is_named(around):
    with pytest.raises(UnknownName, match="'loca'") as error:
        serbench.run("demo", filters=FILTERS, around=replace(around, executor="loca"))
    assert "did you mean 'local'" in str(error.value) and not (around.results / "demo" / "cells").exists()


def test_the_file_of_the_machine_names_an_executor(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "local.yaml").write_text("executor: dask\nscheduler: tcp://head:8786\n", encoding="utf-8")
    found = circumstances()
    assert (found.executor, found.scheduler) == ("dask", "tcp://head:8786")
    assert circumstances(executor="local").executor == "local"
