"""The leakage audit of a split: a verdict, the leaks with their evidence, and notes."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import numpy as np
import pandas as pd

from serbench.protocols.enrolment import Enrolment
from serbench.protocols.sharing import PARENT, PERSON, RECORDING, REPETITION, SharingTable
from serbench.protocols.tables import EXAMPLES, enumerate_some
from serbench.protocols.verdict import Verdict
from serbench.scoring.margins import margin_uar
from serbench.specs import NO_MISTAKE, Mistake, Split

NOTEWORTHY = 0.02
DOUBLED_PERSON = "probably one person under two names"
NEAR = "near duplicates"
COPIES = "augmented copies of test parents in training"
ENROLLED_SCORED = "enrolled utterances scored"


def audit_split(
    table: pd.DataFrame | SharingTable,
    split: Split,
    *,
    normalise: str = "none",
    independence: Collection[str] = (),
    corpus_labels: Collection[str] = (),
    mistake: Mistake = NO_MISTAKE,
    enrolment: Enrolment | None = None,
    heard: str = "",
) -> dict[str, Any]:
    """Say what the test part of a split shares with its training part.

    Parameters
    ----------
    table : DataFrame or SharingTable
        Task table; a `SharingTable` of it is faster for many folds. With a column `recording` (`with_recordings`),
        recordings are recognised whose samples differ.
    normalise : {"none", "speaker"}
        Normalisation per speaker uses the test utterances together: transductive.
    independence : collection of {"speaker", "text", "corpus"}
        What the protocol promises: a shared sentence is a leak where text independence is promised, else a note.
    corpus_labels : collection of str
        The corpus' own labels; a shorter class list is noted.
    mistake : Mistake
        That of the protocol: a leak of the whole test part, whatever else is shared.
    enrolment : Enrolment, optional
        What is heard of the test speakers: a recording of it that is scored too, or a copy of one, is a leak.
    heard : str
        The same in words, for the verdict.

    Returns
    -------
    dict
        ``{"verdict", "speaker_independent", "leaks": [{"kind", "count", "examples"}], "notes": [str]}``.
        The verdict is "leaky: …" naming the kinds, "transductive", "enrolled: …", "speakers unknown" or
        "speaker-independent"; `count` counts what is shared (speakers, recordings, repetitions).
    """
    table = SharingTable.of(table)
    train, test = (np.unique(table.positions(ids)) for ids in (split.train, split.test))
    leaks = _leaks(table, train, test, independence)
    if mistake:
        leaks.append(_leak(mistake.leak, table.ids(test)))
    if enrolment and (both := _enrolled_scored(table, enrolment)):
        leaks.append(_leak(ENROLLED_SCORED, both))
    speakers_known = not (table.unknown("speaker", train) or table.unknown("speaker", test))
    kinds = tuple(leak["kind"] for leak in leaks)
    return {
        "verdict": str(
            Verdict(kinds, speakers_known or bool(kinds), transductive=normalise == "speaker", enrolled=heard)
        ),
        "speaker_independent": speakers_known and not leaks,
        "leaks": leaks,
        "notes": _notes(table, train, test, independence, corpus_labels),
    }


def _leaks(
    table: SharingTable, train: np.ndarray, test: np.ndarray, independence: Collection[str]
) -> list[dict[str, Any]]:
    found = {
        "utterances shared": table.shared("id", train, test),
        "speakers shared": table.shared("speaker", train, test),
        DOUBLED_PERSON: _doubled_persons(table, train, test),
        "content duplicates": _shared_audio(table, train, test),
        NEAR: _near_duplicates(table, train, test),
        "repetitions shared": table.shared(REPETITION, train, test),
        COPIES: _shared_parents(table, train, test),
    }
    if "text" in independence:
        found["sentences shared"] = table.shared("text", train, test)
    return [_leak(kind, names) for kind, names in found.items() if names]


def _enrolled_scored(table: SharingTable, enrolment: Enrolment) -> list[str]:
    heard, scored = (np.unique(table.positions(ids)) for ids in (enrolment.enrolled, enrolment.scored))
    if not len(heard):
        return []
    return [
        *table.shared("id", heard, scored),
        *_shared_audio(table, heard, scored),
        *_shared_parents(table, heard, scored),
    ]


def _leak(kind: str, names: Iterable[str]) -> dict[str, Any]:
    names = list(names)
    return {"kind": kind, "count": len(names), "examples": names[:EXAMPLES]}


def _doubled_persons(table: SharingTable, train: np.ndarray, test: np.ndarray) -> list[str]:
    """Speakers on both sides under names that are spellings of one, joined by "="; the same name is another leak."""
    same = table.shared("speaker", train, test)
    found = []
    for person in table.shared(PERSON, train, test):
        learnt, tested = (table.values("speaker", table.having(PERSON, [person], part)) for part in (train, test))
        if not (learnt | tested) & set(same):
            found.append(" = ".join([*sorted(tested), *sorted(learnt)]))
    return found


def _shared_audio(table: SharingTable, train: np.ndarray, test: np.ndarray) -> list[str]:
    """One entry per recording on both sides, its names joined by "="; the same id is another leak."""
    both = np.intersect1d(train, test)
    train, test = np.setdiff1d(train, both), np.setdiff1d(test, both)
    pairs = []
    for content in table.shared("content", train, test):
        names = [min(table.ids(table.having("content", [content], part))) for part in (train, test)]
        pairs.append(" = ".join(names))
    return sorted(pairs)


def _near_duplicates(table: SharingTable, train: np.ndarray, test: np.ndarray) -> list[str]:
    """One entry per recording of which the test part holds another version than training, names joined by "="."""
    pairs = []
    for recording in table.shared(RECORDING, train, test):
        learnt, tested = (table.having(RECORDING, [recording], part) for part in (train, test))
        equal = table.having("content", table.values("content", learnt), tested)
        if len(others := np.setdiff1d(tested, equal)):
            pairs.append(f"{min(table.ids(learnt))} = {min(table.ids(others))}")
    return sorted(pairs)


def _shared_parents(table: SharingTable, train: np.ndarray, test: np.ndarray) -> list[str]:
    """Recordings of which a version trains and another one is tested; the same id is another leak."""
    both = np.intersect1d(train, test)
    return table.shared(PARENT, np.setdiff1d(train, both), np.setdiff1d(test, both))


def _notes(
    table: SharingTable,
    train: np.ndarray,
    test: np.ndarray,
    independence: Collection[str],
    corpus_labels: Collection[str],
) -> list[str]:
    notes = []
    shared = table.shared("text", train, test)
    if shared and "text" not in independence:
        notes.append(f"{len(shared)} of {len(table.values('text', test))} test sentences are also in training")
    tested, learnt = table.values("label", test), table.values("label", train)
    if unheard := sorted(tested - learnt):
        notes.append(f"classes tested without training utterances: {', '.join(unheard)}")
    if untested := sorted(learnt - tested):
        notes.append(f"classes without test utterances: {', '.join(untested)}")
    classes = len(tested | learnt)
    if classes < len(corpus_labels):
        notes.append(f"{classes} classes of the corpus' {len(corpus_labels)}")
    if baseline := _corpus_baseline(table, train, test):
        notes.append(baseline)
    if baseline := _speaker_baseline(table, train, test):
        notes.append(baseline)
    if conflicting := table.conflicting_audio:
        examples = enumerate_some(" = ".join(names) for names in conflicting)
        notes.append(f"labels conflict on {len(conflicting)} recordings of equal audio: {examples}")
    return notes


def _corpus_baseline(table: SharingTable, train: np.ndarray, test: np.ndarray) -> str:
    """What is known of the label from the corpus alone, where merged corpora are on both sides."""
    if len(table.shared("corpus", train, test)) < 2 or table.values("corpus", test) - table.values("corpus", train):
        return ""
    return _baseline_text("corpus", *_baseline(table, "corpus", train, test))


def _speaker_baseline(table: SharingTable, train: np.ndarray, test: np.ndarray) -> str:
    """What is known of the label from the speaker alone, where every test speaker is also in training."""
    speakers = table.values("speaker", test)
    known = speakers <= table.values("speaker", train)
    if len(speakers) < 2 or not known or table.unknown("speaker", train) or table.unknown("speaker", test):
        return ""
    score, chance = _baseline(table, "speaker", train, test)
    # Speakers who act every class alike tell nothing.
    return _baseline_text("speaker", score, chance) if score > chance + NOTEWORTHY else ""


def _baseline(table: SharingTable, column: str, train: np.ndarray, test: np.ndarray) -> tuple[float, float]:
    """The UAR of an answer from one column alone, and that of chance."""
    learnt, tested = (table.shares(column, "label", part) for part in (train, test))
    # Each value answers with the label that is likeliest under equal priors: the best for the UAR.
    answers = tested.index.map(learnt.idxmax(axis=1)).to_numpy()
    hits, support = tested.where(answers[:, None] == tested.columns.to_numpy(), 0).sum(), tested.sum()
    return float(margin_uar(np.stack([hits, support]))), 1 / int((support > 0).sum())


def _baseline_text(column: str, score: float, chance: float) -> str:
    return f"the {column} alone predicts the label with UAR {score:.2f} (chance {chance:.2f})"
