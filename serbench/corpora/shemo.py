"""ShEMO: the Sharif emotional speech database, Persian radio plays."""

from __future__ import annotations

import re
from functools import partial

from serbench.corpora.files import Fields, table_from_names
from serbench.specs import CorpusSpec, Source

NAME = re.compile(r"([FM])(\d{2})([ANSWHF])(\d{2})")  # gender, speaker, emotion, number
EMOTIONS = {"A": "anger", "F": "fear", "H": "happiness", "N": "neutral", "S": "sadness", "W": "surprise"}


def _fields(match: re.Match[str]) -> Fields:
    gender, number, emotion, _ = match.groups()
    return {"speaker": f"{gender}{number}", "label": EMOTIONS[emotion], "gender": gender.lower()}


_REPOSITORY = "https://github.com/mansourehk/ShEMO/raw/master"

SHEMO = CorpusSpec(
    name="shemo",
    version="1",
    language="Persian",
    licence="none named",
    citation=(
        "Mohamad Nezami, Jamshid Lou & Karami (2019), ShEMO: a large-scale validated database for Persian speech "
        "emotion detection, Language Resources and Evaluation 53(1), 1-16"
    ),
    homepage="https://github.com/mansourehk/ShEMO",
    labels=tuple(EMOTIONS.values()),
    load=partial(table_from_names, read_name=_fields, pattern=NAME),
    utterances=3000,
    speakers=87,
    emotions={
        "anger": "angry",
        "fear": "fearful",
        "happiness": "happy",
        "neutral": "neutral",
        "sadness": "sad",
        "surprise": "surprised",
    },
    terms="its owners name no licence; they ask to be cited",
    elicitation="semi-natural (radio plays)",
    hours=3.4,
    verified="on its documented names",
    sources=(Source(url=f"{_REPOSITORY}/female.zip"), Source(url=f"{_REPOSITORY}/male.zip")),
)
