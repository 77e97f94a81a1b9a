"""The audit of each planned cell's fold, and the demand that it come out speaker-independent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from serbench.errors import ProtocolError, UnknownName
from serbench.protocols.audit import audit_split
from serbench.protocols.sharing import SharingTable
from serbench.protocols.verdict import INDEPENDENT
from serbench.records import Cell
from serbench.runner.planning.cells import PlannedCell
from serbench.runner.planning.copies import with_copy_ids
from serbench.specs import Split

VERDICTS = (INDEPENDENT,)


class Audits:
    """Audits folds, each once however many rows meet it."""

    def __init__(self):
        self._sharing: dict[str, SharingTable] = {}
        self._found: dict[tuple, dict[str, Any]] = {}

    def of(self, item: PlannedCell) -> dict[str, Any]:
        """The audit of a cell, as in its record."""
        cell, task = item.cell, item.task
        key = (task.key, cell.protocol_name, cell.seed, item.split.fold, cell.normalise, item.mistake)
        if key not in self._found:
            if task.key not in self._sharing:
                self._sharing[task.key] = SharingTable(task.table)
            self._found[key] = audit_split(
                self._sharing[task.key],
                _as_trained(item),
                independence=item.independence,
                normalise=cell.normalise,
                corpus_labels=task.own_labels,
                mistake=item.mistake,
            )
        return self._found[key]


def require_verdict(items: Iterable[PlannedCell], required: str) -> None:
    """Raise unless every cell's audit gives the required verdict.

    Raises
    ------
    UnknownName
        For a verdict that cannot be required.
    ProtocolError
        Naming the protocols that give another one, in any fold.
    """
    if required not in VERDICTS:
        raise UnknownName.among("verdict to require", required, VERDICTS, where="--require")
    audits = Audits()
    # A fold or a row that passes says nothing about the others under the same protocol.
    found = {(_title(item.cell), audits.of(item)["verdict"]): None for item in items}
    if others := [f"{title} is {verdict}" for title, verdict in found if verdict != required]:
        raise ProtocolError(
            f"not {required}: {'; '.join(others)}",
            where="--require",
            hint="keep other protocols with --protocol, other features with --features",
        )


def _title(cell: Cell) -> str:
    # Features matter to the verdict where they are normalised.
    features = f" with {cell.feature_name}" if cell.normalise != "none" else ""
    return f"{cell.corpus} under {cell.protocol_name}{features}"


def _as_trained(item: PlannedCell) -> Split:
    """The fold with the copies that train too."""
    if not item.cell.augment or item.cell.members or item.mistake.splits_copies:
        return item.split
    return replace(item.split, train=with_copy_ids(item.split.train, item.cell.augment))
