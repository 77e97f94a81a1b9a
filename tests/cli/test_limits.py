"""Limits on the command line: they are checked, and a plan beyond a day asks first."""

import pytest

TINY = ("--no-tracking", "--jobs", "1", "--model", "knn", "--protocol", "speaker_kfold")


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--cell-timeout", "nan"),
        ("--cell-timeout", "0"),
        ("--memory", "much"),
        ("--memory", "1M"),
        ("--trials", "1000000000"),
        ("--seed", "9" * 30),
        ("--jobs", "1000000000"),
    ],
)
def test_a_limit_that_is_none_is_refused_by_its_option(serbench, tiny_suite, tiny_data, option, value):
    answer = serbench("run", tiny_suite, *TINY, "--data", tiny_data, option, value)
    assert answer.status == 2 and option in answer.err and "Traceback" not in answer.err


def test_more_than_a_day_asks_for_yes_and_runs_nothing(serbench, tiny_suite, tiny_data, tmp_path):
    answer = serbench("run", tiny_suite, *TINY, "--data", tiny_data, "--trials", "1000000")
    assert answer.status == 2 and "more than a day" in answer.err and "--yes" in answer.err
    assert not list((tmp_path / "results").rglob("cells/*.parquet"))


def test_a_suite_s_timeout_changes_no_cell_and_a_cell_beyond_it_is_a_failure_row(serbench, tiny_suite, tiny_data):
    words = ("run", tiny_suite, *TINY, "--data", tiny_data)
    assert serbench(*words).status == 0
    tiny_suite.write_text(tiny_suite.read_text() + "timeout: 0.01\n")
    answer = serbench(*words)
    assert answer.status == 0 and "0 to run" in answer.err
    answer = serbench(*words, "--force", "--fold", "1")
    assert answer.status == 1 and "1 cells failed" in answer.err
    assert "took longer than 0.01 s" in serbench("show", "tiny").out + answer.out
