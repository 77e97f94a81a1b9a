"""The key `enrol` of a grid block: how much is heard of a new speaker."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from serbench.runner.suite.values import Text

MOST = 100_000
# Each draws the enrolled utterances anew: a source of variance in the interval.
LEAST_DRAWS = 5


def _whole(value: Any) -> Any:
    if isinstance(value, bool) or not (isinstance(value, int) or value == "all"):
        raise ValueError("give a whole number of utterances, or all")
    return value


def _one(value: dict) -> dict:
    if len(value) != 1:
        raise ValueError("give one label with a number, such as {neutral: 5}")
    return value


def _distinct(values: list) -> list:
    if len({str(value) for value in values}) != len(values):
        raise ValueError("a number is listed twice")
    return values


Number = Annotated[Annotated[int, Field(ge=0, le=MOST)] | Literal["all"], BeforeValidator(_whole)]
Enrol = Annotated[
    list[Number | Annotated[dict[Text, Number], AfterValidator(_one)]], Field(min_length=1), AfterValidator(_distinct)
]


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
    if block.tuning or block.augment:
        raise ValueError("enrol goes neither with tuning nor with augment: give these a block of their own")
    if any(entry.normalise != "none" for entry in block.features):
        raise ValueError("enrol normalises speakers itself: leave normalise out")
    return block
