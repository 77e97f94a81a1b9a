"""Which utterances of a new speaker are heard without labels (enrolled), and which of the others are scored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from serbench.errors import EnrolmentError
from serbench.records.enrolling import ALL, ANY
from serbench.specs import Split

HINT = "ask for fewer in `enrol`, or take another protocol or corpus"


@dataclass(frozen=True)
class Enrolment:
    """What is heard of each new speaker, and what is scored.

    Attributes
    ----------
    heard : mapping of str to tuple of str
        Ids of the utterances that are enrolled, by speaker.
    scored : tuple of str
        Ids, in the order of the task table.
    others : bool
        An utterance is answered after all the others of its speaker were heard: it itself never is.
    """

    heard: Mapping[str, tuple[str, ...]]
    scored: tuple[str, ...]
    others: bool = False

    @property
    def enrolled(self) -> tuple[str, ...]:
        """Ids of what is heard and must not be scored; none where each utterance is only left out for itself."""
        return () if self.others else tuple(name for names in self.heard.values() for name in names)


def draw_enrolment(
    table: pd.DataFrame, setting: Mapping[str, Any], *, seed: int, short: str = "refuse", where: str = ""
) -> Enrolment:
    """Draw the utterances that are heard of each speaker.

    A speaker's utterances are put into a random order. Heard are the first n of them (of one label, if the setting
    names it); kept from scoring are as many as the largest n of the comparison takes, for every n: so all n score the
    same utterances, and what n = 5 hears is part of what n = 10 hears.

    Parameters
    ----------
    table : DataFrame
        Task table rows of the new speakers, sorted by id.
    setting : mapping
        As in `Cell.enrol`.
    short : {"refuse", "leave out"}
        What to do about speakers who have too few.
    where : str
        For messages: which fold.

    Raises
    ------
    EnrolmentError
        If a speaker is not known, has too few utterances, or nobody is left.
    """
    random = np.random.default_rng(seed)
    number, label = setting["utterances"], setting.get("label", ANY)
    heard: dict[str, tuple[str, ...]] = {}
    scored: set[str] = set()
    for speaker, order in _orders(table, random):
        apart: set[str] = set()
        lacks = ""
        for kind, count in setting["apart"].items():
            own = _of_label(order, kind)
            apart |= set(own[:count])
            if len(own) < count:
                lacks = f"speaker {speaker} has {len(own)} {_named(kind)}, fewer than the {count} to enrol"
        if not lacks and len(apart) == len(order):
            lacks = f"speaker {speaker} has {len(order)} utterances: none is left to be scored after enrolment"
        if number == ALL and len(_of_label(order, label)) < 2:
            lacks = f"speaker {speaker} has no two {_named(label)} to enrol"
        if lacks and short == "refuse":
            raise EnrolmentError(lacks, where=where or None, hint=HINT)
        if lacks:
            continue
        own = _of_label(order, label)
        heard[speaker] = tuple(own if number == ALL else own[:number])
        scored |= set(order["id"]) - apart
    if not heard:
        raise EnrolmentError("no speaker has utterances enough to be enrolled", where=where or None, hint=HINT)
    return Enrolment(heard, tuple(name for name in table["id"] if name in scored), others=number == ALL)


def draw_for_fold(table: pd.DataFrame, split: Split, setting: Mapping[str, Any], *, seed: int) -> Enrolment:
    """Draw what is heard of the test speakers of a fold.

    Raises
    ------
    EnrolmentError
        Also where a test speaker is in training, or training has a single speaker: there is nobody new, or nobody to
        learn from what new speakers are like.
    """
    where = f"enrol, fold {split.fold}"
    train, test = (table[table["id"].isin(set(ids))] for ids in (split.train, split.test))
    for part, rows in (("training", train), ("test", test)):
        if unknown := int((rows["speaker"] == "").sum()):
            raise EnrolmentError(
                f"the speaker of {unknown} {part} utterances is unknown", where=where,
                hint="enrolment needs every speaker: leave `enrol` out",
            )  # fmt: skip
    if shared := sorted(set(train["speaker"]) & set(test["speaker"])):
        raise EnrolmentError(
            f"{len(shared)} test speakers are in training too, such as {shared[0]}: nobody is new", where=where,
            hint="enrol under a protocol that holds speakers out",
        )  # fmt: skip
    if train["speaker"].nunique() < 2:
        raise EnrolmentError(
            "one training speaker: what a new one is like cannot be learnt", where=where,
            hint="use a protocol that trains on two speakers or more",
        )  # fmt: skip
    return draw_enrolment(test, setting, seed=seed, where=where)


def _orders(table: pd.DataFrame, random: np.random.Generator) -> Iterator[tuple[str, pd.DataFrame]]:
    for speaker, rows in table.groupby("speaker", sort=True):
        yield str(speaker), rows.iloc[random.permutation(len(rows))]


def _of_label(order: pd.DataFrame, label: str) -> list[str]:
    return list(order["id"] if label == ANY else order.loc[order["label"] == label, "id"])


def _named(label: str) -> str:
    return "utterances" if label == ANY else f"{label} utterances"
