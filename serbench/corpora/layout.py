"""Layouts: what the path of an audio file says, written as people write paths, such as ``{speaker}/{label}_*``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from serbench.corpora.files import Fields
from serbench.errors import CorpusError

FIELDS = ("label", "speaker", "text", "take", "intensity", "official_fold")
_TOKEN = re.compile(r"(?P<folders>\*\*/)|(?P<any>\*)|(?P<one>\?)|\{(?P<field>\w+)(?::(?P<width>\d+|a|d))?\}|[^*?{}]+")
_KINDS = {"a": r"[^\W\d_]+", "d": r"\d+"}


def layout_pattern(layout: str) -> re.Pattern[str]:
    """What a layout matches: the whole path below the corpus' folder, without its suffix.

    Parameters
    ----------
    layout : str
        ``{label}`` and the other `FIELDS` take what is there up to the character that follows in the layout, never
        beyond a ``/``; ``{label:3}`` takes three characters, ``{label:a}`` letters, ``{label:d}`` digits. ``*``
        stands for anything but a ``/``, ``?`` for one such character, ``**/`` for any folders.

    Raises
    ------
    CorpusError
        For an unknown or repeated field, a stray brace, or a layout without a label.

    Examples
    --------
    >>> layout_pattern("{speaker}/{label}_*").fullmatch("anna/angry_03").groupdict()
    {'speaker': 'anna', 'label': 'angry'}
    >>> layout_pattern("{speaker:2}???{label:1}?").fullmatch("03a01Fa").groupdict()
    {'speaker': '03', 'label': 'F'}
    """
    tokens = list(_TOKEN.finditer(str(layout)))
    if "".join(token[0] for token in tokens) != layout:
        raise _wrong(layout, "has a brace that does not belong to a field")
    names = [token["field"] for token in tokens if token["field"]]
    if unknown := [name for name in names if name not in FIELDS]:
        raise _wrong(layout, f"has the unknown field {{{unknown[0]}}}")
    if "label" not in names or len(set(names)) < len(names):
        raise _wrong(layout, "needs {label}, and each field once at most")
    parts = [_part(token, layout[token.end() : token.end() + 1]) for token in tokens]
    return re.compile("".join(parts))


def _part(token: re.Match[str], following: str) -> str:
    if token["folders"]:
        return "(?:.*/)?"
    if token["one"]:
        return "[^/]"
    if not (token["any"] or token["field"]):
        return re.escape(token[0])
    # Up to what follows; the shortest where that is no character of its own.
    several = "*" if token["any"] else "+"
    lazy = "?" if following in ("*", "?", "{") and following else ""
    stop = "" if lazy or following in ("", "/") else re.escape(following)
    free = f"[^/{stop}]{several}{lazy}"
    if token["any"]:
        return free
    width = token["width"]
    inner = free if width is None else _KINDS.get(width, f"[^/]{{{width}}}")
    return f"(?P<{token['field']}>{inner})"


def read_layout(path: Path, root: Path, pattern: re.Pattern[str]) -> Fields | None:
    """Fields of a file, None where its path is not of this layout."""
    below = path.relative_to(root).with_suffix("").as_posix()
    match = pattern.fullmatch(below)
    return None if match is None else {"speaker": "", **match.groupdict(), "utterance": below}


def spelt_out(labels: Iterable[Any], codes: Mapping[str, str] | None) -> list[Any]:
    """Labels with their codes spelt out; one of which nothing is said stays as it is.

    Raises
    ------
    CorpusError
        If the codes are no mapping.
    """
    known = as_mapping("codes", codes)
    return [known.get(str(label), label) for label in labels]


def as_mapping(option: str, given: Any) -> dict[str, str]:
    """An option that is a mapping of names.

    Raises
    ------
    CorpusError
        If it is something else.
    """
    if given is not None and not (
        isinstance(given, Mapping) and all(isinstance(value, str) for value in given.values())
    ):
        raise CorpusError(f"{option} is {given!r}", hint=f"write {option}: {{one: name, other: name}}")
    return dict(given or {})


def _wrong(layout: str, what: str) -> CorpusError:
    return CorpusError(
        f"the layout '{layout}' {what}",
        hint=f"write it as in '{{speaker}}/{{label}}_*'; fields: {', '.join(FIELDS)}",
    )
