"""CREMA-D: the Crowd-sourced Emotional Multimodal Actors Dataset."""

from __future__ import annotations

import re
from functools import partial

from serbench.corpora.files import Fields, table_from_names
from serbench.specs import CorpusSpec, Source

# actor, sentence, emotion, level; one copy in circulation has 1040_ITH_SAD_X
NAME = re.compile(r"(\d{4})_([A-Z]{3})_(ANG|DIS|FEA|HAP|NEU|SAD)_(XX?|LO|MD|HI)")
SENTENCES = ("IEO", "TIE", "IOM", "IWW", "TAI", "MTI", "IWL", "ITH", "DFA", "ITS", "TSI", "WSI")
EMOTIONS = {"ANG": "anger", "DIS": "disgust", "FEA": "fear", "HAP": "happy", "NEU": "neutral", "SAD": "sad"}
LEVELS = {"LO": "low", "MD": "medium", "HI": "high"}  # XX: unspecified
ACTORS = range(1001, 1092)
FOLD_ENDS = (1018, 1036, 1054, 1072, 1091)
# fmt: off
WOMEN = frozenset({
    1002, 1003, 1004, 1006, 1007, 1008, 1009, 1010, 1012, 1013, 1018, 1020, 1021, 1024, 1025, 1028, 1029, 1030, 1037,
    1043, 1046, 1047, 1049, 1052, 1053, 1054, 1055, 1056, 1058, 1060, 1061, 1063, 1072, 1073, 1074, 1075, 1076, 1078,
    1079, 1082, 1084, 1089, 1091,
})
# fmt: on


def _fields(match: re.Match[str]) -> Fields | None:
    if int(match[1]) not in ACTORS or match[2] not in SENTENCES:
        return None
    speaker, sentence, emotion, level = match.groups()
    actor = int(speaker)
    return {
        "utterance": f"{speaker}_{sentence}_{emotion}_{level.replace('X', '') or 'XX'}",
        "speaker": speaker,
        "label": EMOTIONS[emotion],
        "gender": "f" if actor in WOMEN else "m",
        "text": sentence,
        "intensity": LEVELS.get(level, ""),
        "official_fold": str(1 + sum(actor > end for end in FOLD_ENDS)),
    }


CREMAD = CorpusSpec(
    name="cremad",
    version="1",
    language="English (North American)",
    licence="ODbL 1.0",
    citation=(
        "Cao et al. (2014), CREMA-D: Crowd-sourced emotional multimodal actors dataset, "
        "IEEE Transactions on Affective Computing 5(4), 377-390"
    ),
    homepage="https://github.com/CheyneyComputerScience/CREMA-D",
    labels=tuple(EMOTIONS.values()),
    load=partial(table_from_names, read_name=_fields, pattern=NAME),
    utterances=7442,
    speakers=91,
    defects=(
        "1076_MTI_SAD_XX is silent",
        "1006_TIE_HAP_XX and 1006_TIE_NEU_XX hold the same audio under different labels",
        "1013_WSI_DIS_XX and 1013_WSI_SAD_XX hold the same audio under different labels",
        "1017_IWW_ANG_XX and 1017_IWW_FEA_XX hold the same audio under different labels",
        "1017_IWL_ANG_XX and 1017_IWL_FEA_XX hold nearly the same audio under different labels",
        "1067_IEO_DIS_LO and 1067_IEO_FEA_LO hold nearly the same audio under different labels",
        "1072_IEO_DIS_MD holds 1072_IEO_ANG_LO and then 1072_IEO_ANG_MD, under another label",
        "1045_ITH_DIS_XX and 1045_IWL_DIS_XX hold nearly the same audio under different sentences",
        "1056_MTI_ANG_XX and 1056_TAI_ANG_XX hold nearly the same audio under different sentences",
        "1020_IEO_ANG_LO and 1020_IEO_ANG_MD hold nearly the same audio at different levels",
        "1028_IEO_HAP_LO and 1028_IEO_HAP_MD hold nearly the same audio at different levels",
    ),
    official_folds="EmoBox (Ma et al., Interspeech 2024): five blocks of actors",
    emotions={
        "anger": "angry",
        "disgust": "disgust",
        "fear": "fearful",
        "happy": "happy",
        "neutral": "neutral",
        "sad": "sad",
    },
    terms="share an adapted database alike and keep it open; name the authors",
    elicitation="acted",
    hours=5.3,
    verified="on the real corpus",
    sources=(
        Source(
            url="https://github.com/CheyneyComputerScience/CREMA-D/archive/HEAD.zip",
            stated="SHA-256 and size of every file, in its Git LFS pointer",
            folder="AudioWAV",
            lfs="https://media.githubusercontent.com/media/CheyneyComputerScience/CREMA-D/master/",
        ),
    ),
)
