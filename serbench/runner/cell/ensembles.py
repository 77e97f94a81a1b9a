"""Ensembles: a cell that averages the calibrated probabilities of other cells of the same fold and seed."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from serbench.errors import ModelError, ResultsError
from serbench.records import (
    PROBABILITY,
    Cell,
    Record,
    cell_path,
    make_predictions,
    member_cells,
    member_title,
    read_cell,
    read_record,
)
from serbench.scoring import at_temperature, fit_temperature, label_codes

WEIGHTS, EQUAL = "weights", "equal"
VALIDATION = "validation"
ROUNDS = 30
SMALLEST = 1e-12


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
    started = time.perf_counter()
    members = [_read_member(member, folder) for member in member_cells(cell)]
    labels = list(cell.labels["labels"])
    temperatures = [_temperature(record.cell, frame, labels) for record, frame in members]
    roles = [role for role in dict.fromkeys(members[0][1]["role"]) if all(role in set(f["role"]) for _, f in members)]
    if "test" not in roles:
        raise ModelError("a member answered no test part", where=f"{cell.model_name}, fold {cell.fold}")
    predicted = {role: _member_probabilities(members, role, labels, temperatures) for role in roles}
    weights = np.full(len(members), 1 / len(members))
    if cell.model["params"].get(WEIGHTS, EQUAL) != EQUAL:
        rows, probabilities = predicted[VALIDATION]
        weights = chosen_weights(label_codes(rows["label"].tolist(), labels), probabilities)
    parts = [
        make_predictions(rows, labels, np.tensordot(weights, probabilities, axes=1), role)
        for role, (rows, probabilities) in predicted.items()
    ]
    records = [record for record, _ in members]
    names = [member_title(record.cell) for record in records]
    record = Record(
        cell,
        "ok",
        params={
            "members": {record.cell.id: record.created for record in records},
            "weights": {name: round(w, 4) for name, w in zip(names, weights.tolist(), strict=True)},
            "temperatures": {name: round(t, 4) for name, t in zip(names, temperatures, strict=True)},
        },
        seconds={"predict": round(time.perf_counter() - started, 4)},
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


def _member_probabilities(
    members: Sequence[tuple[Record, pd.DataFrame]], role: str, labels: Sequence[str], temperatures: Sequence[float]
) -> tuple[pd.DataFrame, np.ndarray]:
    """Utterances of a role, and what each member answers to them, scaled: (members, n, K)."""
    frames = [frame[frame["role"] == role].set_index(["corpus", "utterance"]) for _, frame in members]
    if any(set(frame.index) != set(frames[0].index) for frame in frames):
        names = ", ".join(member_title(record.cell) for record, _ in members)
        raise ModelError(f"the members answered different utterances ({role})", where=names)
    scaled = [
        at_temperature(_probabilities(frame.loc[frames[0].index], labels), temperature)
        for frame, temperature in zip(frames, temperatures, strict=True)
    ]
    return frames[0].reset_index().rename(columns={"truth": "label"}), np.stack(scaled)


def _read_member(cell: Cell, folder: Path) -> tuple[Record, pd.DataFrame]:
    try:
        record, frame = read_cell(cell_path(folder, cell.id))
    except FileNotFoundError as error:
        raise ModelError(f"member {member_title(cell)} was not run", where=f"fold {cell.fold}") from error
    if record.status != "ok":
        raise ModelError(f"member {member_title(cell)}: {record.reason}", where=f"fold {cell.fold}")
    return record, frame


def _temperature(cell: Cell, frame: pd.DataFrame, labels: Sequence[str]) -> float:
    validation = frame[frame["role"] == VALIDATION]
    if validation.empty:
        raise ModelError(
            f"member {member_title(cell)} has no validation part to be calibrated on", where=f"fold {cell.fold}",
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
