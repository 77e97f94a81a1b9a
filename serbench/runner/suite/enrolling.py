"""The key `enrol` of a grid block: how much is heard of a new speaker."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Field

MOST = 100_000
# Each draws the enrolled utterances anew: a source of variance in the interval.
LEAST_DRAWS = 5


def _item(value: Any) -> Any:
    if not isinstance(value, dict):
        return _number(value)
    if len(value) != 1 or not all(isinstance(label, str) for label in value):
        raise ValueError("give one label with a number, such as {neutral: 5}")
    return {label: _number(number) for label, number in value.items()}


def _number(value: Any) -> int | str:
    if value == "all" or (isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST):
        return value
    raise ValueError("give a whole number of utterances, 0 or more, or all")


def _distinct(values: list) -> list:
    if len({str(value) for value in values}) != len(values):
        raise ValueError("a number is listed twice")
    return values


Enrol = Annotated[list[Annotated[Any, AfterValidator(_item)]], Field(min_length=1), AfterValidator(_distinct)]


def with_draws(block: Any) -> Any:
    """A block as written, with the seeds that draw the enrolled utterances where it names none."""
    if isinstance(block, dict) and block.get("enrol") is not None and block.get("seeds") is None:
        return {**block, "seeds": list(range(LEAST_DRAWS))}
    return block


def refuse_beside_enrol(block: Any) -> Any:
    """Refuse what a block cannot have beside `enrol`.

    Raises
    ------
    ValueError
    """
    if block.enrol is None:
        return block
    if len(block.seeds or ()) < LEAST_DRAWS:
        raise ValueError(f"enrol draws utterances by seed: give {LEAST_DRAWS} seeds at least, or none")
    if block.tuning:
        raise ValueError("enrol goes with no tuning: give that a block of its own")
    if any(entry.normalise != "none" for entry in block.features):
        raise ValueError("enrol normalises speakers itself: leave normalise out")
    return block
