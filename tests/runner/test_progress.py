"""What is said while a run goes on."""

from __future__ import annotations

import io
from types import SimpleNamespace

import pytest
from made_suites import make_cell
from rich.console import Console

from serbench.records import Record
from serbench.runner.dispatch import run_jobs
from serbench.runner.executors.in_process import InProcess
from serbench.runner.interrupt import Interrupt
from serbench.runner.observers import LINE, Progress, make_bar
from serbench.runner.planning.estimates import estimate

CELLS = [make_cell(model=model, fold=str(fold)) for model in ("knn", "cnn") for fold in range(3)]


def ended(cell, seconds=4.0, status="ok") -> Record:
    return Record(cell, status, reason="" if status == "ok" else "no luck", seconds={"fit": seconds})


@pytest.fixture
def told(capsys):
    """A progress without a terminal, and what it has said since the last look, ten seconds a look."""
    now = [0.0]
    progress = Progress(jobs=2, clock=lambda: now[0])
    progress.planned(SimpleNamespace(todo=[SimpleNamespace(cell=cell) for cell in CELLS]))

    def look(what):
        now[0] += LINE
        what()
        what()
        return capsys.readouterr().err.splitlines()

    return progress, look


def test_before_anything_has_finished_it_says_what_it_does_and_no_time(told):
    progress, look = told
    assert look(lambda: progress.working([])) == ["0 of 6 cells; time left unknown yet; starting"]
    (line,) = look(lambda: progress.extracting(48, 300))
    assert line == "0 of 6 cells; time left unknown yet; extracting features: 48 of 300 files"
    progress.extracting(300, 300)
    (_, line) = look(lambda: progress.working(CELLS[:2]))
    assert line == (
        "0 of 6 cells; time left unknown yet; "
        "fitting toy mfcc knn official 0 and 1 more, loading libraries and compiling"
    )


def test_the_time_left_comes_from_the_first_cells(told):
    progress, look = told
    progress.finished(ended(CELLS[0]), 0.5)
    (line,) = look(lambda: progress.working(CELLS[1:3]))
    # Two of this model are left, side by side; of the other model nothing is known.
    assert line == "1 of 6 cells; at least 4 s left; fitting toy mfcc knn official 1 and 1 more"
    progress.finished(ended(CELLS[1]), 0.5)
    progress.finished(ended(CELLS[3], 60.0), 0.25)
    (line,) = look(lambda: progress.working(CELLS[4:]))
    assert line.startswith("3 of 6 cells; about 1 min 2 s left; fitting toy mfcc cnn official 1")
    (failed,) = look(lambda: progress.finished(ended(CELLS[2], status="failed"), None))[:1]
    assert failed.startswith("4 of 6 cells, 1 failed; about 1 min 0 s left; toy mfcc knn official 2: failed: no luck")


def test_lines_come_every_ten_seconds_and_at_the_end(told, capsys):
    progress, look = told
    for cell in CELLS[:-1]:
        progress.finished(ended(cell), 0.5)
    assert capsys.readouterr().err == ""
    progress.finished(ended(CELLS[-1]), 0.75)
    assert capsys.readouterr().err == "6 of 6 cells; toy mfcc cnn official 2: UAR 0.750\n"
    assert look(lambda: progress.searching(3, 10, 4.0)) == []


def test_estimates_in_words():
    known = [ended(CELLS[0])]
    assert estimate(CELLS, [], jobs=2) == "unknown yet"
    assert estimate(CELLS[:3], known, jobs=1) == "about 12 s"
    assert estimate(CELLS, known, jobs=1) == "at least 12 s"
    assert estimate([], known, jobs=1) == "0 s"
    assert estimate(CELLS[:1], [ended(CELLS[0], 7300.0)], jobs=1) == "about 2 h 1 min"


@pytest.mark.parametrize("width", [60, 80, 120])
def test_numbers_are_whole_on_a_narrow_terminal(width):
    shown = io.StringIO()
    console = Console(file=shown, width=width, force_terminal=True, color_system=None)
    bar = make_bar(console)
    note = (
        "2 failed; about 3 min 20 s left; ravdess_speech handcrafted+egemaps logistic_regression 3: UAR 0.512, and on"
    )
    bar.add_task("cells", total=1440, completed=1203, note=note)
    console.print(bar)
    (line,) = shown.getvalue().splitlines()
    assert "1203/1440" in line and "0:00:00" in line and len(line) <= width
    assert "2 failed" in line and line.rstrip().endswith("…")


def test_jobs_under_way_are_told():
    seen = []
    done = list(run_jobs(InProcess(), lambda job: -job, [1, 2], Interrupt(), lambda jobs: seen.append(list(jobs))))
    assert done == [(1, -1), (2, -2)] and seen == [[1], [2]]
