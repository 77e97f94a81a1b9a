"""What is known of one row: its per-class report, confusion matrix, folds, parameters and provenance."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from serbench.records import Record, member_cells, member_title
from serbench.reporting.pretraining import pretraining, pretraining_text, with_pretraining
from serbench.reporting.rows import compact, describe_row
from serbench.reporting.searches import describe_searches, search_tables
from serbench.reporting.text_tables import interval_text, percent, to_markdown, to_terminal
from serbench.scoring.intervals import intervals, margins_by_unit
from serbench.scoring.margins import (
    classes_scored,
    f1,
    margin_uar,
    margins,
    per_class,
    precision,
    recall,
    summed_confusion,
)
from serbench.specs import renamed_features

if TYPE_CHECKING:
    import pandas as pd
    from rich.table import Table
    from rich.text import Text


def row_report(cells: pd.DataFrame, *, summary: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Everything `serbench show` prints, as plain values.

    Parameters
    ----------
    cells : DataFrame
        Cells of one row (or one cell), from `find_cells`.
    summary : mapping, optional
        The row's leaderboard entry where it is at hand; the per-class scores then come without intervals.

    Returns
    -------
    dict
        `summary` (the leaderboard entry), `labels`, `confusion` (K, K), `per_class` (with intervals), `folds` (fold,
        seed, status, UAR, classes, utterances, speakers, seconds), `searches` (tuning of each fold), `provenance`,
        `notes`, `failures`, `command` (that makes the row again).
    """
    done = cells[cells["status"] == "ok"]
    labels = list(cells["cell"].iloc[0].labels["labels"])
    confusion = summed_confusion(done["tested"], len(labels))
    suite, row = cells.iloc[0][["suite", "row"]]
    return {
        "summary": describe_row(cells) if summary is None else summary,
        "command": shlex.join(["serbench", "run", suite, "--row", row]),
        "labels": labels,
        "confusion": confusion,
        "per_class": _classes(done, confusion, labels, intervals_too=summary is None),
        "folds": [_fold(item, len(labels)) for item in cells.sort_values(["seed", "fold"]).to_dict("records")],
        "searches": describe_searches(cells),
        "provenance": provenance(list(done["record"])),
        "notes": _notes(list(done["record"])),
        "failures": [
            {"fold": item.fold, "status": item.status, "reason": item.reason}
            for item in cells.itertuples()
            if item.status in ("failed", "skipped", "damaged")
        ],
    }


def provenance(records: list[Record]) -> dict[str, str]:
    """Where the numbers come from: versions, parameters, corpus, environment; several values are joined by ` | `."""
    described = [_provenance(record) for record in records]
    keys = dict.fromkeys(key for item in described for key in item)
    joined = {key: " | ".join(dict.fromkeys(item[key] for item in described if item.get(key))) for key in keys}
    return {key: value for key, value in joined.items() if value}


def report_parts(report: dict[str, Any]) -> Iterator[Text | Table]:
    """The report as texts and rich tables, in the order in which they are printed."""
    from rich.text import Text

    summary = report["summary"]
    yield Text(_title(summary), style="bold")
    yield Text(_headline(summary))
    if summary["folds_done"]:
        yield _class_table(report)
        yield _confusion_table(report)
    yield _fold_table(report)
    yield from search_tables(report["searches"])
    pairs = report["provenance"].items()
    yield to_terminal(["", ""], pairs, title="Provenance", overflow="fold", show_header=False)
    yield _headed("The command that makes the row again", f"  {report['command']}")
    for title, lines in (("Notes", report["notes"]), ("Not done", [_failure(item) for item in report["failures"]])):
        if lines:
            yield _headed(title, *(f"  {line}" for line in lines))


def calibration_parts(found: dict[str, Any], title: str, reliability: bool) -> Iterator[Text | Table]:
    """What `calibration` found, as a text and, on request, a reliability table."""
    shown = ", ".join(
        f"{name} {found[key]:.3f} [{found[f'{key}_low']:.3f}, {found[f'{key}_high']:.3f}]"
        for key, name in (("log_loss", "log-loss"), ("brier", "Brier"), ("ece", "ECE"))
    )
    yield _headed(title, f"{shown} (95 %, {found['unit']} {found['method']})")
    if reliability:
        bins = [
            (entry["count"], percent(entry["confidence"]), percent(entry["accuracy"])) for entry in found["reliability"]
        ]
        columns = ["utterances", "confidence %", "accuracy %"]
        yield to_terminal(columns, bins, title="Reliability (equal-mass bins)")


def report_markdown(report: dict[str, Any]) -> str:
    """The report as Markdown, for the results folder."""
    summary, labels = report["summary"], report["labels"]
    lines = [f"## {_title(summary)}", "", _headline(summary), ""]
    shares = ("precision", "recall", "f1")
    classes = [
        [label, *(percent(entry[name]) for name in shares), entry["support"]]
        for label, entry in report["per_class"].items()
    ]
    lines += [to_markdown(["class", "precision", "recall", "F1", "support"], classes), ""]
    counts = [[label, *row] for label, row in zip(labels, report["confusion"], strict=True)]
    return "\n".join([*lines, to_markdown(["true \\ predicted", *labels], counts)]) + "\n"


def _classes(
    done: pd.DataFrame, confusion: np.ndarray, labels: list[str], intervals_too: bool
) -> dict[str, dict[str, Any]]:
    if done.empty:
        return {}
    found = per_class(margins(confusion), labels)
    if not intervals_too:
        return found
    statistics, unit = margins_by_unit(list(done["tested"]), [int(seed) for seed in done["seed"]], len(labels))
    scores = {
        (code, name): lambda totals, code=code, function=function: function(totals[..., code : code + 1])[..., 0]
        for code in range(len(labels))
        for name, function in (("precision", precision), ("recall", recall), ("f1", f1))
    }
    for (code, name), bounds in intervals(statistics, scores, unit).items():
        found[labels[code]] |= {f"{name}_low": bounds.low, f"{name}_high": bounds.high}
    return found


def _fold(item: dict[str, Any], n_classes: int) -> dict[str, Any]:
    record, tested = item["record"], item["tested"]
    entry = {"fold": item["fold"], "seed": item["seed"], "id": item["id"], "status": item["status"], "uar": np.nan}
    if tested is not None and len(tested.truth):
        margin = margins(summed_confusion([tested], n_classes))
        entry |= {"uar": float(margin_uar(margin)), "classes": classes_scored(margin), "utterances": len(tested.truth)}
        entry["speakers"] = len(set(tested.speakers) - {""})
    if record is not None:
        entry |= {"seconds": dict(record.seconds), "validation": record.validation, "epochs": _epochs(record)}
    return entry


def _epochs(record: Record) -> int:
    return max((len(curve) for curve in record.history.values()), default=0)


def _provenance(record: Record) -> dict[str, str]:
    cell, environment = record.cell, record.environment
    features = [
        f"{renamed_features(entry['name'])} v{entry['version']} {compact(entry['params'])}".strip()
        for entry in cell.features
    ]
    version, fingerprint = record.corpus.get("version", "?"), record.corpus.get("fingerprint", "?")
    return {
        "corpus": f"{cell.corpus} v{version}, fingerprint {fingerprint}",
        "corpus options": compact(cell.corpus_options),
        "labels": f"{cell.labels['name']}: {', '.join(cell.labels['labels'])}",
        "features": " + ".join(features) + ("" if cell.normalise == "none" else f", normalised by {cell.normalise}"),
        "pre-trained": pretraining_text(pretraining(cell)),
        "enrolment": compact({**cell.enrol, **record.enrolment}),
        "model": f"{cell.model['name']} v{cell.model['version']}",
        "members": ", ".join(member_title(member) for member in member_cells(cell)),
        "parameters": compact(record.params),
        "protocol": f"{cell.protocol['name']} v{cell.protocol['version']} {compact(cell.protocol['params'])}".strip(),
        "tuning": compact(cell.tuning),
        "augmentation": compact(cell.augment),
        "plug-in": record.plugin_hash,
        "environment": compact(environment),
        "made": record.created[:10],
    }


def _notes(records: list[Record]) -> list[str]:
    corpus = [note for record in records for note in record.corpus.get("notes", [])]
    audit = [note for record in records for note in record.audit.get("notes", [])]
    leaks = [_leak(leak) for record in records for leak in record.audit.get("leaks", [])]
    return list(dict.fromkeys([*corpus, *leaks, *audit, *_drawn(records)]))


def _drawn(records: list[Record]) -> list[str]:
    sizes = [record.sizes for record in records if "drawn" in record.sizes]
    if not sizes:
        return []
    most = max(size["train"] for size in sizes)
    drawn = max(size["drawn"] for size in sizes)
    return [f"fitted to {drawn} of {most} training utterances, drawn evenly over speakers and classes (max_train)"]


def _leak(leak: dict[str, Any]) -> str:
    examples = ", ".join(str(item) for item in leak.get("examples", [])[:3])
    return f"leak: {leak['kind']} ({leak['count']}{f', such as {examples}' if examples else ''})"


def _failure(item: dict[str, str]) -> str:
    return f"fold {item['fold']}: {item['status']}: {item['reason'] or 'no reason recorded'}"


def _title(summary: dict[str, Any]) -> str:
    names = [*(summary[name] for name in ("suite", "corpus", "protocol")), with_pretraining(summary), summary["model"]]
    extra = [f"{summary['trials']} trials"] if summary["trials"] else []
    extra += [f"augment {summary['augment']}"] if summary["augment"] != "none" else []
    # Without them a sanity run on permuted labels reads like the row itself.
    extra += [summary["options"]] if summary["options"] else []
    return " · ".join([*names, *extra, f"row {summary['row']}"])


def _headline(summary: dict[str, Any]) -> str:
    if not summary["folds_done"]:
        return f"no finished fold (0/{summary['folds_planned']})"
    bounds = interval_text(summary["uar_low"], summary["uar_high"])
    how = f"95 %, {summary['interval_unit']} {summary['interval_method']}"
    part = f" ({summary['corpus_note']} of the corpus' design)" if summary["corpus_note"] else ""
    return (
        f"UAR {percent(summary['uar'])} % {bounds} ({how}), accuracy {percent(summary['accuracy'])} %, "
        f"macro-F1 {percent(summary['macro_f1'])} %, weighted F1 {percent(summary['weighted_f1'])} %, "
        f"{summary['classes']} classes, {summary['folds_done']}/{summary['folds_planned']} folds, "
        f"{summary['utterances']} utterances{part}, {summary['speakers'] or 'unknown'} speakers; {summary['verdict']}"
    )


def _headed(title: str, *lines: str) -> Text:
    from rich.text import Text

    return Text("\n").join([Text(title, style="bold"), *map(Text, lines)])


def _class_table(report: dict[str, Any]) -> Table:
    rows = [
        (
            label,
            percent(entry["precision"]),
            percent(entry["recall"]),
            interval_text(entry["recall_low"], entry["recall_high"]),
            percent(entry["f1"]),
            entry["support"],
        )
        for label, entry in report["per_class"].items()
    ]
    columns = ["class", "precision", "recall", "95 %", "F1", "support"]
    return to_terminal(columns, rows, title="Per class, % (recall with its interval)")


def _confusion_table(report: dict[str, Any]) -> Table:
    labels = report["labels"]
    rows = []
    for label, counts in zip(labels, report["confusion"], strict=True):
        total = max(counts.sum(), 1)
        shaded = [_shaded(int(count), count / total, name == label) for name, count in zip(labels, counts, strict=True)]
        rows.append([label, *shaded])
    return to_terminal(["", *labels], rows, title="Confusion matrix (rows: true, columns: predicted)")


def _shaded(count: int, share: float, right: bool) -> Text:
    from rich.text import Text

    if not count:
        return Text("·", style="dim")
    return Text(str(count), style="bold green" if right else "red" if share >= 0.2 else "")


def _fold_table(report: dict[str, Any]) -> Table:
    rows = []
    for entry in report["folds"]:
        seconds = entry.get("seconds", {}).get("fit")
        rows.append(
            (
                entry["fold"],
                entry["seed"],
                percent(entry["uar"]) if entry["status"] == "ok" else entry["status"],
                *(entry.get(name, "") for name in ("classes", "utterances", "speakers")),
                "" if seconds is None else f"{seconds:.3g}",
                entry.get("epochs") or "",
                entry.get("validation", ""),
                entry["id"],
            )
        )
    names = ["fold", "seed", "UAR %", "classes", "utterances", "speakers", "fit s", "epochs", "validation", "cell"]
    return to_terminal(names, rows, title="Folds (UAR over the classes that the fold has)")
