"""EMO-DB: the Berlin database of emotional speech."""

from __future__ import annotations

import re
from functools import partial

from serbench.corpora.files import Fields, table_from_names
from serbench.specs import CorpusSpec, Source

NAME = re.compile(r"(\d{2})([ab]\d{2})([WLEAFTN])([a-z])")  # speaker, text, emotion, version
# The letters abbreviate the German words: Wut, Langeweile, Ekel, Angst, Freude, Trauer, Neutral.
EMOTIONS = {
    "W": "anger",
    "L": "boredom",
    "E": "disgust",
    "A": "fear",
    "F": "happiness",
    "T": "sadness",
    "N": "neutral",
}
GENDERS = {**dict.fromkeys(("03", "10", "11", "12", "15"), "m"), **dict.fromkeys(("08", "09", "13", "14", "16"), "f")}


def _fields(match: re.Match[str]) -> Fields | None:
    if match[1] not in GENDERS:
        return None
    speaker, text, emotion, version = match.groups()
    return {
        "speaker": speaker,
        "label": EMOTIONS[emotion],
        "gender": GENDERS[speaker],
        "text": text,
        "take": version,
        "official_fold": speaker,
    }


EMODB = CorpusSpec(
    name="emodb",
    version="1",
    language="German",
    licence="CC BY 4.0",
    citation="Burkhardt et al. (2005), A database of German emotional speech, Interspeech, 1517-1520",
    homepage="http://emodb.bilderbar.info",
    labels=tuple(sorted(EMOTIONS.values())),
    load=partial(table_from_names, read_name=_fields, pattern=NAME),
    utterances=535,
    speakers=10,
    official_folds="leave one speaker out, as is usual for this corpus",
    emotions={
        "anger": "angry",
        "boredom": None,
        "disgust": "disgust",
        "fear": "fearful",
        "happiness": "happy",
        "neutral": "neutral",
        "sadness": "sad",
    },
    terms="name the authors (of their Zenodo record; the older home page names no licence)",
    elicitation="acted",
    hours=0.41,
    verified="on the real corpus",
    sources=(
        Source(
            url="https://zenodo.org/records/7447302/files/emodb.zip?download=1",
            size=39_981_818,
            checksum="md5:9d21362dbc5676ef3ab4745d83ced0db",
            stated="Zenodo record 7447302",
        ),
    ),
)
