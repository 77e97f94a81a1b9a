"""Published numbers beside our own: under their protocol, with the likely mistake, and on unseen speakers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np

from serbench.errors import ResultsError
from serbench.protocols.sharing import COPY_MARK
from serbench.registry import build_registry
from serbench.reporting.claim_splits import by_fold, by_split, cause, margins_per_unit, place, span, summary
from serbench.reporting.rows import versions
from serbench.reporting.text_tables import tex, to_aligned, to_csv, to_json, to_markdown, to_tabular, writer_named
from serbench.scoring import CodedPredictions
from serbench.scoring.intervals import intervals
from serbench.scoring.margins import CONFUSION_SCORES

if TYPE_CHECKING:
    import pandas as pd

    from serbench.records import Record

NUMBERS = ("reported", "own", "mistake", "speaker_independent")
GAPS = ("gap", "mistake_gap")
COUNTS = {
    "own_count": "splits",
    "mistake_count": "mistake_splits",
    "speaker_independent_count": "speaker_independent_folds",
}
COLUMNS = (
    *("claim", "model", "metric", *NUMBERS),
    *("splits", "own_mean", "own_min", "own_max", "reported_place"),
    *(f"mistake_{end}" for end in ("splits", "mean", "min", "max")),
    *(f"speaker_independent_{end}" for end in ("folds", "mean", "min", "max", "place")),
    "separated_by",
    *(f"{gap}{end}" for gap in GAPS for end in ("", "_low", "_high", "_utterances")),
    *(f"{part}_trained" for part in NUMBERS[1:]),
    *("mistake_made", "suite", "source", "needs", "note"),
)
HEADINGS = {
    "claim": "claim",
    "model": "model",
    "metric": "metric",
    "reported": "reported",
    "own": "their protocol",
    "mistake": "with the mistake",
    "speaker_independent": "unseen speakers",
    "place": "reported is",
    "separated_by": "separated by",
    "gap": "gap",
    "trained": "trained on",
}


def claims_table(claims: Sequence[Mapping[str, Any]], records: pd.DataFrame) -> list[dict[str, Any]]:
    """Set published claims beside finished rows.

    Parameters
    ----------
    claims : sequence of mapping
        As in a suite's `published`: `claim`, `model`, `metric`, `reported`, `row`, `mistake_row`, `own`, `mistake`,
        `speaker_independent`, `corpus`, `augment`, `needs`, `note`; with `suite` and `source`.
    records : DataFrame
        From `load_suites`.

    Returns
    -------
    list of dict
        Columns `COLUMNS`; a number is None where its rows are absent or not complete. `mistake_made` says which it is;
        its number is of original utterances that the row on unseen speakers tested too, never of altered copies.
        A number over several split seeds is their mean: `splits` of `own`, from `own_min` to `own_max` (`own_mean` is
        `own`), and `reported_place` says where the reported number lies among them ("above all 10", "within"); for
        the mistake `mistake_splits` and so on; on unseen speakers the same over the folds. `separated_by`: see
        `serbench.reporting.claim_splits.cause`.
        `gap` is the number under the claim's own protocol, `mistake_gap` that with the mistake, less that on unseen
        speakers, all on the utterances that both rows tested (`…_utterances` of them), split by split. The 95 %
        interval resamples speakers, together in both, and covers the splits; None where a speaker is unknown.
        `…_trained` is how many utterances a fold's model was made from, on average, since protocols differ in it;
        copies count where they were split like utterances.

    Raises
    ------
    ResultsError
        If several rows answer to one part of a claim, such as two versions of a model; names them.
    """
    return [_claim(claim, records) for claim in claims]


def _claim(claim: Mapping[str, Any], records: pd.DataFrame) -> dict[str, Any]:
    cells = {part: _cells(claim, claim[part], records, part) for part in NUMBERS[1:]}
    unseen = cells["speaker_independent"]
    if cells["mistake"] is not None:
        cells["mistake"] = _on(cells["mistake"], _originals(cells["mistake"]))
        if unseen is not None:
            cells["mistake"] = _on(cells["mistake"], _utterances(unseen))
    metric = claim["metric"]
    scores = {part: _score(found, metric) for part, found in cells.items()}
    trained = {f"{part}_trained": _trained(found) for part, found in cells.items()}
    gaps: dict[str, Any] = {}
    for gap, part in zip(GAPS, ("own", "mistake"), strict=True):
        gaps |= {f"{gap}{end}": value for end, value in _gap(cells[part], unseen, metric).items()}
    known = {name: value for name, value in claim.items() if name in COLUMNS and name not in NUMBERS[1:]}
    made = {"mistake_made": _mistake(claim["mistake"])}
    return {**dict.fromkeys(COLUMNS), **known, **scores, **_splits(claim, cells), **gaps, **trained, **made}


def _splits(claim: Mapping[str, Any], cells: Mapping[str, pd.DataFrame | None]) -> dict[str, Any]:
    """How the numbers spread over splits and folds, where the reported one lies, and what separates it from ours."""
    metric, reported = claim["metric"], claim["reported"]
    folded = {part: by_fold if part == "speaker_independent" else by_split for part in cells}
    values = {part: [] if found is None else folded[part](found, metric) for part, found in cells.items()}
    spread = {f"{part}_{end}": value for part, several in values.items() for end, value in summary(several).items()}
    steps = ["speaker_independent", "own", *(["mistake"] if claim["mistake"] else [])]
    spans = (
        None if cells[part] is None else span(cells[part], metric, drawn=part != "speaker_independent")
        for part in steps
    )
    return {
        **{COUNTS.get(name, name): value for name, value in spread.items()},
        "reported_place": place(reported, values["own"]),
        "speaker_independent_place": place(reported, values["speaker_independent"], "fold"),
        "separated_by": cause(reported, spans),
    }


def _mistake(protocol: str | None) -> str:
    if protocol is None:
        return ""
    return build_registry().get("protocol", protocol.partition("(")[0]).mistake.short


def _originals(cells: pd.DataFrame) -> set[str]:
    return {name for name in _utterances(cells) if COPY_MARK not in name}


def _utterances(cells: pd.DataFrame) -> set[str]:
    return set().union(*(item.utterances for item in cells["tested"]))


def _on(cells: pd.DataFrame, utterances: set[str]) -> pd.DataFrame | None:
    """The cells with the answers to some utterances alone; None where there are none."""
    kept = [_answers_to(item, utterances) for item in cells["tested"]]
    return cells.assign(tested=kept) if any(len(item.truth) for item in kept) else None


def _answers_to(tested: CodedPredictions, utterances: set[str]) -> CodedPredictions:
    rows = np.array([name in utterances for name in tested.utterances], dtype=bool)
    return CodedPredictions(*(getattr(tested, item.name)[rows] for item in fields(tested)))


def _trained(cells: pd.DataFrame | None) -> float | None:
    if cells is None:
        return None
    counts = [record.sizes.get("train", np.nan) + _held_out(record) for record in cells["record"]]
    return None if np.isnan(counts).any() else float(np.mean(counts))


def _held_out(record: Record) -> int:
    """Utterances that a network's validation part took from training, where they were at hand too.

    The test part, taken for one by mistake, was not to be; and a model without epochs, which answers such a part for
    an ensemble, trains on it in the end.
    """
    return record.sizes.get("validation", 0) if record.history and record.validation != "test" else 0


def _cells(claim: Mapping[str, Any], protocol: str | None, records: pd.DataFrame, part: str) -> pd.DataFrame | None:
    """Finished cells of the row that stands for a part of a claim; None unless all its folds are done."""
    if protocol is None or claim["row"] is None:
        return None
    if named := claim.get("rows", {}).get(part):
        return _complete(records[(records["suite"] == claim["suite"]) & (records["row"] == named)])
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
    # Corpora that came later make rows of their own: the one with all that is there by now stands for the claim.
    corpora = found["corpus"].str.count(r"\+")
    found = found[corpora == corpora.max()]
    if found["row"].nunique() > 1:
        raise _ambiguous(claim, row, protocol, found)
    return _complete(found)


def _complete(found: pd.DataFrame) -> pd.DataFrame | None:
    return None if found.empty or (found["status"] != "ok").any() else found


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
        hint="name the corpus in the claim, or the row that is meant by its id (rows: {own: …})",
    )


def _score(cells: pd.DataFrame | None, metric: str) -> float | None:
    return None if cells is None else float(np.mean(by_split(cells, metric)))


def _gap(left: pd.DataFrame | None, unseen: pd.DataFrame | None, metric: str) -> dict[str, float | int | None]:
    """How much more one row gets than that on unseen speakers, on the utterances that both have tested."""
    nothing = dict.fromkeys(("", "_low", "_high", "_utterances"))
    if left is None or unseen is None:
        return nothing
    tested = _utterances(unseen)
    splits = [split for _, split in left.groupby("seed") if _utterances(split) & tested]
    if not splits:
        return nothing
    # Each split is held against the answers on unseen speakers to that split's utterances.
    pairs = [(_on(split, tested), _on(unseen, _utterances(split))) for split in splits]
    gaps = [_score(first, metric) - _score(second, metric) for first, second in pairs]
    gap = {**nothing, "": float(np.mean(gaps)), "_utterances": len(_utterances(left) & tested)}
    measured = [(margins_per_unit(first), margins_per_unit(second)) for first, second in pairs]
    if {unit for pair in measured for _, unit in pair} != {"speaker"}:
        return gap
    if len({tuple(_speakers(side)) for pair in pairs for side in pair}) > 1:
        return gap
    # Model seeds of one side are pooled; splits stay apart.
    both = np.stack([np.stack([side.sum(axis=0) for side, _ in pair], axis=1) for pair in measured])
    score = CONFUSION_SCORES[metric]
    bounds = intervals(
        both, {"gap": lambda totals: score(totals[..., 0, :, :]) - score(totals[..., 1, :, :])}, "speaker", upper=None
    )["gap"]
    return gap if np.isnan(bounds.low) else {**gap, "_low": bounds.low, "_high": bounds.high}


def _speakers(cells: pd.DataFrame) -> list[str]:
    return sorted({str(name) for item in cells["tested"] for name in item.speakers})


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
    numbers = [_number_text(row, name) for name in NUMBERS]
    place, separated = row["reported_place"] or "–", row["separated_by"] or "–"
    if row.get("needs") and row["own"] is None:
        separated = f"needs {row['needs']}"
    return [*named, *numbers, place, separated, _gap_text(row), _trained_text(row)]


def _number_text(row: Mapping[str, Any], name: str) -> str:
    """A number, with its range where there are several splits or folds, and the mistake that made it."""
    low, high = row.get(f"{name}_min"), row.get(f"{name}_max")
    said = [] if low is None or low == high else [f"{_percent(low)} to {_percent(high)}"]
    said += [row["mistake_made"]] if name == "mistake" and row[name] is not None and row["mistake_made"] else []
    return _percent(row[name]) + (f" ({'; '.join(said)})" if said else "")


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f}"


def _trained_text(row: Mapping[str, Any]) -> str:
    """Utterances that trained: under the claim's protocol, with the mistake, and on unseen speakers."""
    known = [row[f"{part}_trained"] for part in NUMBERS[1:]]
    return " / ".join(f"{count:.0f}" for count in known if count is not None) or "–"


def _gap_text(row: Mapping[str, Any]) -> str:
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
