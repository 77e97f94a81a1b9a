"""A user's own corpus without code: one folder per label."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

import pandas as pd

from serbench.corpora.files import Fields, table_from_names
from serbench.errors import CorpusError
from serbench.specs import CorpusSpec


def load(root: Path, speaker: str = "") -> pd.DataFrame:
    """Read `label/.../file`; the path below `root` without its suffix is the utterance's id.

    Parameters
    ----------
    speaker : str
        Regular expression searched in that path; its group `speaker`, its first group or the whole match
        names the speaker. Empty: speakers are unknown.

    Raises
    ------
    CorpusError
        If the expression is broken or does not match every file: a speaker unnoticed would leak.
    """
    table = table_from_names(root, partial(_read_name, root=root))
    if speaker and not table.empty:
        table["speaker"] = [_speaker(_pattern(speaker), name) for name in table["utterance"]]
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
    options={"speaker": ""},
)
