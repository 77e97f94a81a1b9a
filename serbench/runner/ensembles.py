"""Ensembles: rows whose cells average the calibrated probabilities of other cells of the same fold and seed."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from serbench.errors import ModelError, ResultsError, SuiteError
from serbench.identity import canonical_json
from serbench.records import PROBABILITY, Cell, Record, cell_path, make_predictions, read_cell, read_record
from serbench.reporting.calibration import at_temperature, fit_temperature
from serbench.reporting.scores import label_codes

if TYPE_CHECKING:
    from serbench.runner.suite import Ensemble

MEMBER_FIELDS = ("features", "normalise", "model", "tuning", "augment")
VERSION = "1"
WEIGHTS, EQUAL = "weights", "equal"
VALIDATION = "validation"
ROUNDS = 30
SMALLEST = 1e-12


def ensemble_rows(ensembles: Mapping[str, Ensemble], rows: Sequence[Cell]) -> list[Cell]:
    """Rows of the ensembles whose members are all among `rows`, which share corpus, protocol and seed.

    Where members have tuned or augmented rows, there is an ensemble of these too; a member without one takes part as
    it is.

    Parameters
    ----------
    ensembles : mapping
        By name, as in a suite.
    """
    found: dict[str, Cell] = {}
    for name, ensemble in ensembles.items():
        candidates = [[row for row in rows if _title(row) == member] for member in ensemble.members]
        if not all(candidates):
            continue
        variants = {canonical_json([bool(row.tuning), row.augment]): row for same in candidates for row in same}
        for variant in variants.values():
            chosen = [_nearest(same, variant) for same in candidates]
            row = _combined(name, ensemble, chosen)
            found.setdefault(row.id, row)
    return list(found.values())


def member_cells(cell: Cell) -> list[Cell]:
    """The cells that an ensemble's cell averages."""
    plain = replace(cell, members=(), tuning={}, augment={}, normalise="none")
    return [
        replace(plain, **{name: tuple(value) if name == "features" else value for name, value in member.items()})
        for member in cell.members
    ]


def refuse_lonely(ensembles: Mapping[str, Ensemble], rows: Iterable[Cell], *, where: str) -> None:
    """Raise for an ensemble with a member that is no row of the suite.

    Raises
    ------
    SuiteError
    """
    titles = {_title(row) for row in rows if not row.members}
    for name, ensemble in ensembles.items():
        for member in ensemble.members:
            if member not in titles:
                raise SuiteError(
                    f"ensemble '{name}': no row {member}",
                    where=where,
                    hint=f"members are among: {', '.join(sorted(titles))}",
                )


def members_created(cell: Cell, folder: Path) -> dict[str, str] | None:
    """When each member's cell was made, by its id; None unless all are done."""
    created = {}
    for member in member_cells(cell):
        try:
            record = read_record(cell_path(folder, member.id))
        except (FileNotFoundError, ResultsError):
            return None
        if record.status != "ok":
            return None
        created[member.id] = record.created
    return created


def average_members(cell: Cell, folder: Path, common: Mapping[str, Any]) -> tuple[Record, pd.DataFrame]:
    """Answer for an ensemble's cell from the stored answers of its members.

    The probabilities of each member are scaled by a temperature fitted on its own validation part, then averaged, with
    equal weights or those of `chosen_weights` on that part. Test labels are only copied.

    Parameters
    ----------
    common : mapping
        Fields of the record that the fold gives: audit, corpus, environment, …

    Raises
    ------
    ModelError
        If a member has no answers, or answered other utterances.
    """
    begun = time.perf_counter()
    members = [_read_member(member, folder) for member in member_cells(cell)]
    labels = list(cell.labels["labels"])
    temperatures = [_temperature(record.cell, frame, labels) for record, frame in members]
    roles = [role for role in dict.fromkeys(members[0][1]["role"]) if all(role in set(f["role"]) for _, f in members)]
    if "test" not in roles:
        raise ModelError("a member answered no test part", where=f"{cell.model_name}, fold {cell.fold}")
    asked = {role: _asked(members, role, labels, temperatures) for role in roles}
    weights = np.full(len(members), 1 / len(members))
    if cell.model["params"].get(WEIGHTS, EQUAL) != EQUAL:
        rows, probabilities = asked[VALIDATION]
        weights = chosen_weights(label_codes(rows["label"].tolist(), labels), probabilities)
    parts = [
        make_predictions(rows, labels, np.tensordot(weights, probabilities, axes=1), role)
        for role, (rows, probabilities) in asked.items()
    ]
    records = [record for record, _ in members]
    record = Record(
        cell,
        "ok",
        params={
            "members": {record.cell.id: record.created for record in records},
            "weights": {_title(record.cell): round(w, 4) for record, w in zip(records, weights.tolist(), strict=True)},
            "temperatures": {_title(record.cell): round(t, 4) for record, t in zip(records, temperatures, strict=True)},
        },
        seconds={"predict": round(time.perf_counter() - begun, 4)},
        sizes=_sizes(records),
        validation=records[0].validation,
        degradations=[name for name in records[0].degradations if all(name in other.degradations for other in records)],
        **common,
    )
    return record, pd.concat(parts, ignore_index=True)


def chosen_weights(truth: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Weights of members by greedy selection with replacement on log-loss.

    R. Caruana et al., Ensemble selection from libraries of models, ICML 2004: the member that lowers the loss of the
    average most is added, again and again; a member's weight is the share of its rounds.

    Parameters
    ----------
    truth : ndarray of int, shape (n,)
    probabilities : ndarray of shape (members, n, K)

    Returns
    -------
    ndarray of shape (members,)
        Summing to one.
    """
    right = probabilities[:, np.arange(len(truth)), truth]
    total, rounds = np.zeros(len(truth)), np.zeros(len(probabilities))
    for done in range(ROUNDS):
        averages = np.maximum((total + right) / (done + 1), SMALLEST)
        best = int((-np.log(averages)).mean(axis=1).argmin())
        total, rounds[best] = total + right[best], rounds[best] + 1
    return rounds / ROUNDS


def _asked(
    members: Sequence[tuple[Record, pd.DataFrame]], role: str, labels: Sequence[str], temperatures: Sequence[float]
) -> tuple[pd.DataFrame, np.ndarray]:
    """Utterances of a role, and what each member answers to them, scaled: (members, n, K)."""
    frames = [frame[frame["role"] == role].set_index(["corpus", "utterance"]) for _, frame in members]
    if any(set(frame.index) != set(frames[0].index) for frame in frames):
        names = ", ".join(_title(record.cell) for record, _ in members)
        raise ModelError(f"the members answered different utterances ({role})", where=names)
    scaled = [
        at_temperature(_probabilities(frame.loc[frames[0].index], labels), temperature)
        for frame, temperature in zip(frames, temperatures, strict=True)
    ]
    return frames[0].reset_index().rename(columns={"truth": "label"}), np.stack(scaled)


def _title(cell: Cell) -> str:
    return f"{cell.model_name}@{cell.feature_name}"


def _nearest(rows: Sequence[Cell], variant: Cell) -> Cell:
    # The row tuned and augmented like the others, else one that shares as much of it as there is.
    def distance(row: Cell) -> tuple[bool, bool]:
        return (
            canonical_json(row.augment) != canonical_json(variant.augment),
            bool(row.tuning) != bool(variant.tuning),
        )

    return min(rows, key=distance)


def _combined(name: str, ensemble: Ensemble, chosen: Sequence[Cell]) -> Cell:
    first, plain = chosen[0], {"normalise": "none", "tuning": {}, "augment": {}}
    sets = {canonical_json(entry): entry for row in chosen for entry in row.features}
    params = {} if ensemble.weights == EQUAL else {WEIGHTS: ensemble.weights}
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


def _read_member(cell: Cell, folder: Path) -> tuple[Record, pd.DataFrame]:
    try:
        record, frame = read_cell(cell_path(folder, cell.id))
    except FileNotFoundError as error:
        raise ModelError(f"member {_title(cell)} was not run", where=f"fold {cell.fold}") from error
    if record.status != "ok":
        raise ModelError(f"member {_title(cell)}: {record.reason}", where=f"fold {cell.fold}")
    return record, frame


def _temperature(cell: Cell, frame: pd.DataFrame, labels: Sequence[str]) -> float:
    validation = frame[frame["role"] == VALIDATION]
    if validation.empty:
        raise ModelError(
            f"member {_title(cell)} has no validation part to be calibrated on", where=f"fold {cell.fold}",
            hint="run the suite again: the member is then run with one",
        )  # fmt: skip
    return fit_temperature(label_codes(validation["truth"].tolist(), labels), _probabilities(validation, labels))


def _probabilities(frame: pd.DataFrame, labels: Sequence[str]) -> np.ndarray:
    return frame[[PROBABILITY + label for label in labels]].to_numpy(dtype=np.float64)


def _sizes(records: Sequence[Record]) -> dict[str, int]:
    first = records[0].sizes
    sizes = {name: first[name] for name in ("train", "validation", "test") if name in first}
    sizes["dimensions"] = sum(record.sizes.get("dimensions", 0) for record in records)
    weights = sum(record.sizes.get("weights", 0) for record in records)
    return {**sizes, **({"weights": weights} if weights else {})}
