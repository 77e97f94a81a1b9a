"""ESD: the emotional speech dataset, English and Chinese."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

import pandas as pd

from serbench.corpora.files import Fields, table_from_names
from serbench.errors import CorpusError
from serbench.specs import CorpusSpec

NAME = re.compile(r"(00(?:0[1-9]|1\d|20))_(\d{6})")  # speaker, number
EMOTIONS = ("Neutral", "Angry", "Happy", "Sad", "Surprise")  # in the order of their numbers, 350 each
SENTENCES = 350
ENGLISH = range(11, 21)
WOMEN = frozenset({1, 2, 3, 7, 9, 15, 16, 17, 18, 19})
PARTS = ("all", "english", "chinese")


def load(root: Path, part: str = "all") -> pd.DataFrame:
    """Read the names of the files: `0011/Angry/0011_000351.wav`, with or without folders train, test, evaluation.

    Parameters
    ----------
    part : {"all", "english", "chinese"}

    Raises
    ------
    CorpusError
        For another part.
    """
    if part not in PARTS:
        raise CorpusError(f"part is {part!r}", where="corpus 'esd'", hint=f"allowed: {', '.join(PARTS)}")
    table = table_from_names(root, _read_name, skip=partial(_of_another_part, part=part))
    if part != "all":
        table.attrs["design"] = ESD.utterances // 2
    return table


def _read_name(path: Path) -> Fields | None:
    match = NAME.fullmatch(path.stem)
    number = int(match[2]) if match else 0
    if not 1 <= number <= SENTENCES * len(EMOTIONS):
        return None
    block, sentence = divmod(number - 1, SENTENCES)
    speaker = int(match[1])
    return {
        "speaker": match[1],
        "label": EMOTIONS[block].lower(),
        "gender": "f" if speaker in WOMEN else "m",
        # The sentences of a language are the same for its speakers and emotions.
        "text": f"{_language(speaker)} {sentence + 1}",
    }


def _of_another_part(path: Path, part: str) -> bool:
    match = NAME.fullmatch(path.stem)
    return match is not None and part not in ("all", _language(int(match[1])))


def _language(speaker: int) -> str:
    return "english" if speaker in ENGLISH else "chinese"


ESD = CorpusSpec(
    name="esd",
    version="1",
    language="English, Chinese",
    licence="research only, on a signed form",
    citation=(
        "Zhou et al. (2022), Emotional voice conversion: theory, databases and ESD, Speech Communication 137, 1-18"
    ),
    homepage="https://github.com/HLTSingapore/Emotional-Speech-Data",
    labels=tuple(emotion.lower() for emotion in EMOTIONS),
    load=load,
    utterances=35_000,
    speakers=20,
    options={"part": "all"},
    emotions={"neutral": "neutral", "angry": "angry", "happy": "happy", "sad": "sad", "surprise": "surprised"},
    terms="research only; send in the signed form",
    elicitation="acted",
    hours=29.1,
    verified="on its documented names",
    steps=(
        "fill in the licence form of https://github.com/HLTSingapore/Emotional-Speech-Data and send it to its owners",
        "download the archive from the Google Drive address of that page",
        "serbench corpora get esd --from FILE.zip",
    ),
)
