"""What MLflow shall hold of a leaderboard row and of its folds, as plain values; no number is computed here anew."""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from serbench.identity import canonical_json, content_id
from serbench.records import Cell, Record
from serbench.reporting.rows import compact
from serbench.reporting.text_tables import interval_text, percent
from serbench.scoring.margins import CONFUSION_SCORES, margins, per_class, summed_confusion

if TYPE_CHECKING:
    import pandas as pd

ROW, CELL, MADE, STATE = "serbench.row", "serbench.cell", "serbench.made", "serbench.state"
SCORES = tuple(f"{name}{end}" for name in CONFUSION_SCORES for end in ("", "_low", "_high"))
COUNTS = (
    "gain",
    "uar_spread",
    "fit_seconds",
    "weights",
    "bytes",
    "utterances",
    "speakers",
    "folds_done",
    "folds_planned",
)
IDENTITY = ("corpus", "labels", "protocol", "features", "model", "trials", "augment", "options")
LONGEST_TAG = 8000
LONGEST_PARAM = 6000
WITH_CELLS = ("ok", "failed")


@dataclass(frozen=True)
class FoldRun:
    """One cell as a child run.

    Attributes
    ----------
    cell, made : str
        Id of the cell, and when its file was written: together they tell whether the run is up to date.
    curves : mapping of str to list of float
        Stepped metrics, one value per epoch.
    start, end : int
        Milliseconds since the epoch (UTC).
    dimensions : int
        Values per vector or frame; 0 where the cell has failed.
    """

    cell: str
    made: str
    name: str
    status: str
    start: int
    end: int
    dimensions: int = 0
    metrics: Mapping[str, float] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    curves: Mapping[str, Sequence[float]] = field(default_factory=dict)


@dataclass(frozen=True)
class RowRun:
    """One leaderboard row as a parent run; attributes as in `FoldRun`."""

    row: str
    name: str
    status: str
    start: int
    end: int
    metrics: Mapping[str, float]
    params: Mapping[str, str]
    tags: Mapping[str, str]
    dataset: Mapping[str, Any]
    folds: tuple[FoldRun, ...]

    @property
    def state(self) -> str:
        """Changes whenever anything that is to be written does."""
        cells = [[fold.cell, fold.made] for fold in self.folds]
        return content_id([self.name, self.status, self.metrics, self.params, self.tags, cells])


def describe(entry: Mapping[str, Any], cells: pd.DataFrame) -> RowRun:
    """Describe a row.

    Parameters
    ----------
    entry : mapping
        The row's entry in `serbench.reporting.leaderboard.leaderboard`.
    cells : DataFrame
        Its cells from `load_records`; at least one is finished or failed.
    """
    present = cells[cells["status"].isin(WITH_CELLS)].sort_values(["seed", "fold"])
    several_seeds = present["seed"].nunique() > 1
    folds = tuple(describe_fold(item, several_seeds=several_seeds) for item in present.to_dict("records"))
    record: Record = present["record"].iloc[0]
    return RowRun(
        row=entry["row"],
        name=row_name(entry),
        status=_row_status(entry),
        start=min(fold.start for fold in folds),
        end=max(fold.end for fold in folds),
        metrics=_row_metrics(entry, present),
        params=_row_params(entry, record),
        tags=_row_tags(entry, folds, list(present["record"])),
        dataset=_dataset(record),
        folds=folds,
    )


def describe_fold(item: Mapping[str, Any], *, several_seeds: bool = False) -> FoldRun:
    """Describe one cell: a row of `load_records` as a mapping."""
    record: Record = item["record"]
    cell = record.cell
    end = _milliseconds(record.created)
    seed = f" · seed {cell.seed}" if several_seeds else ""
    return FoldRun(
        cell=cell.id,
        made=record.created,
        name=f"{cell.model_name} · {cell.protocol_name} · fold {cell.fold}{seed}",
        status="FINISHED" if record.status == "ok" else "FAILED",
        start=end - round(1000 * sum(record.seconds.values())),
        end=end,
        dimensions=int(record.sizes.get("dimensions", 0)),
        metrics=_fold_metrics(item),
        params=_texts({"fold": cell.fold, "seed": cell.seed, "validation": record.validation} | _own(record)),
        tags=_tags({"level": "fold", "reason": record.reason, "verdict": record.audit.get("verdict", "")}),
        curves={metric_name(f"epoch/{name}"): values for name, values in record.history.items()},
    )


def row_name(entry: Mapping[str, Any]) -> str:
    """Name of a row that tells rows apart at a glance, the model first."""
    parts = [entry["model"], entry["features"], entry["protocol"]]
    parts += [f"{entry['trials']} trials"] if entry["trials"] else []
    parts += [f"augment {entry['augment']}"] if entry["augment"] != "none" else []
    # A suite of one corpus is named after it; the name need not say it again.
    parts += [entry["corpus"]] if not entry["corpus"].startswith(entry["suite"]) else []
    parts += [entry["options"]] if entry["options"] else []
    return " · ".join(parts)


def metric_name(text: str) -> str:
    """Replace what MLflow does not allow in the name of a metric."""
    return re.sub(r"[^\w./ -]", "_", text)


def _row_metrics(entry: Mapping[str, Any], cells: pd.DataFrame) -> dict[str, float]:
    labels = list(cells["cell"].iloc[0].labels["labels"])
    classes = per_class(margins(summed_confusion(cells["tested"].dropna(), len(labels))), labels)
    f1 = {metric_name(f"f1_{label.replace('/', '_')}"): values["f1"] for label, values in classes.items()}
    return _known({name: entry[name] for name in (*SCORES, *COUNTS)} | f1)


def _fold_metrics(item: Mapping[str, Any]) -> dict[str, float]:
    record: Record = item["record"]
    seconds = {f"{name}_seconds": value for name, value in record.seconds.items()}
    parts = [name for name in ("train", "validation", "test") if name in record.sizes]
    counts = {f"{name}_utterances": record.sizes[name] for name in parts}
    tested = item["tested"]
    if tested is None or not len(tested.truth):
        return _known(seconds | counts)
    n_classes = len(record.cell.labels["labels"])
    margin = margins(summed_confusion([tested], n_classes))
    scores = {f"fold_{name}": float(function(margin)) for name, function in CONFUSION_SCORES.items()}
    return _known(scores | seconds | counts)


def _row_params(entry: Mapping[str, Any], record: Record) -> dict[str, str]:
    named = {name: entry[name] for name in IDENTITY if entry[name] not in ("", None)}
    # Parameters in MLflow never change, and a tuned row has others in each fold: those stand in the folds.
    return _texts(named | ({} if record.cell.tuning else _own(record)))


def _own(record: Record) -> dict[str, Any]:
    return {metric_name(f"model.{name}"): value for name, value in record.params.items()}


def _row_tags(entry: Mapping[str, Any], folds: Sequence[FoldRun], records: Sequence[Record]) -> dict[str, str]:
    cell: Cell = records[0].cell
    independent = entry["speaker_independent"]
    return _tags(
        {
            "level": "row",
            "speaker_independent": "unknown" if independent is None else str(bool(independent)).lower(),
            "verdict": entry["verdict"],
            "folds": f"{entry['folds_done']}/{entry['folds_planned']}",
            "complete": str(bool(entry["complete"])).lower(),
            "suite": entry["suite"],
            "corpus": entry["corpus"],
            "corpus_version": _joined(record.corpus.get("version") for record in records),
            "corpus_fingerprint": _joined(record.corpus.get("fingerprint") for record in records),
            "corpus_part": entry["corpus_note"],
            "protocol": cell.protocol_name,
            "protocol_version": str(cell.protocol["version"]),
            "interval": f"95 %, {entry['interval_unit']} {entry['interval_method']}" if entry["interval_unit"] else "",
            "classes": entry["classes"],
            "seeds": " ".join(str(seed) for seed in entry["seeds"]),
            "validation": entry["validation"],
            "git_revision": _joined(record.environment.get("git_revision") for record in records),
            "serbench_version": _joined(record.environment.get("packages", {}).get("serbench") for record in records),
            "plugin": _joined(record.plugin_hash for record in records),
            "reason": entry["reason"],
            "cells": " ".join(fold.cell for fold in folds),
            "mlflow.note.content": _note(entry),
            "mlflow.source.name": f"serbench run {entry['suite']}",
            "mlflow.source.type": "LOCAL",
        }
    )


def _note(entry: Mapping[str, Any]) -> str:
    if not entry["folds_done"]:
        return f"No finished fold: {entry['reason']}"
    bounds = interval_text(entry["uar_low"], entry["uar_high"])
    unfinished = "" if entry["complete"] else f" **Incomplete.** {entry['reason']}"
    return (
        f"**UAR {percent(entry['uar'])} %** {bounds} (95 %, {entry['interval_unit']} {entry['interval_method']}), "
        f"accuracy {percent(entry['accuracy'])} %, macro-F1 {percent(entry['macro_f1'])} %; "
        f"{entry['folds_done']}/{entry['folds_planned']} folds, {entry['utterances']} utterances, "
        f"{entry['speakers'] or 'unknown'} speakers; *{entry['verdict']}*.{unfinished}\n\n"
        f"`serbench show {entry['row']}` prints the whole report; the folds are nested below this run."
    )


def _row_status(entry: Mapping[str, Any]) -> str:
    if entry["complete"]:
        return "FINISHED"
    return "FAILED" if entry["failed"] else "KILLED"


def _dataset(record: Record) -> dict[str, Any]:
    corpus, cell = record.corpus, record.cell
    return {
        "name": cell.corpus,
        "digest": str(corpus.get("fingerprint", ""))[:36] or "unknown",
        "source": {"corpus": cell.corpus, "version": corpus.get("version", ""), "notes": corpus.get("notes", [])},
        "profile": {
            "utterances": corpus.get("utterances", corpus.get("used")),
            "used": corpus.get("used"),
            "design": corpus.get("design"),
            "labels": list(cell.labels["labels"]),
        },
    }


def _milliseconds(created: str) -> int:
    moment = datetime.datetime.fromisoformat(created) if created else datetime.datetime.fromtimestamp(0, datetime.UTC)
    return round(1000 * moment.timestamp())


def _joined(values: Any) -> str:
    return " | ".join(dict.fromkeys(str(value) for value in values if value))


def _known(values: Mapping[str, Any]) -> dict[str, float]:
    return {name: float(value) for name, value in values.items() if _finite(value)}


def _finite(value: Any) -> bool:
    import pandas as pd

    return value is not None and value is not pd.NA and math.isfinite(value)


def _texts(values: Mapping[str, Any]) -> dict[str, str]:
    return {name: _text(value)[:LONGEST_PARAM] for name, value in values.items() if value != ""}


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return compact(value)
    return canonical_json(value) if isinstance(value, (list, tuple)) else str(value)


def _tags(values: Mapping[str, str]) -> dict[str, str]:
    return {name: value[:LONGEST_TAG] for name, value in values.items() if value}
