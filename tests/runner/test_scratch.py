"""A shared file system holds whole files only: locks and journals stay on the machine's own disk."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest
from in_one_process import carried_out

from serbench.api import plan_run
from serbench.circumstances import Circumstances
from serbench.errors import ResultsError
from serbench.runner.cell.tuning import search
from serbench.runner.cell.tuning.journal import count_trials

FILTERS = {"model": ["lda"], "features": ["handcrafted"], "fold": ["1"], "trials": 3}


@pytest.fixture
def around(tmp_path, shared_cache):
    folders = {"data": tmp_path / "data", "cache": shared_cache, "results": tmp_path / "results"}
    return Circumstances(**folders, scratch=tmp_path / "scratch", jobs=1)


def test_locks_and_journals_stay_on_the_scratch(around):
    plan, _ = plan_run("demo", around, filters=FILTERS)
    assert carried_out(plan, around)
    own = around.own_folder(plan.folder)
    assert own.is_relative_to(around.scratch) and not (plan.folder / "locks").exists()
    assert list((own / "locks").iterdir())
    copies = sorted((plan.folder / "studies").iterdir())
    assert copies and all(path.read_bytes() == (own / "studies" / path.name).read_bytes() for path in copies)


def test_another_machine_goes_on_with_a_search(around, monkeypatch):
    whole, _ = plan_run("demo", around, filters=FILTERS)
    expected = carried_out(whole, around)
    here = replace(around, results=around.results.with_name("here"))
    plan, _ = plan_run("demo", here, filters=FILTERS)
    tries, original = [], search._try

    def third_time_ends(study, *rest):
        tries.append(len(study.trials))
        if tries[-1] == 2:
            raise KeyboardInterrupt
        return original(study, *rest)

    monkeypatch.setattr(search, "_try", third_time_ends)
    with pytest.raises(KeyboardInterrupt):
        carried_out(plan, here)
    monkeypatch.setattr(search, "_try", lambda study, *rest: tries.append(len(study.trials)) or original(study, *rest))
    (copy,) = (plan.folder / "studies").iterdir()
    assert count_trials(copy) == 2
    shutil.rmtree(here.scratch)
    tries.clear()
    found = carried_out(plan_run("demo", here, filters=FILTERS)[0], here)
    assert tries[0] == 2 and found.keys() == expected.keys()
    assert all(found[key][1].equals(expected[key][1]) for key in found)


@pytest.mark.parametrize("what", ["no permission", "full"])
def test_results_that_cannot_be_written_are_named(around, monkeypatch, what):
    plan, _ = plan_run("demo", around, filters={**FILTERS, "trials": None})
    problem = (
        PermissionError(13, "Permission denied") if what == "no permission" else OSError(28, "No space left on device")
    )

    def refuse(*words, **how):
        raise problem

    # The tests may run as root, whom no permission stops: what the system would say is said for it.
    monkeypatch.setattr("serbench.records.atomic.tempfile.mkstemp", refuse)
    with pytest.raises(ResultsError, match=problem.strerror) as error:
        carried_out(plan, around)
    assert str(around.results) in str(error.value) and not list(plan.folder.glob("cells/*"))
