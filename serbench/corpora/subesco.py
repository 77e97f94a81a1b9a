"""SUBESCO: the SUST Bangla emotional speech corpus."""

from __future__ import annotations

import re
from functools import partial

from serbench.corpora.files import Fields, table_from_names
from serbench.specs import CorpusSpec, Source

EMOTIONS = ("ANGRY", "DISGUST", "FEAR", "HAPPY", "NEUTRAL", "SAD", "SURPRISE")
# gender, speaker, the speaker's name, sentence, emotion, take; one file ends in a stray bracket
NAME = re.compile(rf"([FM])_(0[1-9]|10)_([A-Z]+)_S_([1-9]|10)_({'|'.join(EMOTIONS)})_([1-5])\]?")


def _fields(match: re.Match[str]) -> Fields:
    gender, number, _, sentence, emotion, take = match.groups()
    return {
        "utterance": match[0].rstrip("]"),
        "speaker": f"{gender}_{number}",
        "label": emotion.lower(),
        "gender": gender.lower(),
        "text": f"S_{sentence}",
        "take": take,
    }


SUBESCO = CorpusSpec(
    name="subesco",
    version="1",
    language="Bangla",
    licence="CC BY 4.0",
    citation=(
        "Sultana et al. (2021), SUST Bangla Emotional Speech Corpus (SUBESCO): an audio-only emotional speech corpus "
        "for Bangla, PLoS ONE 16(4): e0250173"
    ),
    homepage="https://zenodo.org/records/4526477",
    labels=tuple(emotion.lower() for emotion in EMOTIONS),
    load=partial(table_from_names, read_name=_fields, pattern=NAME),
    utterances=7000,
    speakers=20,
    defects=("one file is spelt F_02_MONIKA_S_2_SURPRISE_3]", "sampling rates differ between files"),
    emotions={
        "angry": "angry",
        "disgust": "disgust",
        "fear": "fearful",
        "happy": "happy",
        "neutral": "neutral",
        "sad": "sad",
        "surprise": "surprised",
    },
    terms="name the authors",
    elicitation="acted",
    hours=7.8,
    verified="on its documented names",
    sources=(
        Source(
            url="https://zenodo.org/records/4526477/files/SUBESCO.zip?download=1",
            size=1_664_512_929,
            checksum="md5:13d702cf944bf54d70d66bffc036ed7a",
            stated="Zenodo record 4526477",
        ),
    ),
)
