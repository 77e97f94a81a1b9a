"""TESS: the Toronto emotional speech set."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from serbench.corpora.files import Fields, table_from_names
from serbench.specs import CorpusSpec, Source

NAME = re.compile(r"(OAF|YAF|OA)_([a-z]+)_(angry|disgust|fear|happy|neutral|ps|sad)", re.IGNORECASE)
EMOTIONS = {
    "angry": "angry",
    "disgust": "disgust",
    "fear": "fear",
    "happy": "happy",
    "neutral": "neutral",
    "ps": "pleasant surprise",
    "sad": "sad",
}
MISSPELT = {"OA": "OAF"}  # OA_bite_neutral


def load(root: Path) -> pd.DataFrame:
    """Read the names of the files; what is missing is told for the words that occur at all."""
    table = table_from_names(root, _fields, pattern=NAME)
    present = set(table["utterance"])
    design = {
        f"{speaker}_{word}_{code}"
        for speaker in ("OAF", "YAF")
        for word in table.get("text", pd.Series(dtype=str)).unique()
        for code in EMOTIONS
    }
    table.attrs["missing"] = sorted(design - present)
    return table


def _fields(match: re.Match[str]) -> Fields:
    speaker, word, code = match[1].upper(), match[2].lower(), match[3].lower()
    speaker = MISSPELT.get(speaker, speaker)
    return {
        "utterance": f"{speaker}_{word}_{code}",
        "speaker": speaker,
        "label": EMOTIONS[code],
        "gender": "f",
        "text": word,
        "official_fold": speaker,
    }


TESS = CorpusSpec(
    name="tess",
    version="1",
    language="English (Canadian)",
    licence="CC BY-NC-ND 4.0",
    citation="Pichora-Fuller & Dupuis (2020), Toronto emotional speech set (TESS), Borealis, doi:10.5683/SP2/E8H2MF",
    homepage="https://doi.org/10.5683/SP2/E8H2MF",
    labels=tuple(EMOTIONS.values()),
    load=load,
    utterances=2800,
    speakers=2,
    defects=("one file is spelt OA_bite_neutral", "sampling rates differ between files"),
    official_folds="one actress a fold",
    emotions={
        "angry": "angry",
        "disgust": "disgust",
        "fear": "fearful",
        "happy": "happy",
        "neutral": "neutral",
        "pleasant surprise": "surprised",  # its nearest kin: the others leave open whether a surprise is pleasant
        "sad": "sad",
    },
    terms="no commercial use; no changed copies; name the authors",
    elicitation="acted",
    hours=1.6,
    verified="on the real corpus",
    sources=(
        Source(
            url="https://borealisdata.ca/api/datasets/:persistentId/?persistentId=doi:10.5683/SP2/E8H2MF",
            kind="dataverse",
            stated="the file list of the Borealis data set: size and MD5 of every file",
        ),
    ),
)
