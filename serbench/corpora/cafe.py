"""CaFE: the Canadian French emotional speech data set."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from serbench.corpora.files import Fields, table_from_names
from serbench.specs import CorpusSpec, Source

NAME = re.compile(r"(0[1-9]|1[0-2])-([CDJNPST])-([12])-([1-6])")  # actor, emotion, intensity, sentence
# The letters abbreviate the French words: colère, dégoût, joie, neutre, peur, surprise, tristesse.
EMOTIONS = {
    "C": "anger",
    "D": "disgust",
    "J": "happiness",
    "N": "neutral",
    "P": "fear",
    "S": "surprise",
    "T": "sadness",
}
INTENSITIES = {"1": "mild", "2": "strong"}


def load(root: Path) -> pd.DataFrame:
    """Read the names of the files."""
    return table_from_names(root, _fields, pattern=NAME, expected=_design())


def _fields(match: re.Match[str]) -> Fields | None:
    if (match[2], match[3]) == ("N", "2"):
        return None
    actor, emotion, intensity, sentence = match.groups()
    return {
        "speaker": actor,
        "label": EMOTIONS[emotion],
        "gender": "m" if int(actor) % 2 else "f",
        "text": sentence,
        "intensity": "" if emotion == "N" else INTENSITIES[intensity],
    }


def _design() -> list[str]:
    return [
        f"{actor:02d}-{emotion}-{intensity}-{sentence}"
        for actor in range(1, 13)
        for emotion in EMOTIONS
        for intensity in ("1" if emotion == "N" else "12")  # neutral has no strong version
        for sentence in range(1, 7)
    ]


CAFE = CorpusSpec(
    name="cafe",
    version="1",
    language="French (Canadian)",
    licence="CC BY-NC-SA 4.0",
    citation=(
        "Gournay, Lahaie & Lefebvre (2018), A Canadian French emotional speech dataset, ACM Multimedia Systems, 399-402"
    ),
    homepage="https://zenodo.org/records/1478765",
    labels=tuple(EMOTIONS.values()),
    load=load,
    utterances=936,
    speakers=12,
    emotions={
        "anger": "angry",
        "disgust": "disgust",
        "happiness": "happy",
        "neutral": "neutral",
        "fear": "fearful",
        "surprise": "surprised",
        "sadness": "sad",
    },
    terms="no commercial use; share alike; name the authors",
    elicitation="acted",
    hours=1.15,
    verified="on its documented names",
    sources=(Source(url="https://zenodo.org/records/1478765/files/CaFE_48k.zip?download=1"),),
)
