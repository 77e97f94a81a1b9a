"""EMOVO: an Italian emotional speech corpus."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import pandas as pd

from serbench.corpora.files import Fields, table_from_names
from serbench.specs import CorpusSpec

NAME = re.compile(r"(dis|gio|neu|pau|rab|sor|tri)-([fm][123])-(b[1-3]|l[1-4]|n[1-5]|d[12])")
# The codes abbreviate the Italian words: disgusto, gioia, neutrale, paura, rabbia, sorpresa, tristezza.
EMOTIONS = {
    "dis": "disgust",
    "gio": "joy",
    "neu": "neutral",
    "pau": "fear",
    "rab": "anger",
    "sor": "surprise",
    "tri": "sadness",
}
SPEAKERS = ("f1", "f2", "f3", "m1", "m2", "m3")
# short, long, nonsense sentences and questions
SENTENCES = ("b1", "b2", "b3", "l1", "l2", "l3", "l4", "n1", "n2", "n3", "n4", "n5", "d1", "d2")


def load(root: Path) -> pd.DataFrame:
    """Read the names of the files."""
    return table_from_names(root, _fields, pattern=NAME, expected=map("-".join, product(EMOTIONS, SPEAKERS, SENTENCES)))


def _fields(match: re.Match[str]) -> Fields:
    emotion, speaker, sentence = match.groups()
    return {"speaker": speaker, "label": EMOTIONS[emotion], "gender": speaker[0], "text": sentence}


EMOVO = CorpusSpec(
    name="emovo",
    version="1",
    language="Italian",
    licence="free for research",
    citation="Costantini et al. (2014), EMOVO corpus: an Italian emotional speech database, LREC, 3501-3504",
    homepage="http://voice.fub.it/activities/corpora/emovo/index.html",
    labels=tuple(EMOTIONS.values()),
    load=load,
    utterances=588,
    speakers=6,
    emotions={
        "disgust": "disgust",
        "joy": "happy",
        "neutral": "neutral",
        "fear": "fearful",
        "anger": "angry",
        "surprise": "surprised",
        "sadness": "sad",
    },
    terms="its owner names no licence; cite the authors",
    elicitation="acted",
    hours=0.5,
    verified="on its documented names",
    steps=(
        "download the archive from http://voice.fub.it/activities/corpora/emovo/index.html",
        "serbench corpora get emovo --from emovo.zip",
    ),
)
