"""Values that a suite may hold: plain, finite, of a size that a machine can bear."""

from __future__ import annotations

import math
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

# Far beyond what anyone runs, and far below what exhausts memory or a 64-bit number.
MOST_TRIALS, MOST_COPIES, MOST_FOLDS = 1_000_000, 1_000, 1_000_000
LARGEST_SEED = 2**63 - 1
DEEPEST, LONGEST_NAME = 20, 100
# A tenth of the tempo makes ten times the samples.
RATES = (0.1, 10.0)


def plain_parameter(value: Any, depth: int = 0) -> Any:
    """Refuse what a cell cannot carry: dates, NaN, infinity, huge numbers, deep nesting."""
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("give a finite number")
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > LARGEST_SEED:
        raise ValueError("a number beyond 64 bits")
    if depth > DEEPEST:
        raise ValueError(f"nested more than {DEEPEST} deep")
    if isinstance(value, list):
        return [plain_parameter(item, depth + 1) for item in value]
    if isinstance(value, dict):
        return {_key(key): plain_parameter(item, depth + 1) for key, item in value.items()}
    if value is None or isinstance(value, (str, int, float)):
        return _text(value)
    raise ValueError(f"a {type(value).__name__} is not a parameter: put text in quotes")


def _key(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"the name {value!r} is no text: put it in quotes")
    return value


def _text(value: Any) -> Any:
    if isinstance(value, str) and any(character < " " and character not in "\n\t" for character in value):
        raise ValueError("control characters (such as NUL) are not allowed")
    if isinstance(value, str) and any("\ud800" <= character <= "\udfff" for character in value):
        raise ValueError("half a character (a surrogate) is not allowed")
    return value


def _no_boolean(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("give a whole number")
    return value


def _file_name(value: str) -> str:
    if not 0 < len(value) <= LONGEST_NAME or value[0] == "." or {"/", "\\", "\n"} & {*value}:
        raise ValueError(f"a name is up to {LONGEST_NAME} characters without slashes: results go into a folder of it")
    return value


def _distinct(seeds: list[int]) -> list[int]:
    if len(set(seeds)) != len(seeds):
        raise ValueError("a seed is listed twice")
    return seeds


Text = Annotated[str, BeforeValidator(_text)]
FileName = Annotated[Text, AfterValidator(_file_name)]
Params = dict[Text, Annotated[Any, AfterValidator(plain_parameter)]]
Seed = Annotated[int, BeforeValidator(_no_boolean), Field(ge=-LARGEST_SEED, le=LARGEST_SEED)]
Seeds = Annotated[list[Seed], Field(min_length=1), AfterValidator(_distinct)]
