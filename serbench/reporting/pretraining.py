"""What a row owes to pre-trained weights: whether it has some, and whether these have heard the corpus before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from serbench.features.encoders.cards import find_card
from serbench.features.precomputed import FILE_VERSION
from serbench.records import Cell, feature_sets, member_cells

NO, SPEECH, EMOTION, UNKNOWN, YES = "no", "speech", "emotion", "unknown", "yes"
# What `--pretrained` keeps.
KINDS = (NO, SPEECH, EMOTION, UNKNOWN)


def pretraining(cell: Cell) -> dict[str, str]:
    """The columns `pretrained` and `pretraining_overlap` of a row.

    Returns
    -------
    dict
        `pretrained`: no, speech, emotion (its training saw such labels), or unknown, as of a features file.
        `pretraining_overlap`: whether the weights were trained on audio of the corpus: yes, no, unknown; "no" without
        weights. Of several sets, or members of an ensemble, or features to choose from, the worst.
    """
    parts = (cell, *member_cells(cell))
    found = [_of_set(entry, cell) for part in parts for entry in (part.model, *feature_sets(part)) if entry]
    kinds, overlaps = ({each[place] for each in found} for place in (0, 1))
    return {
        "pretrained": next((kind for kind in (EMOTION, UNKNOWN, SPEECH) if kind in kinds), NO),
        "pretraining_overlap": next((each for each in (YES, UNKNOWN) if each in overlaps), NO),
    }


def pretraining_text(entry: Mapping[str, Any]) -> str:
    """The same of a leaderboard entry in a few words; empty without pre-trained weights."""
    if entry["pretrained"] == NO:
        return ""
    return f"{entry['pretrained']}, overlap {entry['pretraining_overlap']}"


def with_pretraining(entry: Mapping[str, Any]) -> str:
    """The features of a leaderboard entry, with what their weights were trained on."""
    text = pretraining_text(entry)
    return f"{entry['features']} [pre-trained: {text}]" if text else entry["features"]


def _of_set(entry: Mapping[str, Any], cell: Cell) -> tuple[str, str]:
    if str(entry["version"]).startswith(FILE_VERSION):
        return UNKNOWN, UNKNOWN
    if entry["name"] not in ("ssl", "fine_tuned"):
        return NO, NO
    card = find_card(entry["params"]["model"])
    if card is None:
        return SPEECH, UNKNOWN
    return card.pretrained, card.overlap(cell.corpus.split("+"))
