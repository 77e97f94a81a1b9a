"""The audit of each planned cell's fold, and the demand that it, or the whole row, come out clean."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from serbench.corpora.duplicates import with_recordings
from serbench.errors import ProtocolError, UnknownName
from serbench.identity import canonical_json
from serbench.protocols.audit import audit_split
from serbench.protocols.sharing import SharingTable
from serbench.protocols.verdict import AUDITED, INDEPENDENT, Verdict
from serbench.records import Cell
from serbench.records.canary_file import canary_made_of, read_canaries
from serbench.records.enrolling import enrolled_words
from serbench.reporting.layers import layers_of
from serbench.runner.planning.cells import PlannedCell
from serbench.runner.planning.copies import with_copy_ids
from serbench.specs import Split

VERDICTS = (INDEPENDENT, AUDITED)


class Audits:
    """Audits folds, each once however many rows meet it; which utterances sound alike is kept in the cache."""

    def __init__(self, cache: Path):
        self._cache = cache
        self._sharing: dict[str, SharingTable] = {}
        self._found: dict[tuple, dict[str, Any]] = {}

    def of(self, item: PlannedCell) -> dict[str, Any]:
        """The audit of a cell, as in its record."""
        cell, task = item.cell, item.task
        enrol = canonical_json(cell.enrol)
        key = (task.key, cell.protocol_name, cell.seed, item.split.fold, cell.normalise, enrol, item.mistake)
        if key not in self._found:
            if task.key not in self._sharing:
                self._sharing[task.key] = SharingTable(with_recordings(task.table, self._cache))
            self._found[key] = audit_split(
                self._sharing[task.key],
                _as_trained(item),
                independence=item.independence,
                normalise=cell.normalise,
                corpus_labels=task.own_labels,
                mistake=item.mistake,
                enrolment=item.enrolment,
                heard=enrolled_words(cell.enrol),
            )
        return self._found[key]


def require_verdict(items: Iterable[PlannedCell], required: str, folder: Path, cache: Path) -> None:
    """Raise unless every row gives the required verdict in every fold.

    ``speaker-independent`` looks at the split alone; ``audited`` at features, model and selection too.

    Parameters
    ----------
    folder : Path
        Of the suite's results: the canary's findings are there.
    cache : Path

    Raises
    ------
    UnknownName
        For a verdict that cannot be required.
    ProtocolError
        Naming the protocols, or the rows, that give another one.
    """
    if required not in VERDICTS:
        raise UnknownName.among("verdict to require", required, VERDICTS, where="--require")
    audits, items = Audits(cache), list(items)
    # A fold or a row that passes says nothing about the others under the same protocol.
    found = {(_title(item.cell), audits.of(item)["verdict"]): None for item in items}
    others = [f"{title} is {verdict}" for title, verdict in found if verdict != INDEPENDENT]
    hint = "keep other protocols with --protocol, other features with --features"
    if required == AUDITED and not others:
        others = _unaudited(items, audits, folder)
        hint = "`serbench audit ROW --canary` looks into files and plug-ins; what was chosen by hand stays declared"
    if others:
        raise ProtocolError(f"not {required}: {'; '.join(others)}", where="--require", hint=hint)


def _unaudited(items: Iterable[PlannedCell], audits: Audits, folder: Path) -> list[str]:
    """The rows of which a layer is less than audited, with these layers."""
    canaries = read_canaries(folder)
    found: dict[str, str] = {}
    for item in items:
        if (row := item.cell.row) in found:
            continue
        canary = canaries.get(row, {})
        made_of = (item.task.fingerprint, item.plugin_hash)
        split = Verdict.over([audits.of(item)])
        layers = layers_of(item.cell, item.plugin_hash, split, canary if canary_made_of(canary) == made_of else None)
        weak = [f"{name} {layer}" for name, layer in layers.items() if layer.state != AUDITED]
        found[row] = f"{item.cell.model_name} on {item.cell.feature_name}: {', '.join(weak)}" if weak else ""
    return list(dict.fromkeys(filter(None, found.values())))


def _title(cell: Cell) -> str:
    # Features matter to the verdict where they are normalised, or speakers enrolled.
    features = f" with {cell.feature_name}" if cell.normalise != "none" or cell.enrol else ""
    return f"{cell.corpus} under {cell.protocol_name}{features}"


def _as_trained(item: PlannedCell) -> Split:
    """The fold with the copies that train too."""
    if not item.cell.augment or item.cell.members or item.mistake.splits_copies:
        return item.split
    return replace(item.split, train=with_copy_ids(item.split.train, item.cell.augment))
