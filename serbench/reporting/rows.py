"""One leaderboard row from its cells: pooled scores with intervals, counts, costs and the verdict."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from serbench.identity import content_id
from serbench.protocols.verdict import LAYERS
from serbench.records import Cell, Record
from serbench.records.enrolling import enrolled_short
from serbench.reporting.layers import merged_verdict
from serbench.reporting.origin import row_source
from serbench.reporting.pretraining import pretraining
from serbench.scoring.intervals import intervals, margins_by_unit
from serbench.scoring.margins import CONFUSION_SCORES, classes_scored

if TYPE_CHECKING:
    import pandas as pd

FINGERPRINT_SHOWN = 8


# How a user's own files are read is for `show`, not for headings.
READING = frozenset({"speaker", "layout", "codes", "columns", "folder"})


def describe_row(cells: pd.DataFrame, *, siblings_folds: int = 0) -> dict[str, Any]:
    """Turn the cells of one row into its leaderboard entry.

    Parameters
    ----------
    cells : DataFrame
        Rows of `load_records` with the same `row`.
    siblings_folds : int
        Folds that other rows of the same corpus and protocol have, for a row without a plan.

    Returns
    -------
    dict
        See `serbench.reporting.leaderboard.leaderboard`.
    """
    done = cells[cells["status"] == "ok"]
    # A skipped record stands for all folds and is none of them.
    folds = cells[cells["status"] != "skipped"]
    cell: Cell = cells["cell"].iloc[0]
    seeds = sorted({int(seed) for seed in cells["seed"]})
    planned = max(len(folds), siblings_folds * len(seeds) if len(folds) else 0)
    records: list[Record] = list(done["record"])
    known = records or [record for record in cells["record"] if record is not None]
    reasons = list(dict.fromkeys(cells.loc[cells["status"].isin(["failed", "skipped", "damaged"]), "reason"]))
    verdict = merged_verdict(records, cells["canary"].iloc[0])
    entry = {
        "row": cells["row"].iloc[0],
        "suite": cells["suite"].iloc[0],
        **identity_columns(cell),
        "speaker_independent": _all_independent(records),
        "standing": verdict.standing if verdict else None,
        "verdict": str(verdict or ""),
        "headline": verdict.headline if verdict else "",
        **{f"{name}_layer": str(verdict.layers[name]) if verdict else "" for name in LAYERS},
        "seeds": seeds,
        **_scores(done),
        "folds_done": len(done),
        "folds_planned": planned,
        "failed": int((cells["status"] == "failed").sum()),
        "complete": bool(len(done) and len(done) == planned),
        "ever_scored": int(cells["ever_scored"].max()),
        "corpus_note": corpus_note(known),
        "fingerprint": fingerprints(known),
        "validation": "+".join(sorted({record.validation for record in records} - {""})),
        "fit_seconds": _mean(record.seconds.get("fit") for record in records),
        "weights": _largest(record.sizes.get("weights") for record in records),
        "bytes": _largest(_bytes(record) for record in records),
        "enrol": enrolled_short(cell.enrol),
        **pretraining(cell),
        "source": row_source(cells["source"]),
        "reason": "; ".join(filter(None, reasons)),
    }
    return entry


def identity_columns(cell: Cell) -> dict[str, Any]:
    """The columns that tell rows apart."""
    return {
        "corpus": cell.corpus,
        "labels": cell.labels["name"],
        "options": _options(cell),
        "protocol": cell.protocol_name,
        "features": cell.feature_name,
        "model": cell.model_name,
        "trials": int(cell.tuning.get("trials", 0)),
        "augment": compact(cell.augment) or "none",
    }


def versions(cell: Cell) -> dict[str, str]:
    """What tells rows apart that look alike in `identity_columns`, by the column that it belongs to."""
    return {
        "labels": f"#{content_id(cell.labels, 4)}",
        "protocol": f"v{cell.protocol['version']}",
        "features": "+".join(f"v{entry['version']}" for entry in cell.features),
        "model": f"v{cell.model['version']}",
        "options": f"#{content_id([cell.corpus_options, cell.excluded], 4)}",
        "augment": f"#{content_id([cell.augment, cell.tuning], 4)}",
    }


def corpus_note(records: Sequence[Record]) -> str:
    """How much of the corpus was used, e.g. ``"649 of 7442"``; empty where it was all of it."""
    for record in records:
        used, design = record.corpus.get("used"), record.corpus.get("design")
        if used is not None and design is not None and used != design:
            return f"{used} of {design}"
    return ""


def fingerprints(records: Iterable[Record]) -> str:
    """The start of the fingerprint of the corpus that a row was run on; several, where its folds were not on one."""
    return "+".join(sorted({record.corpus.get("fingerprint", "")[:FINGERPRINT_SHOWN] for record in records} - {""}))


def compact(values: Mapping[str, Any]) -> str:
    """A nested setting on one line, e.g. ``copies=2, noise(snr_db=10..30)``."""
    return ", ".join(_compact_item(key, value) for key, value in sorted(values.items()))


def _scores(done: pd.DataFrame) -> dict[str, Any]:
    names = list(CONFUSION_SCORES)
    if done.empty:
        bounds = {f"{name}{end}": np.nan for name in names for end in ("", "_low", "_high")}
        empty = {"uar_spread": np.nan, "interval_unit": "", "interval_method": "", "classes": ""}
        return bounds | empty | {"utterances": 0, "speakers": 0}
    tested = list(done["tested"])
    n_classes = len(done["cell"].iloc[0].labels["labels"])
    statistics, unit = margins_by_unit(tested, [int(seed) for seed in done["seed"]], n_classes)
    total = statistics.sum(axis=1)
    entry: dict[str, Any] = {}
    found = intervals(statistics, CONFUSION_SCORES, unit)
    for name, function in CONFUSION_SCORES.items():
        entry |= {name: float(function(total).mean()), f"{name}_low": found[name].low, f"{name}_high": found[name].high}
    by_seed = CONFUSION_SCORES["uar"](total)
    entry["uar_spread"] = float(by_seed.std(ddof=1)) if len(by_seed) > 1 else np.nan
    entry["interval_unit"], entry["interval_method"] = found["uar"].unit, found["uar"].method
    entry["classes"] = classes_scored(total.sum(axis=0))
    entry["utterances"] = len(set().union(*(item.utterances for item in tested)))
    entry["speakers"] = len(set().union(*(item.speakers for item in tested)) - {""})
    return entry


def _all_independent(records: Sequence[Record]) -> bool | None:
    said = [record.audit["speaker_independent"] for record in records if "speaker_independent" in record.audit]
    return all(said) if said else None


def _bytes(record: Record) -> int | None:
    # A network's weights are float32.
    weights = record.sizes.get("weights")
    return record.sizes.get("bytes") or (4 * weights if weights else None)


def reading(cell: Cell) -> str:
    """Tells apart how the user's own files were read: by which layout, expression or columns; empty for others."""
    options = [{name: found[name] for name in READING if name in found} for found in cell.corpus_options.values()]
    return content_id(options, 4) if any(options) else ""


def _options(cell: Cell) -> str:
    named = []
    for corpus, options in sorted(cell.corpus_options.items()):
        if chosen := {name: value for name, value in options.items() if name not in READING}:
            named.append(f"{corpus}: {compact(chosen)}")
    if cell.excluded:
        named.append(f"{len(cell.excluded)} excluded")
    if cell.permute_labels:
        named.append("training labels permuted")
    return "; ".join(named)


def _compact_item(key: str, value: Any) -> str:
    if isinstance(value, Mapping):
        return f"{key}({compact(value)})"
    if isinstance(value, (list, tuple)) and len(value) == 2 and all(isinstance(item, (int, float)) for item in value):
        return f"{key}={value[0]}..{value[1]}"
    return f"{key}={value}"


def _mean(values: Iterable[float | None]) -> float:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else np.nan


def _largest(values: Iterable[int | None]) -> int | None:
    return max((int(value) for value in values if value is not None), default=None)
