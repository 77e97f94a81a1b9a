"""Which parts of the paths of audio files are the emotion and the speaker."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from serbench.corpora.foreign.parts import Part, Paths
from serbench.corpora.foreign.words import codes_for, emotion_of
from serbench.errors import CorpusError

MOST_LABELS, MOST_SPEAKERS = 20, 1000
# Share of files whose value has to name an emotion; a few may be named otherwise.
ENOUGH_WORDS = 0.6
# Files of another layout than most are left to `corpora verify`, which names them.
MOST_FILES = 0.8
CONVINCING, PLAUSIBLE, DOUBTFUL = 2.0, 1.0, 1.5
_PERSON = re.compile(
    r"(speaker|spk|actor|subject|subj|sub|person|participant|talker|female|male|fem|[spfmw])[_\- ]?\d+"
)
_NO_PERSON = re.compile(
    r"(session|sess|ses|train|training|test|dev|val|valid|validation|eval|evaluation|part|fold|set|disc|cd|wav|audio|data)"
    r"[_\- ]?\d*|f|m|w|male|female|man|men|woman|women|boy|girl|low|high|strong|normal|weak"
)
_PERSON_WORD = re.compile(r"(speaker|spk|actor|subject|subj|sub|person|participant|talker)")


@dataclass(frozen=True)
class Reading:
    """What the names seem to say.

    Attributes
    ----------
    layout : str
        As the adapter `folder` reads it.
    codes : dict
        Labels that name an emotion in another word -> serbench's word.
    labels, speakers : list of str
        Values found; no speakers where none could be told.
    others : tuple of (layout, values)
        Layouts with another part for the speaker, the likeliest first.
    """

    layout: str
    codes: dict[str, str]
    labels: list[str]
    speakers: list[str]
    others: tuple[tuple[str, list[str]], ...] = ()


def read_names(names: Sequence[str]) -> Reading:
    """Tell emotion and speaker from paths below a corpus' folder, without their suffixes.

    Raises
    ------
    CorpusError
        If no part names emotions; lists the parts, each as a layout that takes it for the label.
    """
    names = _usual(names)
    paths = Paths(names)
    parts = paths.parts()
    label = _label(parts)
    if label is None:
        raise CorpusError(
            "no part of the files' names is known to name emotions",
            where=f"{len(names)} files such as {names[0]}",
            hint="say where the label stands (and {speaker}, if it is there) with --layout; the parts:\n"
            + "\n".join(_choices(paths, parts)),
        )
    # Folders of paths of several depths are not of one kind, unless their names say so.
    able = [part for part in parts if paths.even or part.segment == 0 or _names_persons(part, parts)]
    rated = sorted(((_speakerhood(part, label, parts), part) for part in able), key=lambda pair: -pair[0])
    likely = [(score, part) for score, part in rated if score > 0]
    best, first = likely[0] if likely else (0.0, None)
    speaker = first if best >= CONVINCING else None
    fields = {"label": label} | ({"speaker": speaker} if speaker else {})
    near = [part for score, part in likely if score >= max(PLAUSIBLE, best - DOUBTFUL)]
    rest = [part for part in near if speaker is None or not part.overlaps(speaker)]
    return Reading(
        layout=paths.layout(fields),
        codes=codes_for(list(label.counts)),
        labels=sorted(label.counts),
        speakers=sorted(speaker.counts) if speaker else [],
        others=tuple((paths.layout({**fields, "speaker": part}), sorted(part.counts)) for part in rest[:2]),
    )


def _usual(names: Sequence[str]) -> list[str]:
    """The files of the usual depth, if that is most of them."""
    depths = Counter(name.count("/") for name in names)
    depth, files = depths.most_common(1)[0]
    return [name for name in names if files < MOST_FILES * len(names) or name.count("/") == depth]


def _label(parts: Sequence[Part]) -> Part | None:
    rated = []
    for order, part in enumerate(parts):
        if 2 <= len(part.counts) <= MOST_LABELS:
            known = sum(count for value, count in part.counts.items() if emotion_of(value)) / len(part.values)
            if known >= ENOUGH_WORDS and len({emotion_of(value) for value in part.counts} - {""}) > 1:
                rated.append((-round(known, 2), order, part))
    if rated:
        return min(rated)[2]
    return _folder_per_label(parts)


def _folder_per_label(parts: Sequence[Part]) -> Part | None:
    """The folder itself, where there is one level of few folders whose names are words."""
    folders = [part for part in parts if part.segment == 1 and part.token in (-1, 0) and part.piece == -1]
    levels = {part.segment for part in parts}
    for part in folders:
        words = not any(character.isdigit() for value in part.counts for character in value)
        if levels == {0, 1} and part.last and words and 2 <= len(part.counts) <= MOST_LABELS:
            return part
    return None


def _speakerhood(part: Part, label: Part, parts: Sequence[Part]) -> float:
    """How much a part looks like the speaker; below zero where it cannot be."""
    count, files = len(part.counts), len(part.values)
    if part.overlaps(label) or not 2 <= count <= min(MOST_SPEAKERS, files / 2):
        return -1.0
    if any(_NO_PERSON.fullmatch(value.casefold()) for value in part.counts):
        return -1.0
    said = defaultdict(set)
    for value, emotion in zip(part.values, label.values, strict=True):
        said[value].add(emotion)
    # A person is heard in several emotions; a part that has one each says the emotion once more.
    crossing = sum(len(emotions) for emotions in said.values()) / (len(said) * len(label.counts))
    if crossing < 0.25 or all(len(emotions) == 1 for emotions in said.values()):
        return -1.0
    score = 1.0 if crossing >= 0.5 else 0.0
    score += 0.5 if min(part.counts.values()) >= 2 else -1.0
    score += 1.0 if part.segment else 0.0
    score += 1.0 if part.segment == 0 and part.token == 0 and part.piece <= 0 else 0.0
    numbers = all(value.isdigit() for value in part.counts)
    if numbers and part.segment == 0 and part.last:
        score -= 2.0  # the number of a take
    elif numbers and count <= 5 and part.token > 0:
        score -= 1.0  # a session, a level, a repetition
    if any(_counted(one, part) for one in parts):
        score -= 1.5
    return score + (3.0 if _names_persons(part, parts) else 0.0) - (0.1 if part.piece >= 0 else 0.0)


def _counted(letters: Part, part: Part) -> bool:
    """Whether a part is some letters and a running number, as in anna01, anna02, bob01."""
    same = (letters.segment, letters.token, letters.piece) == (part.segment, part.token, 0)
    several = 2 <= len(letters.counts) <= len(part.counts) / 2
    no_person = any(_NO_PERSON.fullmatch(value.casefold()) for value in letters.counts)
    return part.piece == -1 and same and letters.width == "a" and several and not no_person


def _names_persons(part: Part, parts: Sequence[Part]) -> bool:
    if all(_PERSON.fullmatch(value.casefold()) for value in part.counts):
        return True
    if part.token <= 0:
        return False
    before = next(one for one in parts if (one.segment, one.token, one.piece) == (part.segment, part.token - 1, -1))
    return len(before.counts) == 1 and bool(_PERSON_WORD.fullmatch(before.values[0].casefold()))


def _choices(paths: Paths, parts: Sequence[Part]) -> list[str]:
    lines = []
    for part in parts:
        if 2 <= len(part.counts) <= MOST_LABELS:
            values = list(part.counts)
            shown = " ".join(values[:8]) + (f" … ({len(values)})" if len(values) > 8 else "")
            lines.append(f"     {paths.layout({'label': part}):<40} {shown}")
    return lines or ["     none has between 2 and 20 values; a table of the files (a manifest) can say it"]
