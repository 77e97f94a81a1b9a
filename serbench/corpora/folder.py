"""A user's own corpus without code: one folder per label, or names of any other layout."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pandas as pd

from serbench.corpora.files import Fields, table_from_names
from serbench.corpora.layout import layout_pattern, read_layout, spelt_out
from serbench.errors import CorpusError
from serbench.specs import CorpusSpec


def load(root: Path, speaker: str = "", layout: str = "", codes: Mapping[str, str] | None = None) -> pd.DataFrame:
    """Read `label/.../file`, or a layout; the path below `root` without its suffix is the utterance's id.

    Parameters
    ----------
    speaker : str
        Regular expression searched in that path; its group `speaker`, its first group or the whole match
        names the speaker. Empty: speakers are unknown, unless the layout names them.
    layout : str
        As in `layout_pattern`, such as ``{speaker}/{label}_*``; files of other names are listed as unknown.
    codes : mapping of str to str
        What labels stand for: ``{ANG: angry}``; a label that is not in it stays as it is.

    Raises
    ------
    CorpusError
        If the expression is broken or does not match every file: a speaker unnoticed would leak. If the layout cannot
        be understood.
    """
    pattern = layout_pattern(layout) if layout else None
    if pattern and speaker and "speaker" in pattern.groupindex:
        raise CorpusError("the speaker is given twice: by `speaker` and in `layout`", hint="leave one out")
    read = partial(read_layout, root=root, pattern=pattern) if pattern else partial(_read_name, root=root)
    table = table_from_names(root, read)
    if speaker and not table.empty:
        table["speaker"] = [_speaker(_pattern(speaker), name) for name in table["utterance"]]
    table["label"] = spelt_out(table["label"], codes)
    return table


def _read_name(path: Path, root: Path) -> Fields | None:
    below = path.relative_to(root).with_suffix("")
    if len(below.parts) < 2:
        return None
    return {"utterance": below.as_posix(), "speaker": "", "label": below.parts[0]}


def _pattern(expression: str) -> re.Pattern[str]:
    try:
        return re.compile(expression)
    except re.error as error:
        raise CorpusError(f"speaker: '{expression}' is no regular expression: {error}") from error


def _speaker(pattern: re.Pattern[str], name: str) -> str:
    match = pattern.search(name)
    if match is None:
        raise CorpusError(
            f"the speaker expression '{pattern.pattern}' does not match '{name}'",
            hint="let it match every path below the corpus' folder, or leave it out (speakers unknown)",
        )
    if "speaker" in pattern.groupindex:
        return match["speaker"] or ""
    return (match[1] if pattern.groups else match[0]) or ""


FOLDER = CorpusSpec(
    name="folder",
    version="1",
    language="",
    licence="",
    citation="",
    homepage="",
    labels=(),
    load=load,
    user_named=True,
    options={"speaker": "", "layout": "", "codes": {}},
)
