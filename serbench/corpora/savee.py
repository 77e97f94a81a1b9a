"""SAVEE: Surrey Audio-Visual Expressed Emotion."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from serbench.corpora.files import Fields, table_from_names
from serbench.specs import CorpusSpec

NAME = re.compile(r"(?:(DC|JE|JK|KL)_)?(sa|su|a|d|f|h|n)(\d{2})")
SPEAKERS = ("DC", "JE", "JK", "KL")
EMOTIONS = {
    "a": "anger",
    "d": "disgust",
    "f": "fear",
    "h": "happiness",
    "n": "neutral",
    "sa": "sadness",
    "su": "surprise",
}
SENTENCES = {code: 30 if code == "n" else 15 for code in EMOTIONS}


def load(root: Path) -> pd.DataFrame:
    """Read the names of the files: `DC_a01` anywhere, or `a01` in a folder `DC`."""
    return table_from_names(root, _read_name, expected=_design())


def _read_name(path: Path) -> Fields | None:
    match = NAME.fullmatch(path.stem)
    speaker = match and (match[1] or path.parent.name)
    if match is None or speaker not in SPEAKERS or not 1 <= int(match[3]) <= SENTENCES[match[2]]:
        return None
    # No text: three sentences are common to all emotions, and the neutral files repeat sentences of the
    # others, so the number in a name does not tell which files share a sentence.
    return {
        "utterance": f"{speaker}_{match[2]}{match[3]}",
        "speaker": speaker,
        "label": EMOTIONS[match[2]],
        "gender": "m",
        "official_fold": speaker,
    }


def _design() -> list[str]:
    return [
        f"{speaker}_{code}{number:02d}"
        for speaker in SPEAKERS
        for code, count in SENTENCES.items()
        for number in range(1, count + 1)
    ]


SAVEE = CorpusSpec(
    name="savee",
    version="1",
    language="English (British)",
    licence="free for research, on registration",
    citation="Haq & Jackson (2010), Multimodal emotion recognition, in: Machine Audition, IGI Global, 398-423",
    homepage="http://kahlan.eps.surrey.ac.uk/savee/",
    labels=tuple(EMOTIONS.values()),
    load=load,
    utterances=480,
    speakers=4,
    defects=("many files are clipped",),
    official_folds="one speaker a fold",
    emotions={
        "anger": "angry",
        "disgust": "disgust",
        "fear": "fearful",
        "happiness": "happy",
        "neutral": "neutral",
        "sadness": "sad",
        "surprise": "surprised",
    },
    terms="research only; no passing on",
    elicitation="acted",
    hours=0.5,
    verified="on the real corpus",
    steps=(
        "register at http://kahlan.eps.surrey.ac.uk/savee/ (page Download): name, institution, purpose",
        "the owners send a user name and a password; download AudioData.zip with them",
        "serbench corpora get savee --from AudioData.zip",
    ),
)
