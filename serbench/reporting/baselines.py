"""What every board is held against: rows that hear no speech, and whether a row does better than they do."""

from __future__ import annotations

from collections.abc import Sequence

from serbench.records import Cell
from serbench.scoring.paired import RowPredictions, pooled_uar, same_utterances, speaker_contributions, swap_test
from serbench.scoring.ranks import ALPHA, FEWEST_TESTABLE

SHORTCUTS = "shortcuts"
FLOORS = ("majority", SHORTCUTS)


def beat_shortcuts(cells: Sequence[Cell], answers: Sequence[RowPredictions]) -> list[bool | None]:
    """Whether each row of a group beats the group's best `shortcuts` row.

    It does where its UAR is higher and a permutation test that swaps the two speaker by speaker gives p < 0.05.

    Parameters
    ----------
    cells : sequence of Cell
        One of each row.
    answers : sequence of RowPredictions
        What each row answered.

    Returns
    -------
    list of bool or None
        None where the group has no such row, for the floors themselves, and where a higher UAR cannot be tested:
        fewer than six speakers, unknown ones, or other utterances.
    """
    floors = [answer for cell, answer in zip(cells, answers, strict=True) if cell.model.get("name") == SHORTCUTS]
    if not floors:
        return [None] * len(cells)
    floor = max(floors, key=pooled_uar)
    return [
        None if cell.model.get("name") in FLOORS else _beats(answer, floor)
        for cell, answer in zip(cells, answers, strict=True)
    ]


def _beats(row: RowPredictions, floor: RowPredictions) -> bool | None:
    if pooled_uar(row) <= pooled_uar(floor):
        return False
    if not same_utterances(row, floor) or (row.speakers == "").any() or len(set(row.speakers)) < FEWEST_TESTABLE:
        return None
    return swap_test(speaker_contributions(row, floor)) < ALPHA
