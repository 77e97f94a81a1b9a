"""How many utterances of a new speaker are heard unlabelled: the setting of a cell, and its words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

ALL = "all"
# In place of a label: utterances of any.
ANY = "*"


def enrol_settings(listed: Sequence[int | str | Mapping[str, int]]) -> list[dict[str, Any]]:
    """What a suite's list of an `enrol` means for each of its rows, as in `Cell.enrol`.

    Examples
    --------
    >>> enrol_settings([0, 5, {"neutral": 2}])[1]
    {'utterances': 5, 'apart': {'*': 5, 'neutral': 2}}
    >>> enrol_settings([5, "all"])[1]
    {'utterances': 'all', 'apart': {'*': 5}}
    """
    pairs = [next(iter(item.items())) if isinstance(item, Mapping) else (ANY, item) for item in listed]
    apart: dict[str, int] = {}
    for label, number in pairs:
        if number != ALL:
            apart[label] = max(apart.get(label, 0), int(number))
    return [
        {"utterances": number, "apart": apart} | ({} if label == ANY else {"label": label}) for label, number in pairs
    ]


def enrolled_short(setting: Mapping[str, Any]) -> Any:
    """The item of a suite's list that a setting comes from: 5, "all" or {"neutral": 5}; None for no enrolment."""
    if not setting:
        return None
    return {setting["label"]: setting["utterances"]} if "label" in setting else setting["utterances"]


def enrolled_name(setting: Mapping[str, Any]) -> str:
    """What stands behind the features of a row, e.g. ``enrolled 5`` or ``enrolled 5 neutral``."""
    return " ".join(["enrolled", str(setting["utterances"]), *filter(None, [setting.get("label")])])


def enrolled_words(setting: Mapping[str, Any]) -> str:
    """What the verdict says was heard, e.g. ``5 unlabelled utterances``; one label is knowledge, and is named."""
    return f"{setting['utterances']} {setting.get('label', 'unlabelled')} utterances" if setting else ""
