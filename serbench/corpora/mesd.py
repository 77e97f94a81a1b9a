"""MESD: the Mexican emotional speech database, single words."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from serbench.corpora.files import Fields, table_from_names
from serbench.specs import CorpusSpec

LABELS = ("Anger", "Disgust", "Fear", "Happiness", "Neutral", "Sadness")
NAME = re.compile(rf"({'|'.join(LABELS)})_([FMC])_([AB])_(.+)")  # emotion, voice, word list, word
GENDERS = {"F": "f", "M": "m", "C": ""}


def load(root: Path) -> pd.DataFrame:
    """Read the names of the files.

    A name tells the voice (woman, man, child), not which of its persons speaks; the voice stands for the speaker, so
    that nobody is on both sides of a split by speakers.
    """
    return table_from_names(root, _fields, pattern=NAME)


def _fields(match: re.Match[str]) -> Fields:
    emotion, voice, _, word = match.groups()
    return {"speaker": voice, "label": emotion.lower(), "gender": GENDERS[voice], "text": word}


MESD = CorpusSpec(
    name="mesd",
    version="1",
    language="Spanish (Mexican)",
    licence="CC BY 4.0",
    citation=(
        "Duville, Alonso-Valerdi & Ibarra-Zarate (2021), Mexican emotional speech database based on semantic, "
        "frequency, familiarity, concreteness, and cultural shaping of affective prosody, Data 6(12): 130"
    ),
    homepage="https://data.mendeley.com/datasets/cy34mh68j9/5",
    labels=tuple(label.lower() for label in LABELS),
    load=load,
    utterances=862,
    speakers=3,
    defects=(
        "11 persons speak, but names tell the voice alone (woman, man, child): three groups stand for the speakers",
        "its authors tell of 864 files, 862 are in circulation",
    ),
    emotions={
        "anger": "angry",
        "disgust": "disgust",
        "fear": "fearful",
        "happiness": "happy",
        "neutral": "neutral",
        "sadness": "sad",
    },
    terms="name the authors",
    elicitation="acted",
    hours=0.17,
    verified="on its documented names",
    steps=(
        "open https://data.mendeley.com/datasets/cy34mh68j9/5 and choose Download All",
        "serbench corpora get mesd --from FILE.zip",
    ),
)
