import dataclasses
import json
import subprocess
import sys

import pytest
import typer
from made_suites import make_cell, write_suite
from typer.testing import CliRunner

from serbench.cli import compare, freeze, leaderboard, show
from serbench.errors import ResultsError, SerbenchError, UnknownName, UsageError
from serbench.records import read_cell, write_cell


@pytest.fixture
def program(tmp_path):
    app = typer.Typer()
    for name, verb in (
        ("leaderboard", leaderboard.leaderboard),
        ("show", show.show),
        ("freeze", freeze.freeze),
        ("compare", compare.compare),
    ):
        app.command(name)(verb)

    def run(*words: str) -> str:
        result = CliRunner().invoke(app, [*words, "--results", str(tmp_path)])
        if result.exception is not None:
            raise result.exception
        return result.stdout

    return run


def test_leaderboard_prints_json_for_all_suites(tmp_path, program):
    write_suite(tmp_path / "toy")
    write_suite(tmp_path / "other", protocols=("official",))
    rows = json.loads(program("leaderboard", "--format", "json"))
    assert [row["suite"] for row in rows] == ["other"] * 2 + ["toy"] * 4
    assert json.loads(program("leaderboard", "toy", "--sort", "model", "--format", "json"))[0]["model"] == "good"


def test_leaderboard_table_cuts_no_number_in_a_pipe(tmp_path, program):
    write_suite(tmp_path / "toy")
    text = program("leaderboard", "toy")
    board = json.loads(program("leaderboard", "toy", "--format", "json"))
    for row in board:
        assert row["row"] in text and f"{100 * row['uar']:.1f}" in text
    assert text.index("speaker-independent") < text.index("leaky: speakers shared")


def test_a_damaged_cell_is_named_on_stderr_and_the_rest_is_shown(tmp_path):
    write_suite(tmp_path / "toy")
    path = sorted((tmp_path / "toy" / "cells").glob("*.parquet"))[0]
    path.write_bytes(path.read_bytes()[:300])
    app = typer.Typer()
    app.command()(leaderboard.leaderboard)
    result = CliRunner().invoke(app, ["toy", "--results", str(tmp_path)])
    assert result.exit_code == 0 and path.name in result.stderr
    assert "2/3 (incomplete)" in result.stdout


def test_show_with_calibration_and_freeze(tmp_path, program):
    write_suite(tmp_path / "toy")
    wanted = make_cell(model="good").row
    before = program("show", wanted, "--reliability")
    assert "Confusion matrix" in before and "ECE" in before and "Reliability" in before
    assert "12 cells" in program("freeze", "toy")
    for path in (tmp_path / "toy" / "cells").iterdir():
        path.unlink()
    after = program("show", wanted)
    assert after.splitlines()[:20] == before.splitlines()[:20]


def test_compare_two_rows_and_a_suite(tmp_path, program):
    write_suite(tmp_path / "toy", models={"a": 2.0, "b": 1.0, "c": 0.0}, protocols=("official",))
    pair = json.loads(program("compare", "*/official/*/a", "*/official/*/c", "--format", "json"))
    assert pair["difference"] > 0 and pair["p"] < 0.05 and pair["mcnemar"]["caveat"]
    assert "A − B" in program("compare", "a", "b", "--suite", "toy")
    (group,) = json.loads(program("compare", "--suite", "toy", "--format", "json"))
    assert group["testable"] and group["friedman"]["p"] < 0.05 and len(group["rows"]) == 3
    assert "Friedman over speakers" in program("compare", "--suite", "toy")


def test_compare_says_where_rows_were_run_on_other_audio(tmp_path, program):
    write_suite(tmp_path / "toy", models={"a": 2.0, "b": 1.0, "c": 0.0}, protocols=("official",))
    pair, whole = ("compare", "*/official/*/a", "*/official/*/c"), ("compare", "--suite", "toy")
    assert not any("audio" in program(*words) for words in (pair, whole))
    for path in sorted((tmp_path / "toy" / "cells").iterdir()):
        record, predictions = read_cell(path)
        if record.cell.model["name"] == "c":
            other = dataclasses.replace(record, corpus={**record.corpus, "fingerprint": "0123456789abcdef"})
            write_cell(path.parents[1], other, predictions)
    assert json.loads(program(*pair, "--format", "json"))["audio"] == ["f", "01234567"]
    assert "not the same audio: A was run on data of fingerprint f, B on 01234567" in program(*pair)
    (group,) = json.loads(program(*whole, "--format", "json"))
    assert [row["audio"] for row in group["rows"]] == ["f", "f", "01234567"]
    assert "(audio 01234567)" in program(*whole)
    # A third row is no matter of these two.
    assert "audio" not in json.loads(program("compare", "*/official/*/a", "*/official/*/b", "--format", "json"))


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["leaderboard"], ResultsError),
        (["leaderboard", "nosuch"], UnknownName),
        (["leaderboard", "--format", "xml"], UsageError),
        (["show", "svm"], ResultsError),
        (["freeze", "nosuch"], UnknownName),
        (["compare", "a"], UsageError),
        (["compare", "a", "b", "--format", "csv"], UsageError),
    ],
)
def test_mistakes_are_clear_errors(program, words, error):
    with pytest.raises(error) as caught:
        program(*words)
    assert isinstance(caught.value, SerbenchError) and caught.value.hint


def test_a_leaderboard_imports_nothing_heavy(tmp_path):
    write_suite(tmp_path / "toy")
    code = (
        "import sys; from serbench.reporting.tables import write_tables; from pathlib import Path;"
        f"write_tables(Path({str(tmp_path / 'toy')!r}));"
        "heavy = {'tensorflow', 'keras', 'sklearn', 'xgboost', 'librosa', 'scipy.stats', 'matplotlib', 'optuna'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
