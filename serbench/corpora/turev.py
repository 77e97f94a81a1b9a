"""TurEV-DB: the Turkish emotion-voice database."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from serbench.corpora.files import Fields, table_from_names
from serbench.specs import CorpusSpec, Source

NAME = re.compile(r"(\d{4})_(kz|hl|sk|mt)_([a-z]+)(\d?)")  # speaker, emotion, word, take
FILTERED = "Model Output for Test Data"
EMOTIONS = {"kz": "angry", "sk": "calm", "mt": "happy", "hl": "sad"}
SPEAKERS = ("1157", "1234", "1358", "1984", "6783", "7895")


def load(root: Path) -> pd.DataFrame:
    """Read the names of the files; the repository's filtered copies of its test part are passed over."""
    return table_from_names(root, _fields, pattern=NAME, skip=lambda path: FILTERED in path.parts)


def _fields(match: re.Match[str]) -> Fields | None:
    if match[1] not in SPEAKERS:
        return None
    speaker, emotion, word, take = match.groups()
    return {"speaker": speaker, "label": EMOTIONS[emotion], "text": word, "take": take}


TUREV = CorpusSpec(
    name="turev",
    version="1",
    language="Turkish",
    licence="CC BY-NC-ND 4.0",
    citation="Canpolat et al. (2020), Turkish emotion voice database (TurEV-DB), SLTU-CCURL, 368-375",
    homepage="https://github.com/Xeonen/TurEV-DB",
    labels=tuple(EMOTIONS.values()),
    load=load,
    utterances=1735,
    speakers=6,
    emotions={"angry": "angry", "calm": None, "happy": "happy", "sad": "sad"},
    terms="no commercial use; no changed copies; name the authors",
    elicitation="acted",
    hours=0.46,
    verified="on its documented names",
    sources=(Source(url="https://github.com/Xeonen/TurEV-DB/archive/HEAD.zip", folder="Sound Source"),),
)
