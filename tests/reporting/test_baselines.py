"""The floor that hears no speech: which rows beat it, and rows that were run on other audio."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from serbench.reporting.baselines import beat_shortcuts
from serbench.reporting.formats import format_leaderboard
from serbench.scoring.paired import RowPredictions

PER_SPEAKER = 20


def answers(shares, speakers=8):
    """Rows that have a share of each speaker's utterances right, two classes."""
    who = np.repeat([f"s{number}" for number in range(speakers)], PER_SPEAKER).astype(object)
    names = np.array([f"u{number:03d}" for number in range(len(who))], dtype=object)
    truth = np.tile([0, 1], len(who) // 2)
    place = np.tile(np.arange(PER_SPEAKER), speakers)
    ones = np.ones(len(who))
    hits = [(place < share * PER_SPEAKER) * 1.0 for share in shares]
    return [RowPredictions(names, who, truth, right, ones, ("a", "b"), (right.mean(),)) for right in hits]


def cells(*models):
    return [SimpleNamespace(model={"name": name}) for name in models]


def test_a_row_beats_the_floor_by_a_test_over_speakers():
    rows = cells("svm", "lda", "shortcuts", "majority", "knn")
    assert beat_shortcuts(rows, answers([0.9, 0.4, 0.5, 0.3, 0.5])) == [True, False, None, None, False]
    # One speaker alone makes no difference between rows.
    row, floor = answers([0.5, 0.5])
    hits = row.hits.copy()
    hits[:PER_SPEAKER] = 1
    better = dataclasses.replace(row, hits=hits)
    assert beat_shortcuts(cells("svm", "shortcuts"), [better, floor]) == [False, None]


def test_what_cannot_be_tested_is_left_open_and_no_floor_marks_nothing():
    assert beat_shortcuts(cells("svm", "lda", "shortcuts"), answers([0.9, 0.2, 0.5], speakers=4)) == [None, False, None]
    assert beat_shortcuts(cells("svm", "majority"), answers([0.9, 0.5])) == [None, None]


@pytest.fixture
def board(report_results):
    from serbench.reporting.leaderboard import leaderboard
    from serbench.reporting.loading import load_suites

    return leaderboard(load_suites(report_results))


def test_marks_and_other_audio_stand_on_the_rows(board):
    assert "†" not in format_leaderboard(board, "md") and "audio" not in format_leaderboard(board, "md")
    group = board[board["complete"]].groupby(["suite", "corpus", "protocol"]).get_group
    first = board[board["complete"]].iloc[0]
    rows = group((first["suite"], first["corpus"], first["protocol"])).reset_index(drop=True)
    beaten = pd.array([False] * len(rows), dtype="boolean")
    prints = ["aaaaaaaa", *["bbbbbbbb"] * (len(rows) - 1)]
    text = format_leaderboard(rows.assign(beats_shortcuts=beaten, fingerprint=prints), "md")
    assert text.count("†") >= len(rows)
    assert "aaaaaaaa" in text and "not run on the same data" in text
