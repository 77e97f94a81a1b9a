"""A row's UAR by part of the corpus: by fold, by sentence, by intensity."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from serbench.reporting.text_tables import interval_text, percent, to_terminal
from serbench.scoring.coding import CodedPredictions, label_codes
from serbench.scoring.intervals import intervals, margins_by_unit
from serbench.scoring.margins import classes_scored, margin_uar

if TYPE_CHECKING:
    import pandas as pd
    from rich.table import Table

# What a part is called here, and the column of the predictions that tells it.
PARTS = {"fold": "fold", "sentence": "text", "intensity": "intensity"}
# Corpora of single words have hundreds of sentences: they are in the JSON alone.
MOST_SHOWN = 24


def uar_by_part(cells: pd.DataFrame, frames: Mapping[str, pd.DataFrame]) -> list[dict[str, Any]]:
    """Score each fold, sentence and intensity by itself.

    Parameters
    ----------
    cells : DataFrame
        Finished cells of one row.
    frames : mapping
        Cell id -> predictions, from `load_predictions`.

    Returns
    -------
    list of dict
        `by` (fold, sentence, intensity), `part`, `uar` (over the classes that the part has; mean over seeds), `low` and
        `high` (95 %), `interval` (its unit and method), `classes`, `utterances`. A part that is the whole is left out.
    """
    import pandas as pd

    done = cells[cells["id"].isin(frames)]
    tested = pd.concat(
        [frames[cell.id].query("role == 'test'").assign(fold=cell.fold, seed=cell.seed) for cell in done.itertuples()]
    )
    labels = done["cell"].iloc[0].labels["labels"]
    found = []
    for by, column in PARTS.items():
        groups = list(tested[tested[column] != ""].groupby(column))
        if len(groups) > 1:
            found += [{"by": by, "part": str(part), **_scored(group, labels)} for part, group in groups]
    return found


def part_tables(found: list[dict[str, Any]]) -> list[Table]:
    """The parts as rich tables, one for each kind; folds have a table of their own in `serbench show`."""
    tables = []
    for by in PARTS:
        rows = [entry for entry in found if entry["by"] == by]
        if by == "fold" or not 1 < len(rows) <= MOST_SHOWN:
            continue
        lines = [
            (
                entry["part"],
                percent(entry["uar"]),
                interval_text(entry["low"], entry["high"]),
                *map(str, (entry["classes"], entry["utterances"])),
            )
            for entry in rows
        ]
        tables.append(to_terminal([by, "UAR %", "95 %", "classes", "utterances"], lines, title=f"UAR by {by}"))
    return tables


def _scored(rows: pd.DataFrame, labels: list[str]) -> dict[str, Any]:
    seeds, tested = zip(*rows.groupby("seed"), strict=True)
    coded = [
        CodedPredictions(
            *(label_codes(own[name].tolist(), labels) for name in ("truth", "predicted")),
            own["speaker"].to_numpy(dtype=object),
            (own["corpus"] + "/" + own["utterance"]).to_numpy(dtype=object),
        )
        for own in tested
    ]
    statistics, unit = margins_by_unit(coded, seeds, len(labels))
    bounds = intervals(statistics, {"uar": margin_uar}, unit)["uar"]
    total = statistics.sum(axis=1)
    return {
        "uar": float(np.mean(margin_uar(total))),
        "low": bounds.low,
        "high": bounds.high,
        "interval": f"{bounds.unit} {bounds.method}",
        "classes": classes_scored(total[0]),
        "utterances": int(rows[["corpus", "utterance"]].drop_duplicates().shape[0]),
    }
