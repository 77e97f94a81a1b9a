"""The leakage audit of a split: a verdict, the leaks with their evidence, and notes."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import pandas as pd

from serbench.protocols.promises import shared_values
from serbench.protocols.tables import EXAMPLES, enumerate_some, equal_audio
from serbench.specs import Split

INDEPENDENT = "speaker-independent"
TRANSDUCTIVE = "transductive"
UNKNOWN = "speakers unknown"


def audit_split(
    table: pd.DataFrame,
    split: Split,
    *,
    normalise: str = "none",
    independence: Collection[str] = (),
    corpus_labels: Collection[str] = (),
) -> dict[str, Any]:
    """Say what the test part of a split shares with its training part.

    Parameters
    ----------
    table : DataFrame
        Task table.
    normalise : {"none", "speaker"}
        Normalisation per speaker uses the test utterances together: transductive.
    independence : collection of {"speaker", "text", "corpus"}
        What the protocol promises: a shared sentence is a leak where text independence is promised, else a note.
    corpus_labels : collection of str
        The corpus' own labels; a shorter class list is noted.

    Returns
    -------
    dict
        ``{"verdict", "speaker_independent", "leaks": [{"kind", "count", "examples"}], "notes": [str]}``.
        The verdict is "leaky: …" naming the kinds, "transductive", "speakers unknown" or
        "speaker-independent"; `count` counts what is shared (speakers, recordings, twins).
    """
    ids = table["id"]
    train, test = table[ids.isin(split.train)], table[ids.isin(split.test)]
    leaks = _leaks(train, test, independence)
    speakers_known = bool((train["speaker"] != "").all() and (test["speaker"] != "").all())
    independent = speakers_known and not leaks
    return {
        "verdict": _verdict([leak["kind"] for leak in leaks], speakers_known, normalise),
        "speaker_independent": independent,
        "leaks": leaks,
        "notes": _notes(table, train, test, independence, corpus_labels),
    }


def _verdict(kinds: list[str], speakers_known: bool, normalise: str) -> str:
    parts = [f"leaky: {', '.join(kinds)}"] if kinds else []
    if not kinds and not speakers_known:
        parts.append(UNKNOWN)
    if normalise == "speaker":
        parts.append(TRANSDUCTIVE)
    return "; ".join(parts) or INDEPENDENT


def _leaks(train: pd.DataFrame, test: pd.DataFrame, independence: Collection[str]) -> list[dict[str, Any]]:
    found = {
        "utterances shared": shared_values(train["id"], test["id"]),
        "speakers shared": shared_values(train["speaker"], test["speaker"]),
        "content duplicates": _shared_audio(train, test),
        "take twins": shared_values(_twin_keys(train), _twin_keys(test)),
    }
    if "text" in independence:
        found["sentences shared"] = shared_values(train["text"], test["text"])
    return [_leak(kind, names) for kind, names in found.items() if names]


def _leak(kind: str, names: Iterable[str]) -> dict[str, Any]:
    names = list(names)
    return {"kind": kind, "count": len(names), "examples": names[:EXAMPLES]}


def _shared_audio(train: pd.DataFrame, test: pd.DataFrame) -> list[str]:
    """One entry per recording on both sides, its names joined by "="; the same id is another leak."""
    shared = shared_values(train["content"], test["content"])
    both = set(train["id"]) & set(test["id"])
    names = []
    for content in shared:
        left = sorted(set(train.loc[train["content"] == content, "id"]) - both)
        right = sorted(set(test.loc[test["content"] == content, "id"]) - both)
        if left and right:
            names.append(f"{left[0]} = {right[0]}")
    return sorted(names)


def _twin_keys(part: pd.DataFrame) -> pd.Series:
    # The same person saying the same sentence with the same emotion: another take of one performance.
    known = part[(part[["speaker", "text", "label"]] != "").all(axis=1)]
    return known["speaker"] + " · " + known["text"] + " · " + known["label"]


def _notes(
    table: pd.DataFrame,
    train: pd.DataFrame,
    test: pd.DataFrame,
    independence: Collection[str],
    corpus_labels: Collection[str],
) -> list[str]:
    notes = []
    sentences = set(test["text"]) - {""}
    shared = shared_values(train["text"], test["text"])
    if shared and "text" not in independence:
        notes.append(f"{len(shared)} of {len(sentences)} test sentences are also in training")
    unheard = sorted(set(test["label"]) - set(train["label"]))
    if unheard:
        notes.append(f"classes tested without training utterances: {', '.join(unheard)}")
    untested = sorted(set(table["label"]) - set(test["label"]))
    if untested:
        notes.append(f"classes without test utterances: {', '.join(untested)}")
    classes = table["label"].nunique()
    if classes < len(corpus_labels):
        notes.append(f"{classes} classes of the corpus' {len(corpus_labels)}")
    conflicting = [group for group in equal_audio(table) if table["label"].iloc[group].nunique() > 1]
    if conflicting:
        examples = enumerate_some(" = ".join(table["id"].iloc[group]) for group in conflicting)
        notes.append(f"labels conflict on {len(conflicting)} recordings of equal audio: {examples}")
    return notes
