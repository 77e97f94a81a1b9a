"""The noise-replacement probe: fit a fold again with noise for its test utterances; nothing that was fitted may move.

Whatever test utterances reach (a scaler over the whole table, normalisation that mixes both sides, a
model that looks beyond what it is handed) moves the answers of the fitted model on its own training utterances.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from serbench.circumstances import Circumstances
from serbench.errors import ResultsError
from serbench.features.matrix import FeatureMatrix
from serbench.features.normalise import normalise_by_speaker
from serbench.records import Cell, Record
from serbench.registry import Registry
from serbench.runner.cell.fitting import FittedModel, fit_model, training_parts
from serbench.runner.cell.inputs import read_matrix
from serbench.runner.cell.jobs import cell_seed
from serbench.runner.planning.cells import PlannedCell
from serbench.runner.planning.plan import make_plan
from serbench.runner.planning.plan_files import write_task_table
from serbench.runner.planning.selection import Filters
from serbench.runner.suite.file import load_suite

# Sums in another order differ in the last bits; this is far above them and far below anything that matters.
ORDER_TOLERANCE = 1e-4


def probe_cell(suite: str, record: Record, registry: Registry, circumstances: Circumstances) -> dict[str, Any]:
    """Probe a finished cell of a suite: it is fitted twice, with the parameters of its record.

    Returns
    -------
    dict
        As `probe_fit` gives it, with `fold` and `seed`.

    Raises
    ------
    ResultsError
        If the cell was tuned or augmented, or is no longer in the suite.
    """
    cell = record.cell
    special = {
        "an ensemble": cell.members,
        "tuned": cell.tuning,
        "augmented": cell.augment,
        "permuted": cell.permute_labels,
    }
    for kind, setting in special.items():
        if setting:
            raise ResultsError(f"a cell that is {kind} is not probed", where=cell.id, hint="probe the plain row")
    item, matrix = _inputs(suite, cell, registry, circumstances)
    spec = registry.get("model", cell.model["name"])
    table, labels = item.task.table, list(cell.labels["labels"])
    train, test = (np.flatnonzero(table["id"].isin(side)) for side in (item.split.train, item.split.test))
    independence = item.independence | ({"speaker"} if record.audit["speaker_independent"] else set())
    training = training_parts(
        table,
        train,
        test,
        independence,
        validate=spec.validation,
        mistake=item.mistake,
        seed=cell_seed(cell, item.task.nicknames, "validation"),
    )

    def prepare(raw: FeatureMatrix) -> FeatureMatrix:
        return normalise_by_speaker(raw, table["speaker"]) if cell.normalise == "speaker" else raw

    def fitted(prepared: FeatureMatrix) -> FittedModel:
        seed = cell_seed(cell, item.task.nicknames, spec.name)
        return fit_model(spec, record.params, prepared, table, labels, training, seed=seed)

    return {"fold": cell.fold, "seed": cell.seed, **probe_fit(fitted, prepare, matrix, train, test)}


def probe_fit(
    fit: Callable[[FeatureMatrix], Any],
    prepare: Callable[[FeatureMatrix], FeatureMatrix],
    matrix: FeatureMatrix,
    train: np.ndarray,
    test: np.ndarray,
) -> dict[str, Any]:
    """Fit on features as they are, and on features whose test rows are noise; compare.

    Parameters
    ----------
    fit : callable
        Fits a model on the training rows of a prepared matrix and returns it with `predict_proba`.
    prepare : callable
        What happens to the features of the whole table before (normalisation).
    train, test : ndarray of int
        Rows on each side.

    Returns
    -------
    dict
        ``{"moved", "fit_on_test", "order", "order_dependent"}``: the largest change of a probability on the training
        rows, whether there is any; the largest change on the test rows when these are answered in reverse
        order, and whether that is more than rounding.
    """
    plain = prepare(matrix)
    model, other = fit(plain), fit(prepare(_with_noise(matrix, test)))
    moved = np.abs(model.predict_proba(plain.take(train)) - other.predict_proba(plain.take(train))).max()
    forward, backward = model.predict_proba(plain.take(test)), model.predict_proba(plain.take(test[::-1]))
    order = np.abs(forward - backward[::-1]).max()
    return {
        "moved": float(moved),
        "fit_on_test": bool(moved > 0),
        "order": float(order),
        "order_dependent": bool(order > ORDER_TOLERANCE),
    }


def _with_noise(matrix: FeatureMatrix, rows: np.ndarray) -> FeatureMatrix:
    """The matrix with noise of each dimension's own mean and spread in place of `rows`."""
    values = np.array(matrix.values)
    mean, spread = values.mean(axis=0), values.std(axis=0) + 1e-6
    noise = np.random.default_rng(0)
    for row in rows:
        place = slice(row, row + 1) if matrix.offsets is None else slice(matrix.offsets[row], matrix.offsets[row + 1])
        # Far from the data in every dimension, so that even a robust statistic would move.
        values[place] = mean + 10 * spread * noise.normal(size=values[place].shape)
    return FeatureMatrix(matrix.ids, values.astype(np.float32), matrix.offsets)


def _inputs(
    suite: str, cell: Cell, registry: Registry, circumstances: Circumstances
) -> tuple[PlannedCell, FeatureMatrix]:
    names = {"model": (cell.model["name"],), "protocol": (cell.protocol["name"],)}
    filters = Filters(corpus=(cell.corpus,), seed=(cell.seed,), **names)
    plan = make_plan(load_suite(suite), registry, circumstances, filters)
    item = next((item for item in plan.cells if item.cell.id == cell.id), None)
    if item is None:
        raise ResultsError(
            "the cell is not in the suite as it is now", where=f"{suite} {cell.id}", hint="run the suite again"
        )
    unprepared = replace(cell, normalise="none")
    return item, read_matrix(write_task_table(plan, item.task), unprepared, circumstances)
