"""JL corpus: emotional New Zealand English, with secondary emotions."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import pandas as pd

from serbench.corpora.files import Fields, table_from_names
from serbench.specs import CorpusSpec

PRIMARY = ("angry", "excited", "happy", "neutral", "sad")
SECONDARY = ("anxious", "apologetic", "assertive", "concerned", "encouraging")
LABELS = (*PRIMARY, *SECONDARY)
SPEAKERS = ("female1", "female2", "male1", "male2")
# speaker, emotion, sentence, repetition, session
NAME = re.compile(rf"((?:fe)?male[12])_({'|'.join(LABELS)})_(1[0-5]|[1-9])([ab])_([12])")


def load(root: Path) -> pd.DataFrame:
    """Read the names of the files."""
    numbers = [f"{number}{repetition}" for number in range(1, 16) for repetition in "ab"]
    return table_from_names(
        root, _fields, pattern=NAME, expected=map("_".join, product(SPEAKERS, LABELS, numbers, "12"))
    )


def _fields(match: re.Match[str]) -> Fields:
    speaker, emotion, sentence, repetition, session = match.groups()
    # Secondary emotions have sentences of their own under the same numbers; taken as one text, none is split.
    return {
        "speaker": speaker,
        "label": emotion,
        "gender": speaker[0],
        "text": sentence,
        "take": f"{repetition}{session}",
    }


JL_CORPUS = CorpusSpec(
    name="jl_corpus",
    version="1",
    language="English (New Zealand)",
    licence="CC0 1.0",
    citation=(
        "James, Tian & Watson (2018), An open source emotional speech corpus for human robot interaction "
        "applications, Interspeech, 2768-2772"
    ),
    homepage="https://www.kaggle.com/tli725/jl-corpus",
    labels=LABELS,
    load=load,
    utterances=2400,
    speakers=4,
    emotions={
        "angry": "angry",
        "excited": None,
        "happy": "happy",
        "neutral": "neutral",
        "sad": "sad",
        **dict.fromkeys(SECONDARY),
    },
    terms="none; its authors ask to be cited",
    elicitation="acted",
    hours=1.4,
    verified="on its documented names",
    steps=(
        "download the archive from https://www.kaggle.com/tli725/jl-corpus (a Kaggle account is needed)",
        "serbench corpora get jl_corpus --from jl-corpus.zip",
    ),
)
