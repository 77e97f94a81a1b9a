"""The audits kept in records, summed up per splitting: what each protocol on each corpus leaks, with evidence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from serbench.identity import canonical_json
from serbench.protocols.verdict import LAYERS, Verdict, weakest
from serbench.records import Record
from serbench.records.enrolling import enrolled_name
from serbench.reporting.layers import merged_verdict
from serbench.reporting.rows import identity_columns, reading

if TYPE_CHECKING:
    import pandas as pd

SPLITTING = ("corpus", "labels", "options", "protocol", "augment")


def audit_summaries(cells: pd.DataFrame) -> list[dict[str, Any]]:
    """Sum up the audits of the folds that were run.

    Parameters
    ----------
    cells : DataFrame
        From `load_records` or `find_cells`.

    Returns
    -------
    list of dict
        One per suite, corpus, labels, protocol, normalisation and augmentation: those names, `rows` (leaderboard rows
        under it), `folds`, `verdict` and `speaker_independent` over all folds, `headline` and `layers` (name -> what it
        is worth in the weakest of the rows), `validation` (how the validation part was cut),
        `leaks` (``{"kind", "folds", "most", "examples"}``: in how many folds, and the largest count in one)
        and `notes` (``{"note", "folds"}``).
    """
    groups: dict[str, list] = {}
    ordered = cells[cells["status"] == "ok"].sort_values(["suite", "corpus", "protocol", "seed", "fold"], kind="stable")
    for item in ordered.itertuples():
        identity = identity_columns(item.cell)
        splitting = {name: identity[name] for name in SPLITTING} | {"normalise": item.cell.normalise}
        if item.cell.enrol:
            splitting["enrol"] = enrolled_name(item.cell.enrol)
        groups.setdefault(canonical_json({"suite": item.suite, "reading": reading(item.cell), **splitting}), []).append(
            (splitting, item)
        )
    return [_summary(members) for members in groups.values()]


def audit_lines(summary: dict[str, Any]) -> list[str]:
    """One of `audit_summaries` in words: its verdict, what it covers, each leak with examples, the notes."""
    details = [f"{summary['folds']} folds", f"{summary['rows']} rows", f"labels {summary['labels']}"]
    if summary["validation"]:
        details.append(f"validation cut by {summary['validation']}")
    named = [f"{summary['normalise']}-normalised"] if summary["normalise"] != "none" else []
    named += [summary["enrol"]] if "enrol" in summary else []
    named += [summary[name] for name in ("options", "augment") if summary[name] not in ("", "none")]
    title = " · ".join([summary["suite"], summary["corpus"], summary["protocol"], *named])
    lines = [f"{title}: {summary['verdict'] or 'not audited'}", f"  {', '.join(details)}"]
    if summary["layers"]:
        told = "; ".join(f"{name} {text}" for name, text in summary["layers"].items())
        lines.append(f"  {summary['headline']}: {told}")
    for leak in summary["leaks"]:
        counted = f"up to {leak['most']} in {leak['folds']} of {summary['folds']} folds"
        lines.append(f"  {leak['kind']}: {counted} ({listed_examples(leak, leak['most'])})")
    for note in summary["notes"]:
        lines.append(f"  note: {note['note']} ({note['folds']} of {summary['folds']} folds)")
    return lines


def listed_examples(leak: dict[str, Any], count: int) -> str:
    """A leak's examples, and whether there are more."""
    return ", ".join(leak["examples"]) + (", ..." if count > len(leak["examples"]) else "")


def _summary(members: list[tuple[dict[str, Any], Any]]) -> dict[str, Any]:
    records = [item.record for _, item in members]
    # All models under one protocol meet the same folds: one record speaks for each.
    folds = {(item.cell.fold, item.cell.seed): item.record for _, item in members}
    verdict = _verdict([item for _, item in members])
    return {
        "suite": members[0][1].suite,
        **members[0][0],
        "rows": len({item.row for _, item in members}),
        "folds": len(folds),
        "verdict": str(verdict or ""),
        "headline": verdict.headline if verdict else "",
        "layers": {name: str(layer) for name, layer in verdict.layers.items()} if verdict else {},
        "speaker_independent": all(record.audit.get("speaker_independent", False) for record in records),
        "validation": "+".join(sorted({record.validation for record in records} - {""})),
        "leaks": _leaks(list(folds.values())),
        "notes": _notes(list(folds.values())),
    }


def _verdict(items: Sequence[Any]) -> Verdict | None:
    """The verdict over some rows: every leak of any fold, and of each layer the weakest."""
    rows: dict[str, list[Any]] = {}
    for item in items:
        rows.setdefault(item.row, []).append(item)
    found = [merged_verdict((item.record for item in row), row[0].canary) for row in rows.values()]
    found = [verdict for verdict in found if verdict]
    if not found:
        return None
    return Verdict(
        tuple(dict.fromkeys(leak for verdict in found for leak in verdict.leaks)),
        all(verdict.speakers_known for verdict in found),
        any(verdict.transductive for verdict in found),
        {name: weakest(verdict.layers[name] for verdict in found) for name in LAYERS},
        found[0].enrolled,
    )


def _leaks(records: list[Record]) -> list[dict[str, Any]]:
    found: dict[str, list[dict]] = {}
    for record in records:
        for leak in record.audit.get("leaks", []):
            found.setdefault(leak["kind"], []).append(leak)
    return [
        {
            "kind": kind,
            "folds": len(leaks),
            "most": max(leak["count"] for leak in leaks),
            "examples": list(leaks[0]["examples"]),
        }
        for kind, leaks in found.items()
    ]


def _notes(records: list[Record]) -> list[dict[str, Any]]:
    counts: dict[str, int] = {}
    for record in records:
        for note in record.audit.get("notes", []):
            counts[note] = counts.get(note, 0) + 1
    return [{"note": note, "folds": count} for note, count in counts.items()]
