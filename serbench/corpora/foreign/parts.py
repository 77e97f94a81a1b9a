"""Take the paths of a corpus' files apart: each part that all files have is a candidate for a field."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby

_SEPARATOR = re.compile(r"([_\-. +]+)")


@dataclass(frozen=True)
class Part:
    """A part of every path.

    Attributes
    ----------
    segment : int
        0 is the file's name, 1 the folder that it lies in, and so on.
    token : int
        Which of the segment's pieces between separators; -1: the whole segment.
    piece : int
        Which run of letters, digits or capitals inside of that; -1: all of it.
    width : str
        How a layout writes such a run: a number of characters, ``a`` or ``d``.
    values : list of str
        One for each file.
    last : bool
        Whether nothing follows it in its segment.
    """

    segment: int
    token: int
    piece: int
    width: str
    values: list[str] = field(repr=False, hash=False, compare=False)
    last: bool = False

    @cached_property
    def counts(self) -> Counter[str]:
        """How many files have each value."""
        return Counter(self.values)

    def overlaps(self, other: Part) -> bool:
        """Whether both take the same characters."""
        same_token = -1 in (self.token, other.token) or self.token == other.token
        same_piece = -1 in (self.piece, other.piece) or self.piece == other.piece
        return self.segment == other.segment and same_token and same_piece


@dataclass(frozen=True)
class Segment:
    """One level of the paths: the separators that all files share, and the runs inside each token."""

    tokens: list[list[str]]
    separators: list[str]
    open_end: bool
    runs: dict[int, list[str]]


class Paths:
    """Paths of audio files below a corpus' folder, without their suffixes, taken apart."""

    def __init__(self, names: Sequence[str]):
        levels = [name.split("/")[::-1] for name in names]
        self.deepest = max(map(len, levels))
        self.even = len({len(level) for level in levels}) == 1
        shallowest = min(map(len, levels))
        self._columns = [[level[depth] for level in levels] for depth in range(shallowest)]
        self.segments = [_segment(column) for column in self._columns]

    def parts(self) -> list[Part]:
        """Every part, folders and whole tokens first."""
        found = [part for number in range(len(self.segments)) for part in self._parts_of(number)]
        return sorted(found, key=lambda part: (part.piece >= 0, -part.segment, part.token))

    def _parts_of(self, number: int) -> Iterable[Part]:
        segment, whole = self.segments[number], self._columns[number]
        if number and len(segment.tokens) > 1:
            yield Part(number, -1, -1, "", whole, last=True)
        for at, values in enumerate(segment.tokens):
            last = at == len(segment.tokens) - 1
            yield Part(number, at, -1, "", values, last=last)
            widths = segment.runs.get(at, [])
            for piece, (width, run) in enumerate(zip(widths, _split_runs(values, widths), strict=True)):
                yield Part(number, at, piece, width, run, last=last and piece == len(widths) - 1)

    def layout(self, fields: Mapping[str, Part]) -> str:
        """The layout in which these parts are these fields."""
        named = {(part.segment, part.token, part.piece): (name, part) for name, part in fields.items()}
        highest = max(part.segment for part in fields.values())
        levels = range(self.deepest - 1, -1, -1) if self.even else range(highest, -1, -1)
        written = "/".join(self._level(number, named) for number in levels)
        return written if self.even else f"**/{written}"

    def _level(self, number: int, named: Mapping[tuple, tuple[str, Part]]) -> str:
        if (number, -1, -1) in named:
            return f"{{{named[number, -1, -1][0]}}}"
        mine = [key for key in named if key[0] == number]
        if not mine:
            return "*"
        segment, needed = self.segments[number], max(token for _, token, _ in mine)
        written = ""
        for at in range(needed + 1):
            written += self._token(number, at, named) + (segment.separators[at] if at < needed else "")
        if needed < len(segment.tokens) - 1:
            written += segment.separators[needed] + "*"
        return written

    def _token(self, number: int, at: int, named: Mapping[tuple, tuple[str, Part]]) -> str:
        if (number, at, -1) in named:
            return f"{{{named[number, at, -1][0]}}}"
        pieces = {key[2]: named[key][0] for key in named if key[:2] == (number, at)}
        if not pieces:
            return "*"
        written = ""
        for piece, width in enumerate(self.segments[number].runs[at]):
            if piece > max(pieces):
                return f"{written}*"
            if piece in pieces:
                written += f"{{{pieces[piece]}:{width}}}"
            else:
                written += "?" * int(width) if width.isdigit() else "*"
        return written


def _segment(column: list[str]) -> Segment:
    split = [_SEPARATOR.split(value) for value in column]
    shared = min(len(item) for item in split) // 2
    separators: list[str] = []
    for at in range(shared):
        found = {item[2 * at + 1] for item in split}
        if len(found) > 1:
            break
        separators += found
    # Behind the last separator that all share, the rest is one token.
    tokens = [[item[2 * at] for item in split] for at in range(len(separators))]
    tokens.append(["".join(item[2 * len(separators) :]) for item in split])
    open_end = any(len(item) > 2 * len(separators) + 1 for item in split)
    runs = {at: widths for at, values in enumerate(tokens) if (widths := _runs(values))}
    return Segment(tokens, separators, open_end, runs)


def _runs(values: list[str]) -> list[str]:
    """How all values of a token fall into runs, as a layout writes them; empty where they do not, or are one run."""
    if all(re.fullmatch(r"[^\W\d_]+\d+", value) for value in values):
        return ["a", "d"]
    if all(re.fullmatch(r"\d+[^\W\d_]+", value) for value in values):
        return ["d", "a"]
    shapes = {tuple((kind, len(list(run))) for kind, run in groupby(value, _kind)) for value in values}
    widths = [str(length) for _, length in next(iter(shapes))] if len(shapes) == 1 else []
    return widths if len(widths) > 1 else []


def _split_runs(values: list[str], widths: list[str]) -> list[list[str]]:
    patterns = {"a": r"([^\W\d_]+)", "d": r"(\d+)"}
    pattern = re.compile("".join(patterns.get(width, f"(.{{{width}}})") for width in widths))
    matches = [pattern.fullmatch(value) for value in values]
    return [[match[number + 1] for match in matches] for number in range(len(widths))]


def _kind(character: str) -> str:
    if character.isdigit():
        return "digit"
    return "upper" if character.isupper() else "lower" if character.isalpha() else "other"
