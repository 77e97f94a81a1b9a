"""`--save-models` on finished cells, and what a fit's seconds hold."""

from __future__ import annotations

import time

import plugins
import pytest

from serbench.circumstances import Circumstances
from serbench.records import read_cell
from serbench.runner.cell.inputs import open_registry
from serbench.runner.cell.jobs import model_folder
from serbench.runner.engine import run_plan
from serbench.runner.executors.in_process import InProcess
from serbench.runner.planning.plan import make_plan
from serbench.runner.planning.selection import Filters
from serbench.runner.suite.file import load_suite

SLOW_START = (
    plugins.HEAD
    + """
class Slow(Prior):
    get_booster = None

    def save_model(self, path):
        raise OSError("no room")

def build(params, *, n_classes, seed):
    time.sleep(0.3)
    return Slow()

SLOW = ModelSpec(name="slow", accepts="vector", build=build)
"""
)


@pytest.fixture
def around(tiny_data, shared_cache, tmp_path) -> Circumstances:
    plugin = tmp_path / "slow.py"
    plugin.write_text(SLOW_START)
    return Circumstances(data=tiny_data, cache=shared_cache, results=tmp_path / "results", jobs=1, plugins=(plugin,))


def carry_out(suite, around, *models, save_models=False):
    registry = open_registry(around)
    filters = Filters(model=models, protocol=["speaker_kfold"], fold=["1"])
    plan = make_plan(load_suite(str(suite)), registry, around, filters, save_models=save_models)
    return plan, run_plan(plan, registry, around, executor=InProcess())


def only_cell(plan):
    (item,) = plan.cells
    return item, *read_cell(plan.folder / "cells" / f"{item.cell.id}.parquet")


def test_done_cells_without_a_model_are_fitted_again_with_the_same_answers(tiny_suite, around):
    plan, _ = carry_out(tiny_suite, around, "lda")
    first, _, before = only_cell(plan)
    assert not model_folder(plan.folder, first.cell.id).exists()
    again, outcome = carry_out(tiny_suite, around, "lda", save_models=True)
    item, _, after = only_cell(again)
    assert (item.state, outcome.ran, outcome.failed) == ("unsaved", 1, 0)
    assert after.equals(before) and (model_folder(plan.folder, item.cell.id) / "meta.json").is_file()
    done, outcome = carry_out(tiny_suite, around, "lda", save_models=True)
    assert (done.cells[0].state, outcome.ran) == ("done", 0)


def test_a_model_that_cannot_be_saved_costs_no_finished_cell(tiny_suite, around):
    plan, _ = carry_out(tiny_suite, around, "slow")
    _, _, before = only_cell(plan)
    again, outcome = carry_out(tiny_suite, around, "slow", save_models=True)
    _, record, after = only_cell(again)
    assert (outcome.ran, outcome.failed) == (1, 1)
    assert record.status == "ok" and after.equals(before)


def test_the_first_call_of_a_library_is_not_the_time_of_the_fit(tiny_suite, around):
    begun = time.perf_counter()
    plan, _ = carry_out(tiny_suite, around, "slow")
    _, record, _ = only_cell(plan)
    assert time.perf_counter() - begun > record.seconds["start_up"] >= 0.3 > record.seconds["fit"]
