"""RAVDESS: the Ryerson Audio-Visual Database of Emotional Speech and Song, audio-only files."""

from __future__ import annotations

import re
from functools import partial
from itertools import product
from pathlib import Path

import pandas as pd

from serbench.corpora.files import Fields, table_from_names
from serbench.specs import CorpusSpec, Source

# modality-channel-emotion-intensity-statement-repetition-actor; modality 03 is audio-only
NAME = re.compile(r"03-(0[12])-(0[1-8])-(0[12])-(0[12])-(0[12])-([01]\d|2[0-4])")
SPEECH, SONG = "01", "02"
EMOTIONS = dict(
    zip(
        (f"{code:02d}" for code in range(1, 9)),
        ("neutral", "calm", "happy", "sad", "angry", "fearful", "disgust", "surprised"),
        strict=True,
    )
)
# calm is neither neutral nor an emotion of other corpora
COMMON = {emotion: None if emotion == "calm" else emotion for emotion in EMOTIONS.values()}
SONG_EMOTIONS = ("neutral", "calm", "happy", "sad", "angry", "fearful")
INTENSITIES = {"01": "normal", "02": "strong"}
STATEMENTS = {"01": "Kids are talking by the door", "02": "Dogs are sitting by the door"}
ACTORS = tuple(f"{number:02d}" for number in range(1, 25))
SINGERS = tuple(actor for actor in ACTORS if actor != "18")
TEST_ACTORS = ((1, 11, 20, 21), (4, 10, 12, 14), (8, 9, 19, 23), (3, 5, 7, 24), (2, 15, 16, 18), (6, 13, 17, 22))
FOLD_OF = {f"{actor:02d}": str(fold) for fold, actors in enumerate(TEST_ACTORS, 1) for actor in actors}

CITATION = (
    "Livingstone & Russo (2018), The Ryerson Audio-Visual Database of Emotional Speech and Song (RAVDESS), "
    "PLoS ONE 13(5): e0196391"
)


def load(root: Path, channel: str, actors: tuple[str, ...], emotions: tuple[str, ...]) -> pd.DataFrame:
    """Read the names of one vocal channel; files of the other one may share the folder."""
    return table_from_names(
        root,
        partial(_read_name, channel=channel),
        expected=_design(channel, actors, emotions),
        skip=lambda path: bool(match := NAME.fullmatch(path.stem)) and match[1] != channel,
    )


def _read_name(path: Path, channel: str) -> Fields | None:
    match = NAME.fullmatch(path.stem)
    if match is None or match[6] not in ACTORS:
        return None
    _, emotion, intensity, statement, repetition, actor = match.groups()
    return {
        "speaker": actor,
        "label": EMOTIONS[emotion],
        "gender": "m" if int(actor) % 2 else "f",
        "text": STATEMENTS[statement],
        "intensity": INTENSITIES[intensity],
        "take": repetition.lstrip("0"),
        "official_fold": FOLD_OF[actor],
    }


def _design(channel: str, actors: tuple[str, ...], emotions: tuple[str, ...]) -> list[str]:
    codes = [code for code, emotion in EMOTIONS.items() if emotion in emotions]
    return [
        f"03-{channel}-{emotion}-{intensity}-{statement}-{take}-{actor}"
        for actor, emotion, intensity, statement, take in product(actors, codes, INTENSITIES, STATEMENTS, ("01", "02"))
        if not (EMOTIONS[emotion] == "neutral" and INTENSITIES[intensity] == "strong")  # neutral has no strong version
    ]


SPEECH_SPEC = CorpusSpec(
    name="ravdess_speech",
    version="1",
    language="English (North American)",
    licence="CC BY-NC-SA 4.0",
    citation=CITATION,
    homepage="https://zenodo.org/records/1188976",
    labels=tuple(EMOTIONS.values()),
    load=partial(load, channel=SPEECH, actors=ACTORS, emotions=tuple(EMOTIONS.values())),
    utterances=1440,
    speakers=24,
    project="ravdess",
    defects=("03-01-03-01-02-01-07 and 03-01-03-01-02-02-07 hold the same audio",),
    official_folds="EmoBox (Ma et al., Interspeech 2024): six folds of four actors",
    emotions=COMMON,
    terms="no commercial use; share alike; name the authors",
    elicitation="acted",
    hours=1.48,
    verified="on the real corpus",
    sources=(
        Source(
            url="https://zenodo.org/records/1188976/files/Audio_Speech_Actors_01-24.zip?download=1",
            size=208_468_073,
            checksum="md5:bc696df654c87fed845eb13823edef8a",
            stated="Zenodo record 1188976",
        ),
    ),
)

SONG_SPEC = CorpusSpec(
    name="ravdess_song",
    version="1",
    language="English (North American)",
    licence="CC BY-NC-SA 4.0",
    citation=CITATION,
    homepage="https://zenodo.org/records/1188976",
    labels=SONG_EMOTIONS,
    load=partial(load, channel=SONG, actors=SINGERS, emotions=SONG_EMOTIONS),
    utterances=1012,
    speakers=23,
    project="ravdess",
    defects=("actor 18 has no song files",),
    official_folds="the actor folds of RAVDESS speech, so that no actor of the merged corpora is on both sides",
    emotions={emotion: COMMON[emotion] for emotion in SONG_EMOTIONS},
    terms="no commercial use; share alike; name the authors",
    elicitation="acted",
    hours=1.31,
    verified="on the real corpus",
    sources=(
        Source(
            url="https://zenodo.org/records/1188976/files/Audio_Song_Actors_01-24.zip?download=1",
            size=225_505_317,
            checksum="md5:5411230427d67a21e18aa4d466e6d1b9",
            stated="Zenodo record 1188976",
        ),
    ),
)
