"""IEMOCAP: the interactive emotional dyadic motion capture database, its speech."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

import pandas as pd

from serbench.corpora.files import Fields, files_below, table_from_names
from serbench.errors import CorpusError
from serbench.specs import CorpusSpec

# session, wearer of the markers, dialog, speaker, turn
NAME = re.compile(r"(Ses0[1-5])([FM])_((impro|script)\d\d(?:_\d)?[a-z]?)_([FM])(\d{3})")
DIALOG = re.compile(r"Ses0[1-5][FM]_(?:impro|script)\d\d(?:_\d)?[a-z]?")
# [start - end] TAB turn TAB label TAB [valence, activation, dominance]
EVALUATION = re.compile(r"^\[[\d.]+ - [\d.]+\]\t(\w+)\t([a-z]{3})\t\[", re.MULTILINE)
EVALUATIONS = "dialog/EmoEvaluation/*.txt"
EMOTIONS = {
    "ang": "anger",
    "hap": "happiness",
    "exc": "excitement",
    "sad": "sadness",
    "neu": "neutral",
    "fru": "frustration",
    "fea": "fear",
    "sur": "surprise",
    "dis": "disgust",
    "oth": "other",
}
UNDECIDED = "xxx"  # no majority of the listeners
STYLES = {"impro": "improvised", "script": "scripted"}
PARTS = ("all", *STYLES.values())


def load(root: Path, part: str = "all") -> pd.DataFrame:
    """Read the names of the files, and the listeners' label from `dialog/EmoEvaluation/*.txt`.

    Utterances without a majority label are left out. The table has a further column `style`: improvised or scripted.

    Parameters
    ----------
    part : {"all", "improvised", "scripted"}

    Raises
    ------
    CorpusError
        For another part, or if there are no evaluations.
    """
    if part not in PARTS:
        raise CorpusError(f"part is {part!r}", where="corpus 'iemocap'", hint=f"allowed: {', '.join(PARTS)}")
    labels = _read_labels(root)
    decided = [name for name, label in labels.items() if label in EMOTIONS and part in ("all", _style(name))]
    table = table_from_names(
        root,
        partial(_read_name, labels=labels),
        expected=decided,
        skip=partial(_left_out, labels=labels, part=part),
    )
    if part != "all":
        # How many utterances a part has is not published; which sessions there are is.
        table.attrs["design"] = None
        table.attrs["absent"] = [f"Session{n}" for n in range(1, 6) if not any(name[4] == str(n) for name in labels)]
    return table


def _read_labels(root: Path) -> dict[str, str]:
    files = sorted(path for path in files_below(root) if path.match(EVALUATIONS))
    if not files:
        raise CorpusError(
            f"no evaluations (Session1/{EVALUATIONS}): without them no utterance has a label",
            where=str(root),
            hint="copy them beside the audio, as the release has them",
        )
    texts = [path.read_text(encoding="latin-1") for path in files]
    return {name: label for text in texts for name, label in EVALUATION.findall(text)}


def _left_out(path: Path, labels: dict[str, str], part: str) -> bool:
    # Whole dialogs, utterances without a majority, and those of the part that is not asked for.
    name = path.stem
    other_part = NAME.fullmatch(name) is not None and part not in ("all", _style(name))
    return DIALOG.fullmatch(name) is not None or labels.get(name) == UNDECIDED or other_part


def _read_name(path: Path, labels: dict[str, str]) -> Fields | None:
    match = NAME.fullmatch(path.stem)
    label = EMOTIONS.get(labels.get(path.stem, ""))
    if match is None or label is None:
        return None
    session, _, dialog, style, gender, _ = match.groups()
    return {
        "speaker": f"{session}{gender}",
        "label": label,
        "gender": gender.lower(),
        # Every session plays the same scripts; improvised words are nobody else's.
        "text": dialog.rstrip("abcdefgh") if style == "script" else "",
        "official_fold": session[-1],
        "style": STYLES[style],
    }


def _style(name: str) -> str:
    return STYLES["impro" if "_impro" in name else "script"]


IEMOCAP = CorpusSpec(
    name="iemocap",
    version="1",
    language="English (North American)",
    licence="research only, on request",
    citation=(
        "Busso et al. (2008), IEMOCAP: interactive emotional dyadic motion capture database, "
        "Language Resources and Evaluation 42(4), 335-359"
    ),
    homepage="https://sail.usc.edu/iemocap/",
    labels=tuple(EMOTIONS.values()),
    load=load,
    utterances=7532,
    speakers=10,
    defects=("2507 of its 10039 utterances have no majority label and are left out",),
    official_folds="leave one session out",
    options={"part": "all"},
    emotions={
        "anger": "angry",
        "happiness": "happy",
        "excitement": "happy",  # as in the four classes usual for this corpus
        "sadness": "sad",
        "neutral": "neutral",
        "frustration": None,
        "fear": "fearful",
        "surprise": "surprised",
        "disgust": "disgust",
        "other": None,
    },
    terms="research only; no passing on; sign the release form",
    elicitation="acted, improvised",
    hours=12.0,
    verified="on its documented names",
    keep=("*/EmoEvaluation/*.txt",),
    steps=(
        "fill in the release form of https://sail.usc.edu/iemocap/iemocap_release.htm with your institution's address",
        "the owners send an address; download IEMOCAP_full_release.tar.gz from it",
        "serbench corpora get iemocap --from IEMOCAP_full_release.tar.gz",
    ),
)
