"""A leaderboard on a narrow terminal."""

from __future__ import annotations

import io

import pytest
from made_suites import write_suite
from rich.console import Console

from serbench.reporting.formats import terminal_tables
from serbench.reporting.leaderboard import leaderboard
from serbench.reporting.loading import load_records


@pytest.mark.parametrize("width", [60, 80, 200])
def test_rank_model_uar_interval_and_row_are_whole_at_any_width(tmp_path, width):
    models = {"good": 2.0, "logistic_regression(C=0.01, penalty=elasticnet, l1_ratio=0.5)": 0.5}
    write_suite(tmp_path / "toy", models=models, protocols=("official",))
    board = leaderboard(load_records(tmp_path, "toy"))
    console = Console(file=io.StringIO(), width=width, color_system=None)
    (group,) = terminal_tables(board, width)
    console.print(group)
    text = console.file.getvalue()
    for entry in board.itertuples():
        interval = f"[{100 * entry.uar_low:.1f}, {100 * entry.uar_high:.1f}]"
        (line,) = [line for line in text.splitlines() if entry.row in line]
        assert f"{100 * entry.uar:.1f}" in line and interval in line and str(entry.rank) in line
    assert "…" not in text and max(map(len, text.splitlines())) <= width
    assert ("macro-F1" in text.split("too narrow for")[0]) == (width == 200)
    assert ("too narrow for: " in text) == (width < 200)
