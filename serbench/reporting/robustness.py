"""How trained models stand degraded audio: UAR against the degradation of the test part."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from serbench.errors import ResultsError
from serbench.records import DEGRADED
from serbench.reporting.loading import load_predictions
from serbench.reporting.rows import identity_columns
from serbench.scoring import CodedPredictions, label_codes
from serbench.scoring.intervals import intervals, margins_by_unit
from serbench.scoring.margins import margin_uar

if TYPE_CHECKING:
    import pandas as pd

CLEAN = "clean"
COLUMNS = ("suite", "row", "corpus", "options", "protocol", "features", "model", "trials", "augment")


def robustness_table(results: Path | str, records: pd.DataFrame) -> list[dict[str, Any]]:
    """UAR of each row on the clean test part and on each degraded version of it.

    Parameters
    ----------
    results : path
        Folder that holds one folder per suite.
    records : DataFrame
        From `load_records` or `load_suites`.

    Returns
    -------
    list of dict
        `suite`, `row`, `corpus`, `options`, `protocol`, `features`, `model`, `trials`, `augment` (as in the
        leaderboard), `condition` (clean, noise 10 dB, …), `uar` with `uar_low` and `uar_high` over speakers, and
        `change`, the UAR less that on clean audio. Only rows of which every finished cell answered a degraded version.

    Raises
    ------
    ResultsError
        If there is no such row.
    """
    table: list[dict[str, Any]] = []
    done = records[records["status"] == "ok"]
    for _, cells in done.groupby(["suite", "row"], sort=False):
        degraded = [list(record.degradations) for record in cells["record"]]
        common = [name for name in degraded[0] if all(name in names for names in degraded)]
        if common:
            table += _row(results, cells, common)
    if not table:
        hint = "give a suite `robustness: {noise_snr_db: [20, 10, 0]}` and run it"
        raise ResultsError("no row was tested on degraded audio", where=str(results), hint=hint)
    return table


def _row(results: Path | str, cells: pd.DataFrame, names: Sequence[str]) -> list[dict[str, Any]]:
    cell = cells["cell"].iloc[0]
    frames, seeds = load_predictions(results, cells), [int(seed) for seed in cells["seed"]]
    labels = cell.labels["labels"]
    known = {"suite": cells["suite"].iloc[0], "row": cells["row"].iloc[0], **identity_columns(cell)}
    shown, clean = [], None
    for condition in (CLEAN, *names):
        role = "test" if condition == CLEAN else DEGRADED + condition
        tested = [_coded(frames[name], role, labels) for name in cells["id"]]
        statistics, unit = margins_by_unit(tested, seeds, len(labels))
        bounds = intervals(statistics, {"uar": margin_uar}, unit)["uar"]
        uar = float(margin_uar(statistics.sum(axis=1)).mean())
        clean = uar if clean is None else clean
        scores = {"condition": condition, "uar": uar, "uar_low": bounds.low, "uar_high": bounds.high}
        shown.append({**{name: known[name] for name in COLUMNS}, **scores, "change": uar - clean})
    return shown


def _coded(frame: pd.DataFrame, role: str, labels: Sequence[str]) -> CodedPredictions:
    rows = frame[frame["role"] == role]
    return CodedPredictions(
        truth=label_codes(rows["truth"].tolist(), labels),
        predicted=label_codes(rows["predicted"].tolist(), labels),
        speakers=rows["speaker"].to_numpy(dtype=object),
        utterances=(rows["corpus"] + "/" + rows["utterance"]).to_numpy(dtype=object),
    )
