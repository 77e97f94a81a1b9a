"""Published numbers beside our own: under their protocol, with the likely mistake, and on unseen speakers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from serbench.errors import ResultsError
from serbench.reporting.rows import versions
from serbench.reporting.text_tables import tex, to_aligned, to_csv, to_json, to_markdown, to_tabular, writer_named
from serbench.scoring.intervals import intervals, margins_by_unit
from serbench.scoring.margins import CONFUSION_SCORES

if TYPE_CHECKING:
    import pandas as pd

NUMBERS = ("reported", "own", "mistake", "speaker_independent")
COLUMNS = (
    "claim",
    "model",
    "metric",
    *NUMBERS,
    "gap",
    "gap_low",
    "gap_high",
    "mistake_made",
    "suite",
    "source",
    "note",
)
MISTAKES = {"leaky_select_on_test": "epoch on test", "leaky_augment_before_split": "copies before split"}
HEADINGS = {
    "claim": "claim",
    "model": "model",
    "metric": "metric",
    "reported": "reported",
    "own": "their protocol",
    "mistake": "with the mistake",
    "speaker_independent": "unseen speakers",
    "gap": "gap",
}


def claims_table(claims: Sequence[Mapping[str, Any]], records: pd.DataFrame) -> list[dict[str, Any]]:
    """Set published claims beside finished rows.

    Parameters
    ----------
    claims : sequence of mapping
        As in a suite's `published`: `claim`, `model`, `metric`, `reported`, `row`, `mistake_row`, `own`, `mistake`,
        `speaker_independent`, `corpus`, `augment`, `note`; with `suite` and `source`.
    records : DataFrame
        From `load_suites`.

    Returns
    -------
    list of dict
        Columns `COLUMNS`; a number is None where its rows are absent or not complete. `mistake_made` says which it is.
        `gap` is the number under the claim's own protocol less that on unseen speakers. Its 95 % interval resamples the
        speakers that both rows tested, together in both; None where a speaker is unknown or in one of them only.

    Raises
    ------
    ResultsError
        If several rows answer to one part of a claim, such as two versions of a model; names them.
    """
    return [_claim(claim, records) for claim in claims]


def _claim(claim: Mapping[str, Any], records: pd.DataFrame) -> dict[str, Any]:
    cells = {part: _cells(claim, claim[part], records, part) for part in NUMBERS[1:]}
    scores = {part: _score(found, claim["metric"]) for part, found in cells.items()}
    own, unseen = cells["own"], cells["speaker_independent"]
    gap = low = high = None
    if own is not None and unseen is not None:
        gap = scores["own"] - scores["speaker_independent"]
        low, high = _gap_interval(own, unseen, claim["metric"])
    known = {name: claim.get(name) for name in ("claim", "model", "metric", "reported", "suite", "source", "note")}
    made = MISTAKES.get((claim["mistake"] or "").partition("(")[0], "")
    bounds = {"gap": gap, "gap_low": low, "gap_high": high}
    return {**dict.fromkeys(COLUMNS), **known, **scores, **bounds, "mistake_made": made}


def _cells(claim: Mapping[str, Any], protocol: str | None, records: pd.DataFrame, part: str) -> pd.DataFrame | None:
    """Finished cells of the row that stands for a part of a claim; None unless all its folds are done."""
    if protocol is None:
        return None
    row = (part == "mistake" and claim["mistake_row"]) or claim["row"]
    model, _, features = row.partition("@")
    found = records[
        (records["suite"] == claim["suite"])
        & (records["model"] == model)
        & (records["features"] == features)
        & (records["protocol"] == protocol)
        & (records["row"] != "")
    ]
    if claim["corpus"]:
        found = found[found["corpus"] == claim["corpus"]]
    # Copies that are split with their parents are what the mistake is about.
    augmented = claim["augment"] or "augment_before_split" in protocol
    wanted = [bool(cell.augment) == augmented and not cell.tuning and not cell.permute_labels for cell in found["cell"]]
    found = found[np.array(wanted, dtype=bool)]
    if found["row"].nunique() > 1:
        raise _ambiguous(claim, row, protocol, found)
    if found.empty or (found["status"] != "ok").any():
        return None
    return found


def _ambiguous(claim: Mapping[str, Any], row: str, protocol: str, cells: pd.DataFrame) -> ResultsError:
    firsts = cells.drop_duplicates("row")
    marks = [versions(cell) for cell in firsts["cell"]]
    telling = [column for column in marks[0] if len({mark[column] for mark in marks}) > 1]
    described = [
        " ".join([name, *(f"{column} {mark[column]}" for column in telling)])
        for name, mark in zip(firsts["row"], marks, strict=True)
    ]
    return ResultsError(
        f"{len(described)} rows are {row} under {protocol}: {'; '.join(described)}",
        where=f"claim '{claim['claim']}' of suite '{claim['suite']}'",
        hint="name the corpus in the claim, or remove the cells of the outdated row from the results folder",
    )


def _score(cells: pd.DataFrame | None, metric: str) -> float | None:
    if cells is None:
        return None
    statistics, _, _ = _margins(cells)
    return float(CONFUSION_SCORES[metric](statistics.sum(axis=1)).mean())


def _margins(cells: pd.DataFrame) -> tuple[np.ndarray, str, list[str]]:
    tested = list(cells["tested"])
    n_classes = len(cells["cell"].iloc[0].labels["labels"])
    statistics, unit = margins_by_unit(tested, [int(seed) for seed in cells["seed"]], n_classes)
    return statistics, unit, sorted({str(name) for item in tested for name in item.speakers})


def _gap_interval(own: pd.DataFrame, unseen: pd.DataFrame, metric: str) -> tuple[float | None, float | None]:
    (left, unit, speakers), (right, other_unit, other_speakers) = _margins(own), _margins(unseen)
    if unit != "speaker" or other_unit != "speaker" or speakers != other_speakers:
        return None, None
    # Seeds are pooled: the interval is that over speakers.
    both = np.stack([left.sum(axis=0), right.sum(axis=0)], axis=1)[None]
    score = CONFUSION_SCORES[metric]
    bounds = intervals(
        both, {"gap": lambda totals: score(totals[..., 0, :, :]) - score(totals[..., 1, :, :])}, "speaker", upper=None
    )["gap"]
    return (None, None) if np.isnan(bounds.low) else (bounds.low, bounds.high)


def format_claims(rows: Sequence[Mapping[str, Any]], style: str) -> str:
    """Render claims as `table`, `json`, `csv`, `md` or `latex`.

    Raises
    ------
    UsageError
        For another format.
    """
    return writer_named(style, WRITERS)(rows)


def claim_texts(row: Mapping[str, Any]) -> list[str]:
    """A claim as it is printed, in the order of `HEADINGS`; percentages."""
    named = [str(row["claim"]), str(row["model"]), str(row["metric"]).replace("_", " ")]
    numbers = {name: _percent(row[name]) for name in NUMBERS}
    if row["mistake"] is not None and row["mistake_made"]:
        numbers["mistake"] += f" ({row['mistake_made']})"
    return [*named, *numbers.values(), _gap(row)]


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f}"


def _gap(row: Mapping[str, Any]) -> str:
    if row["gap"] is None:
        return "–"
    bounds = "" if row["gap_low"] is None else f" [{100 * row['gap_low']:+.1f}, {100 * row['gap_high']:+.1f}]"
    return f"{100 * row['gap']:+.1f}{bounds}"


def _latex(rows: Sequence[Mapping[str, Any]]) -> str:
    head, *body = ([tex(text) for text in line] for line in (HEADINGS.values(), *map(claim_texts, rows)))
    return to_tabular("lll" + "r" * (len(HEADINGS) - 3), head, body)


WRITERS = {
    "table": lambda rows: to_aligned(list(HEADINGS.values()), list(map(claim_texts, rows)), words=3),
    "json": lambda rows: to_json(list(rows)),
    "csv": lambda rows: to_csv(list(rows), list(COLUMNS)).rstrip("\n"),
    "md": lambda rows: to_markdown(list(HEADINGS.values()), list(map(claim_texts, rows))),
    "latex": _latex,
}
