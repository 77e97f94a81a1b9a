"""AESDD: the acted emotional speech dynamic database, Greek."""

from __future__ import annotations

import re
from functools import partial

from serbench.corpora.files import Fields, table_from_names
from serbench.specs import CorpusSpec

NAME = re.compile(r"([adfhs])(0[1-9]|1\d|20) \(0?([1-6])\)([ab]?)")  # emotion, utterance, speaker, take
EMOTIONS = {"a": "anger", "d": "disgust", "f": "fear", "h": "happiness", "s": "sadness"}


def _fields(match: re.Match[str]) -> Fields:
    emotion, text, speaker, take = match.groups()
    return {"speaker": speaker, "label": EMOTIONS[emotion], "text": text, "take": take}


AESDD = CorpusSpec(
    name="aesdd",
    version="1",
    language="Greek",
    licence="none named",
    citation=(
        "Vryzas et al. (2018), Speech emotion recognition for performance interaction, "
        "Journal of the Audio Engineering Society 66(6), 457-467"
    ),
    homepage="http://m3c.web.auth.gr/research/aesdd-speech-emotion-recognition/",
    labels=tuple(EMOTIONS.values()),
    load=partial(table_from_names, read_name=_fields, pattern=NAME),
    utterances=604,
    speakers=6,
    defects=("it grows (dynamic): 604 files of 6 speakers were counted in 2024",),
    emotions={"anger": "angry", "disgust": "disgust", "fear": "fearful", "happiness": "happy", "sadness": "sad"},
    terms="its owners name no licence; they ask to be cited",
    elicitation="acted",
    hours=0.69,
    verified="on its documented names",
    steps=(
        "download the archive from http://m3c.web.auth.gr/research/aesdd-speech-emotion-recognition/",
        "serbench corpora get aesdd --from FILE.zip",
    ),
)
