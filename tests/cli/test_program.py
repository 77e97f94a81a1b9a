"""The program as a whole: light to start, honest exit statuses, one command from corpus to leaderboard."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
import typer.main

from serbench.cli.main import build_app

HEAVY = ("tensorflow", "keras", "sklearn", "librosa", "xgboost", "soundfile", "optuna", "mlflow", "matplotlib")


def loaded_by(code: str) -> set[str]:
    """Packages that a piece of code leaves in `sys.modules`."""
    script = f"import sys\n{code}\nprint('MODULES', *sorted({{name.split('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.rpartition("MODULES")[2].split())


def calling(*words: str) -> str:
    return f"""
from serbench.cli.main import main
sys.argv = ["serbench", *{list(map(str, words))}]
try:
    main()
except SystemExit:
    pass
"""


@pytest.mark.parametrize("words", [["--help"], ["run", "--help"], ["--version"]])
def test_help_imports_nothing_heavy(words):
    loaded = loaded_by(calling(*words))
    assert loaded.isdisjoint({*HEAVY, "numpy", "pandas", "pyarrow"})


def test_importing_the_package_imports_nothing_heavy():
    assert loaded_by("import serbench").isdisjoint({*HEAVY, "numpy", "pandas", "typer"})


def test_listing_and_a_run_with_nothing_to_do_import_no_heavy_package(serbench, tiny_suite, tiny_data, tmp_path):
    words = ["run", tiny_suite, "--data", tiny_data, "--jobs", "1", "--model", "majority"]
    assert serbench(*words).status == 0
    elsewhere = ["--results", tmp_path / "results"]
    assert loaded_by(calling(*words, *elsewhere)).isdisjoint(HEAVY)
    assert loaded_by(calling("list", "models")).isdisjoint(HEAVY)


def test_python_m_is_the_same_program():
    done = subprocess.run([sys.executable, "-m", "serbench", "--version"], capture_output=True, text=True, check=True)
    import serbench

    assert done.stdout.strip() == serbench.__version__


def test_every_verb_has_help(serbench):
    verbs = typer.main.get_command(build_app()).commands
    assert {"run", "leaderboard", "show", "corpora", "list", "check", "splits", "audit", "freeze"} <= set(verbs)
    for verb in verbs:
        answer = serbench(verb, "--help")
        assert answer.status == 0 and "Usage" in answer.out, verb


def test_from_corpus_to_leaderboard_show_and_freeze(serbench, tiny_suite, tiny_data, tmp_path):
    first = serbench("run", tiny_suite, "--data", tiny_data, "--jobs", "1", "--no-tracking")
    assert first.status == 0 and "18 to run" in first.err
    second = serbench("run", tiny_suite, "--data", tiny_data, "--jobs", "1", "--no-tracking")
    assert "18 done" in second.err and "0 to run" in second.err and second.out == first.out
    rows = json.loads(serbench("leaderboard", "tiny", "--format", "json").out)
    assert len(rows) == 6
    keys = "suite corpus labels protocol speaker_independent verdict features model trials augment seeds uar uar_low "
    keys += "uar_high interval_unit accuracy macro_f1 folds_done folds_planned utterances speakers fit_seconds"
    assert all(set(keys.split()) <= set(row) for row in rows)
    honest = [row for row in rows if row["speaker_independent"]]
    assert {row["protocol"] for row in honest} == {"speaker_kfold(k=3)"}
    assert all(row["folds_done"] == row["folds_planned"] == 3 for row in rows)
    floor = next(row for row in honest if row["model"] == "majority")
    assert floor["uar"] == pytest.approx(1 / 3)
    shown = serbench("show", rows[0]["row"], "--results", tmp_path / "results")
    assert shown.status == 0
    for word in ("precision", "recall", "high", "low", "mid", rows[0]["model"]):
        assert word in shown.out
    assert serbench("freeze", "tiny").status == 0
    for name in ("cells", "work", "locks"):
        for path in sorted((tmp_path / "results" / "tiny" / name).glob("*")):
            path.unlink()
    frozen = json.loads(serbench("leaderboard", "tiny", "--format", "json").out)
    varying = {"source"}
    assert [{k: v for k, v in row.items() if k not in varying} for row in frozen] == [
        {k: v for k, v in row.items() if k not in varying} for row in rows
    ]


def test_a_failed_cell_makes_the_exit_status_one(serbench, tiny_suite, tiny_data, tmp_path):
    plugin = tmp_path / "own.py"
    plugin.write_text(
        "from serbench import ModelSpec\n"
        "def build(params, *, n_classes, seed):\n    raise RuntimeError('no luck today')\n"
        "X = ModelSpec(name='unlucky', accepts='vector', build=build)\n"
    )
    words = ("--data", tiny_data, "--jobs", "1", "--no-tracking", "--plugin", plugin)
    answer = serbench("run", tiny_suite, *words, "--model", "unlucky", "--model", "majority")
    assert answer.status == 1
    assert "no luck today" in answer.err and "0/3" in answer.out
    stopped = serbench("run", tiny_suite, *words, "--model", "unlucky", "--fail-fast")
    assert stopped.status == 1 and "cells left" in stopped.err


def test_all_runs_what_is_present_and_lists_the_rest(serbench, tmp_path):
    answer = serbench("run", "--all", "--dry-run", "--data", tmp_path)
    assert answer.status == 0
    assert "suite demo" in answer.err
    for name in ("ravdess", "emodb", "savee", "tess", "cremad", "cross_corpus"):
        assert f"suite {name}: not run, absent:" in answer.out


def test_a_dry_run_trains_nothing(serbench, tiny_suite, tiny_data, tmp_path):
    answer = serbench("run", tiny_suite, "--data", tiny_data, "--dry-run")
    assert answer.status == 0 and "18 cells (18 new)" in answer.out
    assert not (tmp_path / "results" / "tiny" / "cells").exists()


def test_a_model_of_ones_own_is_in_the_leaderboard_beside_the_others(serbench, tiny_suite, tiny_data, tmp_path):
    plugin = tmp_path / "own.py"
    plugin.write_text(
        "from serbench import ModelSpec\n"
        "def build(params, *, n_classes, seed):\n"
        "    from sklearn.naive_bayes import GaussianNB\n    return GaussianNB()\n"
        "NAIVE = ModelSpec(name='naive_bayes', accepts='vector', build=build)\n"
    )
    words = ("run", tiny_suite, "--data", tiny_data, "--executor", "in_process", "--no-tracking")
    assert serbench(*words, "--model", "majority").status == 0
    answer = serbench(*words, "--plugin", plugin, "--model", "naive_bayes")
    assert answer.status == 0
    assert "naive_bayes" in answer.out and "majority" in answer.out
    assert "naive_bayes" in serbench("list", "models", "--plugin", plugin).out
    assert serbench("check", plugin).status == 0


def test_several_seeds_are_one_row(serbench, tiny_suite, tiny_data):
    words = ("--data", tiny_data, "--executor", "in_process", "--no-tracking")
    words += ("--model", "lda", "--protocol", "stratified_kfold")
    assert serbench("run", tiny_suite, *words, "--seed", 0, "--seed", 1).status == 0
    (row,) = json.loads(serbench("leaderboard", "tiny", "--format", "json").out)
    assert row["seeds"] == [0, 1] and row["folds_done"] == 6
