import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import tuning_cells
from tuning_cells import make_job, run_cell, without_seconds

from serbench.errors import ResultsError, TuningError
from serbench.records import cell_path
from serbench.runner.cell.tuning.journal import Journal, count_trials, cut_torn_line, journal_path

BUDGET = 14


def journal_of(job) -> Path:
    return journal_path(job.folder, job.cell.id)


@pytest.mark.parametrize("model", ["oracle", "watched"])
def test_a_search_goes_on_after_any_trial_as_if_undisturbed(tmp_path, model):
    job = make_job(tmp_path, model, trials=BUDGET, inner=2)
    undisturbed = without_seconds(run_cell(job).tuning)
    assert {trial["state"] for trial in undisturbed["trials"]} == {"complete", "pruned"}
    lines = journal_of(job).read_bytes().splitlines(keepends=True)
    assert len(lines) == BUDGET + 2
    for kept in range(len(lines)):
        cell_path(job.folder, job.cell.id).unlink()
        # What a kill leaves: whole lines, and the beginning of the next.
        journal_of(job).write_bytes(b"".join(lines[:kept]) + lines[kept][: 3 * kept])
        resumed = run_cell(job)
        assert resumed.status == "ok", resumed.traceback
        assert without_seconds(resumed.tuning) == undisturbed
    assert count_trials(journal_of(job)) == BUDGET


def test_a_killed_search_finds_the_same_winner(tmp_path):
    fixed = {"seconds": 0.05}
    undisturbed = run_cell(make_job(tmp_path / "undisturbed", "oracle", fixed=fixed, trials=10))
    folder = tmp_path / "killed"
    arguments = [sys.executable, tuning_cells.__file__, str(folder), "oracle", "0.05", "10"]
    process = subprocess.Popen(arguments, env={**os.environ, "SERBENCH_DEBUG": "1"})
    studies = folder / "suite" / "studies"
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        if any(count_trials(path) >= 3 for path in studies.glob("*.log")):
            break
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    (journal,) = studies.glob("*.log")
    before = count_trials(journal)
    assert 3 <= before < 10
    resumed = run_cell(make_job(folder, "oracle", fixed=fixed, trials=10))
    assert without_seconds(resumed.tuning) == without_seconds(undisturbed.tuning)
    assert resumed.params == undisturbed.params


def test_a_finished_search_is_not_made_again(tmp_path):
    job = make_job(tmp_path, "oracle", trials=5)
    first = run_cell(job)
    cell_path(job.folder, job.cell.id).unlink()
    assert run_cell(job).tuning == first.tuning


def test_force_starts_a_new_search(tmp_path):
    first = run_cell(make_job(tmp_path, "oracle", trials=5))
    forced = run_cell(make_job(tmp_path, "oracle", trials=5, force=True))
    assert without_seconds(forced.tuning) == without_seconds(first.tuning)
    assert [trial["seconds"] for trial in forced.tuning["trials"]] != [t["seconds"] for t in first.tuning["trials"]]


@pytest.mark.parametrize(
    "damage",
    [lambda lines: [lines[0], b"\x00\x00\xff\n", *lines[2:]], lambda lines: [*lines[:4], b"{\"op_code\": 4}\n"],
     lambda lines: [*lines[:3], b"[]\n", *lines[3:]], lambda lines: [*lines[:2], lines[2][:40] + b"\n", *lines[3:]]],
)  # fmt: skip
def test_a_damaged_journal_is_set_aside_and_the_search_starts_anew(tmp_path, caplog, damage):
    job = make_job(tmp_path, "oracle", trials=5)
    first = run_cell(job)
    cell_path(job.folder, job.cell.id).unlink()
    path = journal_of(job)
    path.write_bytes(b"".join(damage(path.read_bytes().splitlines(keepends=True))))
    damaged = path.read_bytes()
    record = run_cell(job)
    assert record.status == "ok", record.reason
    assert without_seconds(record.tuning) == without_seconds(first.tuning)
    assert path.with_name(f"{path.name}.damaged").read_bytes() == damaged
    assert f"{path}: damaged" in caplog.text


def test_trials_of_another_corpus_are_thrown_away(tmp_path):
    path = tmp_path / "study.log"
    job = make_job(tmp_path, "oracle", trials=3)
    run_cell(job)
    trials = Journal(journal_of(job), job.cell.id, {"fingerprint": "f", "plugin": ""}).trials
    assert [trial.number for trial in trials] == [0, 1, 2]
    path.write_bytes(journal_of(job).read_bytes())
    assert Journal(path, job.cell.id, {"fingerprint": "another", "plugin": ""}).trials == []
    assert count_trials(path) == 0


def test_only_what_follows_the_last_whole_line_is_cut(tmp_path):
    path = tmp_path / "log"
    for text, whole in ((b"", b""), (b"{}", b""), (b"{}\n", b"{}\n"), (b'{}\n{"a', b"{}\n"), (b"a\n\x00\x00", b"a\n")):
        path.write_bytes(text)
        cut_torn_line(path)
        assert path.read_bytes() == whole
    cut_torn_line(tmp_path / "absent")
    assert count_trials(tmp_path / "absent") == 0


def test_the_journal_is_one_line_a_trial_that_optuna_reads(tmp_path):
    import optuna
    from optuna.storages.journal import JournalFileBackend, JournalStorage

    job = make_job(tmp_path, "oracle", trials=4)
    record = run_cell(job)
    path = journal_of(job)
    assert all(json.loads(line) for line in path.read_text().splitlines())
    study = optuna.load_study(study_name=job.cell.id, storage=JournalStorage(JournalFileBackend(str(path))))
    assert [trial.value for trial in study.trials] == [trial["value"] for trial in record.tuning["trials"]]


def test_a_journal_that_cannot_be_written_is_an_error_of_the_results(tmp_path):
    (tmp_path / "suite").write_text("a file in the way")
    with pytest.raises(ResultsError, match="cannot write"):
        Journal(tmp_path / "suite" / "studies" / "cell.log", "cell", {})
    assert issubclass(TuningError, Exception) and not issubclass(TuningError, ResultsError)
