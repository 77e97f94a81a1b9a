"""Ensembles as rows of a suite: which there are, and of which members."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from serbench.errors import SuiteError
from serbench.identity import canonical_json
from serbench.records import Cell, member_title
from serbench.records.cell import recorded_title
from serbench.runner.cell.ensembles import EQUAL, WEIGHTS
from serbench.runner.suite.schema import Ensemble

MEMBER_FIELDS = ("features", "normalise", "model", "tuning", "augment")
VERSION = "1"
WITHOUT, AVAILABLE = "without", "available"


def ensemble_rows(ensembles: Mapping[str, Ensemble], rows: Sequence[Cell], absent: Collection[str] = ()) -> list[Cell]:
    """Rows of the ensembles whose members are all among `rows`, which share corpus, protocol and seed.

    Where members have tuned or augmented rows, there is an ensemble of these too; a member without one takes part as
    it is.

    Parameters
    ----------
    ensembles : mapping
        By name, as in a suite.
    absent : collection of str
        Ids of those rows that cannot be run here. An ensemble that goes on without them does so with the others, two at
        least, as a row of its own, which names those it is without; any other keeps them.
    """
    found: dict[str, Cell] = {}
    by_enrol = {canonical_json(row.enrol): row.enrol for row in rows}
    for (name, ensemble), enrol in itertools.product(ensembles.items(), by_enrol.values()):
        # Members have all heard as much of a new speaker.
        alike = [row for row in rows if row.enrol == enrol]
        candidates = [[row for row in alike if _unenrolled_title(row) == member] for member in ensemble.members]
        if not all(candidates):
            continue
        variants = {canonical_json([bool(row.tuning), row.augment]): row for same in candidates for row in same}
        for variant in variants.values():
            chosen = [_nearest(same, variant) for same in candidates]
            there = [row for row in chosen if row.id not in absent]
            left_out: list[Cell] = []
            if ensemble.missing == AVAILABLE and len(there) >= 2:
                chosen, left_out = there, [row for row in chosen if row.id in absent]
            row = _combined(name, ensemble, chosen, left_out)
            found.setdefault(row.id, row)
    return list(found.values())


def refuse_missing_members(ensembles: Mapping[str, Ensemble], rows: Iterable[Cell], *, where: str) -> None:
    """Raise for an ensemble with a member that is no row of the suite.

    Raises
    ------
    SuiteError
    """
    titles = {_unenrolled_title(row) for row in rows if not row.members}
    for name, ensemble in ensembles.items():
        for member in ensemble.members:
            if member not in titles:
                raise SuiteError(
                    f"ensemble '{name}': no row {member}",
                    where=where,
                    hint=f"members are among: {', '.join(sorted(titles))}",
                )


def _unenrolled_title(row: Cell) -> str:
    return member_title(replace(row, enrol={}))


def _nearest(rows: Sequence[Cell], variant: Cell) -> Cell:
    # The row tuned and augmented like the others, else one that shares as much of it as there is.
    def distance(row: Cell) -> tuple[bool, bool]:
        return (
            canonical_json(row.augment) != canonical_json(variant.augment),
            bool(row.tuning) != bool(variant.tuning),
        )

    return min(rows, key=distance)


def _combined(name: str, ensemble: Ensemble, chosen: Sequence[Cell], left_out: Sequence[Cell]) -> Cell:
    first, plain = chosen[0], {"normalise": "none", "tuning": {}, "augment": {}}
    sets = {canonical_json(entry): entry for row in chosen for entry in row.features}
    params = {} if ensemble.weights == EQUAL else {WEIGHTS: ensemble.weights}
    params |= {WITHOUT: ", ".join(recorded_title(row) for row in left_out)} if left_out else {}
    tuned = " (tuned)" if any(row.tuning for row in chosen) else ""
    members = [{field: row.to_json().get(field, plain.get(field)) for field in MEMBER_FIELDS} for row in chosen]
    return replace(
        first,
        features=tuple(sets.values()),
        normalise=next((row.normalise for row in chosen if row.normalise != "none"), "none"),
        model={"name": f"{name}{tuned}", "version": VERSION, "params": params},
        tuning={},
        augment=next((row.augment for row in chosen if row.augment), {}),
        members=tuple({key: value for key, value in member.items() if value != plain.get(key)} for member in members),
    )
