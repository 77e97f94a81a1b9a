import json

import pytest


@pytest.mark.parametrize("budget", [0, -2])
def test_a_budget_below_one_is_refused(serbench, budget):
    answer = serbench("run", "demo", "--trials", budget, "--no-tracking")
    assert answer.status == 2
    assert f"--trials: found {budget}" in answer.err and "give a whole number from 1" in answer.err


def test_inner_folds(serbench, tiny_data, tiny_suite):
    words = ["run", tiny_suite, "--data", tiny_data, "--model", "lda", "--protocol", "speaker_kfold", "--fold", "1"]
    answer = serbench(*words, "--inner", 1)
    assert answer.status == 2 and "--inner: inner folds without a search" in answer.err
    answer = serbench(*words, "--trials", 2, "--inner", 0)
    assert answer.status == 2 and "--inner: found 0" in answer.err
    answer = serbench(*words, "--trials", 2, "--inner", 1, "--executor", "in_process", "--no-tracking")
    assert answer.status == 0, answer.err
    (row,) = (entry["row"] for entry in json.loads(serbench("leaderboard", "--format", "json").out) if entry["trials"])
    assert "1 speaker" in " ".join(serbench("show", row).out.split())


def test_tune_show_and_draw(serbench, tiny_data, tiny_suite, tmp_path):
    words = ["run", tiny_suite, "--data", tiny_data, "--model", "lda", "--protocol", "speaker_kfold", "--trials", 3]
    answer = serbench(*words, "--dry-run", "--executor", "in_process", "--no-tracking")
    assert answer.status == 0 and "6 cells" in answer.out
    answer = serbench(*words, "--executor", "in_process", "--no-tracking")
    assert answer.status == 0, answer.err
    assert "gain" in answer.out and "trials" in answer.out
    row = next(line.split()[-1] for line in answer.out.splitlines() if " lda " in line and " 3 " in line)
    shown = serbench("show", row)
    assert shown.status == 0 and "Tuning" in shown.out and "n_components=" in shown.out
    drawn = serbench("plot", "tuning", row)
    assert drawn.status == 0, drawn.err
    assert (tmp_path / "results" / "tiny" / "report" / "figures" / "tuning.png").is_file()
    untuned = next(line.split()[-1] for line in answer.out.splitlines() if " lda " in line and line.split()[-1] != row)
    refused = serbench("plot", "tuning", untuned)
    assert refused.status == 2 and "no finished search" in refused.err
