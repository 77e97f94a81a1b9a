"""`serbench run --permute-labels`: rows of their own, marked as such, that fall to chance."""

from __future__ import annotations

import json

import pytest

PERMUTED = "training labels permuted"
CHANCE = 1 / 3
SEEDS = 4
PROTOCOL = "speaker_kfold(k=3)"


@pytest.fixture
def run(serbench, tiny_suite, tiny_data):
    """Run the speaker-independent row of LDA of the suite `tiny`."""
    words = ("--executor", "in_process", "--no-tracking", "--model", "lda", "--protocol", "speaker_kfold")
    return lambda *more: serbench("run", tiny_suite, "--data", tiny_data, *words, *more)


@pytest.fixture
def rows(serbench):
    """Read the leaderboard's rows."""
    return lambda: json.loads(serbench("leaderboard", "tiny", "--format", "json").out)


def test_permuted_rows_stand_beside_the_others_and_are_at_chance(run, rows, serbench):
    assert run().status == 0
    (plain,) = rows()
    assert plain["uar"] > 0.9 and plain["uar_low"] > 2 * CHANCE and PERMUTED not in plain["options"]
    sanity = ["--permute-labels", *(word for seed in range(SEEDS) for word in ("--seed", seed))]
    answer = run(*sanity)
    assert answer.status == 0, answer.err
    assert f"{3 * SEEDS} cells ({3 * SEEDS} new)" in answer.err

    first, permuted = rows()
    # Nothing of the row that was there has moved, and each ranks in a group of its own.
    assert first == plain and PERMUTED in permuted["options"]
    assert permuted["row"] != plain["row"] and permuted["rank"] == plain["rank"] == 1
    assert (permuted["folds_done"], permuted["verdict"]) == (3 * SEEDS, plain["verdict"])
    assert permuted["uar_low"] < CHANCE < permuted["uar_high"] < plain["uar_low"]
    assert permuted["uar"] == pytest.approx(CHANCE, abs=0.1)
    titles = [line for line in answer.out.splitlines() if f" {PROTOCOL} " in line]
    assert [PERMUTED in title for title in titles] == [False, True]
    assert [PERMUTED in serbench("show", row["row"]).out.splitlines()[0] for row in (plain, permuted)] == [False, True]

    # The name that both have is that of the row itself; its sanity run is named by its id.
    assert serbench("show", f"tiny/{PROTOCOL}/mfcc/lda").out == serbench("show", plain["row"]).out

    # A plain row is not done because its permuted one is, nor the other way round.
    assert f"{3 * SEEDS} done" in run(*sanity, "--dry-run").out
    assert "3 done" in run("--dry-run").out
    assert "3 new" in run("--seed", SEEDS - 1, "--dry-run").out


def test_a_search_on_permuted_labels_finds_nothing_either(run, rows):
    words = ("--permute-labels", "--trials", 3, "--inner", 1)
    answer = run(*words, "--seed", 0, "--seed", 1)
    assert answer.status == 0, answer.err
    board = rows()
    assert {(row["trials"], PERMUTED in row["options"]) for row in board} == {(0, True), (3, True)}
    assert all(row["uar"] < 0.6 for row in board)


def test_a_sanity_run_of_nothing_is_refused_by_name(serbench, tiny_suite, tiny_data):
    words = ("--data", tiny_data, "--no-tracking", "--permute-labels", "--features", "mfcc_sequence", "--model", "lda")
    answer = serbench("run", tiny_suite, *words)
    assert answer.status == 2 and "no cell is left" in answer.err and "permute_labels=True" in answer.err
    assert "internal error" not in answer.err
