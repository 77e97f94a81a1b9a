"""The layers of a row's verdict (split, features, model, selection), derived from its records when they are read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from serbench.features.precomputed import FILE_VERSION
from serbench.protocols.verdict import AUDITED, DECLARED, LEAKY, UNKNOWN, Layer, Verdict, weakest
from serbench.records import Cell, Record, member_cells
from serbench.records.canary_file import canary_made_of
from serbench.records.enrolling import enrolled_words
from serbench.registry import build_registry

# Defaults were chosen while rows on these corpora were looked at: no test fold there is unseen by whoever chose them.
DEVELOPMENT = ("ravdess_speech", "emodb")
# Kinds of leaks that are no matter of who is on which side.
SELECTION_LEAKS = ("epoch chosen on test",)


def merged_verdict(records: Iterable[Record], canary: Mapping[str, Any] | None = None) -> Verdict | None:
    """The verdict over the folds of a row; None where none was audited.

    Parameters
    ----------
    canary : mapping, optional
        What `serbench audit --canary` has found of the row; it counts for records of the same audio and plug-in files.
    """
    audited = [record for record in records if record.audit]
    if not audited:
        return None
    transductive = any(record.cell.normalise == "speaker" for record in audited)
    enrolled = enrolled_words(audited[0].cell.enrol)
    split = Verdict.over((record.audit for record in audited), transductive=transductive, enrolled=enrolled)
    made_of = {(record.corpus.get("fingerprint"), record.plugin_hash) for record in audited}
    spoken = canary if canary and made_of == {canary_made_of(canary)} else None
    first = audited[0]
    layers = layers_of(first.cell, first.plugin_hash, split, spoken)
    told = transductive or bool(spoken and spoken.get("transductive"))
    return Verdict(split.leaks, split.speakers_known, told, layers, enrolled)


def layers_of(
    cell: Cell, plugin_hash: str, split: Verdict, canary: Mapping[str, Any] | None = None
) -> dict[str, Layer]:
    """What each layer of a row is worth.

    Parameters
    ----------
    plugin_hash : str
        As in the record; "" where everything is built in.
    split : Verdict
        That over its folds.
    canary : mapping, optional
        What the canary has found of this row.
    """
    parts = member_cells(cell) if cell.members else [cell]
    names = [entry for part in parts for entry in part.features]
    found = {
        "split": _split(split),
        "features": weakest([_normalised(cell), *(_features(entry, plugin_hash) for entry in names)]),
        "model": weakest(_built_in("model", part.model["name"], plugin_hash) for part in parts),
        "selection": _selection(cell, parts, split, plugin_hash, canary),
    }
    for name, text in (canary or {}).get("layers", {}).items():
        seen = Layer.parse(text)
        if seen.state == LEAKY or (name in ("features", "model") and found[name].state == DECLARED):
            found[name] = seen
    return found


def _split(split: Verdict) -> Layer:
    leaks = [kind for kind in split.leaks if kind not in SELECTION_LEAKS]
    if leaks:
        return Layer(LEAKY, ", ".join(leaks))
    return Layer() if split.speakers_known else Layer(DECLARED, UNKNOWN)


def _normalised(cell: Cell) -> Layer:
    return Layer(AUDITED, "transductive, normalised by speaker" if cell.normalise == "speaker" else "")


def _features(entry: Mapping[str, Any], plugin_hash: str) -> Layer:
    if str(entry["version"]).startswith(FILE_VERSION):
        return Layer(DECLARED, f"features file {entry['name']}")
    return _built_in("features", entry["name"], plugin_hash)


def _built_in(kind: str, name: str, plugin_hash: str) -> Layer:
    # Only rows with a plug-in anywhere can have one here: the others need not look.
    return Layer(DECLARED, f"plug-in {name}") if plugin_hash and name not in _package_names(kind) else Layer()


@lru_cache(maxsize=2)
def _package_names(kind: str) -> frozenset[str]:
    registry = build_registry()
    return frozenset(name for name in registry.names(kind) if not registry.source_hash(kind, name))


def _selection(
    cell: Cell, parts: Sequence[Cell], split: Verdict, plugin_hash: str, canary: Mapping[str, Any] | None
) -> Layer:
    leaks = [kind for kind in split.leaks if kind in SELECTION_LEAKS]
    if leaks:
        return Layer(LEAKY, ", ".join(leaks))
    reasons = [f"development corpus {name}" for name in cell.corpus.split("+") if name in DEVELOPMENT]
    given = dict.fromkeys(name for part in parts for name in part.model["params"])
    # Whoever writes parameters down may have seen what they score: nothing here can tell.
    reasons += [f"parameters given by the suite ({', '.join(given)})"] if given else []
    if canary is None and any(_built_in("model", part.model["name"], plugin_hash).state == DECLARED for part in parts):
        reasons.append("defaults of a plug-in")
    return Layer(DECLARED, ", ".join(reasons)) if reasons else Layer()
