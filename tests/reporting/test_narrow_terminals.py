"""A leaderboard on 80 columns keeps what identifies a row and its score, whole."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from serbench.reporting.formats import terminal_tables
from serbench.reporting.leaderboard import leaderboard
from serbench.reporting.loading import load_records
from serbench.reporting.text_tables import interval_text, percent

RESULTS = Path(__file__).parents[2] / "results"


@pytest.fixture(scope="module")
def board():
    found = leaderboard(load_records(RESULTS, "emodb"))
    return found[found["complete"]]


def printed(board, width: int) -> list[str]:
    console = Console(width=width, record=True, file=io.StringIO())
    for table in terminal_tables(board, width):
        console.print(table)
    return console.export_text().splitlines()


def test_eighty_columns_keep_rank_model_score_and_row(board):
    lines = printed(board, 80)
    assert max(map(len, lines)) <= 80
    for entry in board.to_dict("records"):
        (line,) = [line for line in lines if entry["row"] in line]
        shown = [entry["model"], interval_text(entry["uar_low"], entry["uar_high"]), percent(entry["uar"])]
        assert all(text in line for text in shown), line
        assert line.lstrip().startswith(str(entry["rank"]))
    assert any("no room here for: " in line and "macro-F1" in line for line in lines)


def test_a_wide_terminal_keeps_everything(board):
    lines = printed(board, 240)
    assert any("macro-F1" in line and "size" in line for line in lines) and not any("no room" in line for line in lines)
