"""What a case is, and how its answers are judged."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from hostile.place import Answer, Place

NAMED, HEALED, ROW, STOPPED = "named error", "healed", "failure row", "stopped"
INTERNAL, ENDLESS, LOST, WRONG = "internal error", "endless", "lost", "other answer"
RIGHT, BROKEN = (NAMED, HEALED, ROW, STOPPED), (INTERNAL, ENDLESS, LOST, WRONG)
_BY_STATUS = {0: HEALED, 1: ROW, 2: NAMED, 130: STOPPED}


@dataclass(frozen=True)
class Case:
    """One hostile input.

    Attributes
    ----------
    happen : callable
        Spoils a place and runs commands there; the last one's answer is judged.
    answer : str
        The class that is right.
    says : str
        Regular expression that the last answer must contain.
    """

    category: str
    title: str
    happen: Callable[[Place], object]
    answer: str
    says: str = ""
    limit: float = 60.0


@dataclass(frozen=True)
class Verdict:
    """How a case ended: the class of its answer, and the line that tells most."""

    case: Case
    found: str
    line: str
    seconds: float


CASES: list[Case] = []


def case(category: str, title: str, answer: str, says: str = "", limit: float = 60.0):
    """Declare the function below as a case."""

    def declare(happen: Callable[[Place], object]) -> Callable[[Place], object]:
        CASES.append(Case(category, title, happen, answer, says, limit))
        return happen

    return declare


def judge(case: Case, place: Place) -> Verdict:
    """Give the class of a case that has happened."""
    last = place.answers[-1]
    found = _found(place, last)
    if found in RIGHT and (found != case.answer or not re.search(case.says, last.said, re.IGNORECASE | re.DOTALL)):
        found = WRONG
    line = _telling_line(last).replace(f"{place.folder}/", "")
    return Verdict(case, found, line, sum(answer.seconds for answer in place.answers))


def _found(place: Place, last: Answer) -> str:
    if any(answer.status is None for answer in place.answers):
        return ENDLESS
    for answer in place.answers:
        said = "internal error" in answer.said or "Traceback (most recent call last)" in answer.err
        if said or answer.status not in _BY_STATUS:
            return INTERNAL
    if place.lost():
        return LOST
    # A row that cannot be run has its reason in the leaderboard, as a failed one has.
    return ROW if last.status == 0 and "rows skipped" in last.err else _BY_STATUS[last.status]


def _telling_line(answer: Answer) -> str:
    lines = [line.strip() for line in answer.err.splitlines() if line.strip()]
    marks = ("internal error", "skipped: ", "serbench:", "Error", "error", "FAILED", "no features of", "cells failed")
    for mark in marks:
        for line in lines or answer.out.splitlines():
            if mark in line:
                return line.removeprefix("serbench: ")
    return lines[-1] if lines else ""
