"""Tables of one row: per class in scikit-learn's terms, per speaker, per gender."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from serbench.errors import ResultsError
from serbench.reporting.papers.table import Column, Entry, PaperTable, count, number, words
from serbench.scoring import label_codes
from serbench.scoring.margins import (
    classes_scored,
    grouped_confusion,
    margin_accuracy,
    margin_macro_f1,
    margin_uar,
    margins,
    per_class,
    summed_confusion,
)

if TYPE_CHECKING:
    import pandas as pd

SHARES = ("precision", "recall", "f1")
UNKNOWN = "unknown"
GENDERS = {"f": "female", "m": "male", "": UNKNOWN}


def class_report(cells: pd.DataFrame) -> list[dict[str, Any]]:
    """Precision, recall, F1 and support per class, and their averages.

    Returns
    -------
    list of dict
        `name`, `precision`, `recall`, `f1`, `support`; after the classes `accuracy` (in `f1`), `macro avg` and
        `weighted avg`. What is undefined (the precision of a class that was never predicted) is NaN and left out of
        the averages, as scikit-learn's report does with ``zero_division=nan``.
    """
    labels, confusion = pooled_confusion(cells)
    margin = margins(confusion)
    entries = [{"name": label, **values} for label, values in per_class(margin, labels).items()]
    support = margin[1]
    total = {"support": int(support.sum())}
    whole = {"name": "accuracy", "precision": np.nan, "recall": np.nan, "f1": float(margin_accuracy(margin)), **total}
    averages = [
        {"name": name, **{key: _average([entry[key] for entry in entries], weights) for key in SHARES}, **total}
        for name, weights in (("macro avg", np.ones(len(labels))), ("weighted avg", support.astype(float)))
    ]
    return [*entries, whole, *averages]


def class_table(
    cells: pd.DataFrame, *, decimals: int = 1, caption: str | None = None, label: str | None = None
) -> PaperTable:
    """The per-class report as a paper table, in per cent."""
    entries = class_report(cells)
    rows = [
        (words(entry["name"]), *(number(entry[key], decimals) for key in SHARES), count(entry["support"]))
        for entry in entries
    ]
    columns = (Column("class", words=True), *(Column(name) for name in ("precision", "recall", "F1", "support")))
    notes = ["Scores in %, pooled over folds."]
    if any(np.isnan(entry["precision"]) for entry in entries if entry["name"] != "accuracy"):
        notes.append("–: undefined, since the class was never predicted; left out of the averages.")
    return PaperTable(
        caption or f"Per class: {row_title(cells)}", label or "tab:classes", columns, tuple(rows), tuple(notes)
    )


def class_text(cells: pd.DataFrame, *, decimals: int = 2) -> str:
    """The per-class report as text in the layout of scikit-learn's `classification_report`."""
    entries = class_report(cells)
    width = max(len("weighted avg"), decimals, *(len(entry["name"]) for entry in entries))
    head = ("precision", "recall", "f1-score", "support")
    lines = [f"{'':>{width}} " + "".join(f" {name:>9}" for name in head), ""]
    for entry in entries:
        if entry["name"] == "accuracy":
            lines.append("")
            shown = ["", "", f"{entry['f1']:.{decimals}f}"]
        else:
            shown = [f"{entry[key]:.{decimals}f}" for key in SHARES]
        lines.append(f"{entry['name']:>{width}} " + "".join(f" {value:>9}" for value in [*shown, entry["support"]]))
    return "\n".join(lines) + "\n"


def speaker_report(cells: pd.DataFrame, genders: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
    """UAR of each speaker over the classes that the speaker has.

    Parameters
    ----------
    cells : DataFrame
        Cells of one row.
    genders : mapping, optional
        Speaker -> "f", "m" or "".

    Returns
    -------
    list of dict
        `name`, `gender`, `uar`, `accuracy`, `classes` (``"6/7"``), `utterances`, by name.
    """
    return _by_group(cells, lambda tested: tested.speakers, genders or {})


def gender_report(cells: pd.DataFrame, genders: Mapping[str, str]) -> list[dict[str, Any]]:
    """UAR over the utterances of each gender; as `speaker_report`, with `speakers` counted."""
    found = _by_group(
        cells, lambda tested: np.array([genders.get(name, "") for name in tested.speakers], dtype=object), {}
    )
    names = {name for tested in _done(cells)["tested"] for name in tested.speakers if name}
    for entry in found:
        own = "" if entry["name"] == UNKNOWN else entry["name"]
        entry["speakers"] = sum(genders.get(name, "") == own for name in names)
        entry["name"] = GENDERS.get(entry["name"], entry["name"])
    return found


def speaker_table(cells: pd.DataFrame, genders: Mapping[str, str], *, sort: str = "name", **looks: Any) -> PaperTable:
    """Who is served badly: one line per speaker, by name or (`sort="uar"`) the worst first."""
    entries = speaker_report(cells, genders)
    if sort != "name":
        entries.sort(key=lambda entry: entry["uar"])
    gender = [words(GENDERS.get(entry["gender"], entry["gender"])) for entry in entries]
    return _grouped("speaker", entries, Column("gender", words=True), gender, row_title(cells), **looks)


def gender_table(cells: pd.DataFrame, genders: Mapping[str, str], **looks: Any) -> PaperTable:
    """One line per gender."""
    entries = gender_report(cells, genders)
    speakers = [count(entry["speakers"]) for entry in entries]
    return _grouped("gender", entries, Column("speakers"), speakers, row_title(cells), **looks)


def pooled_confusion(cells: pd.DataFrame) -> tuple[list[str], np.ndarray]:
    """Label list and confusion matrix (K, K) of all finished cells of a row, folds and seeds added up.

    Raises
    ------
    ResultsError
        If no cell is finished.
    """
    done = _done(cells)
    labels = list(done["cell"].iloc[0].labels["labels"])
    return labels, summed_confusion(done["tested"], len(labels))


def genders_of(frames: Mapping[str, pd.DataFrame]) -> dict[str, str]:
    """Gender of each speaker in some predictions."""
    found: dict[str, str] = {}
    for frame in frames.values():
        known = frame[["speaker", "gender"]].drop_duplicates()
        found |= {speaker: gender for speaker, gender in known.itertuples(index=False) if speaker}
    return found


def row_title(cells: pd.DataFrame) -> str:
    """A row in words, with its protocol."""
    first = cells.iloc[0]
    return f"{first['model']} on {first['features']}, {first['corpus']}, {first['protocol']}"


def _done(cells: pd.DataFrame) -> pd.DataFrame:
    done = cells[cells["status"] == "ok"]
    if done.empty:
        reasons = [reason for reason in cells["reason"] if reason]
        what = "no finished fold" + (f": {reasons[0]}" if reasons else "")
        raise ResultsError(what, where=row_title(cells), hint="run the suite again, or choose another row")
    return done


def _by_group(cells: pd.DataFrame, group_of: Any, genders: Mapping[str, str]) -> list[dict[str, Any]]:
    done = _done(cells)
    n_classes = len(done["cell"].iloc[0].labels["labels"])
    members = [group_of(tested) for tested in done["tested"]]
    names = sorted(set(np.concatenate(members)))
    confusion = np.zeros((len(names), n_classes, n_classes), dtype=np.int64)
    for tested, own in zip(done["tested"], members, strict=True):
        confusion += grouped_confusion(tested.truth, tested.predicted, label_codes(own, names), n_classes, len(names))
    seeds = done["seed"].nunique()
    return [
        {
            "name": name or UNKNOWN,
            "gender": genders.get(name, ""),
            "uar": float(margin_uar(margin)),
            "accuracy": float(margin_accuracy(margin)),
            "macro_f1": float(margin_macro_f1(margin)),
            "classes": classes_scored(margin),
            # Each seed answers every utterance once more.
            "utterances": int(margin[1].sum() // seeds),
        }
        for name, margin in zip(names, margins(confusion), strict=True)
    ]


def _average(values: Sequence[float], weights: np.ndarray) -> float:
    known = np.isfinite(values)
    if not weights[known].sum():
        return float("nan")
    return float(np.average(np.asarray(values)[known], weights=weights[known]))


def _grouped(
    of: str,
    entries: Sequence[Mapping[str, Any]],
    second: Column,
    seconds: Sequence[Entry],
    title: str,
    *,
    decimals: int = 1,
    caption: str | None = None,
    label: str | None = None,
) -> PaperTable:
    """One line per group of utterances: its name, a second column, scores over the classes that it has, and counts."""
    scores = (Column("UAR"), Column("accuracy"), Column("classes", words=True), Column("utterances"))
    rows = tuple(
        (
            words(entry["name"]),
            described,
            number(entry["uar"], decimals),
            number(entry["accuracy"], decimals),
            words(entry["classes"]),
            count(entry["utterances"]),
        )
        for entry, described in zip(entries, seconds, strict=True)
    )
    return PaperTable(
        caption or f"Per {of}: {title}",
        label or f"tab:{of}s",
        (Column(of, words=True), second, *scores),
        rows,
        ("Scores in %; UAR over the classes that the group has.",),
    )
