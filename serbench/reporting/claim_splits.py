"""A number of a claim on several splits, where a reported number lies among them, and what separates it from ours."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from serbench.scoring.intervals import intervals, margins_by_unit
from serbench.scoring.margins import CONFUSION_SCORES

if TYPE_CHECKING:
    import pandas as pd

# From as many split seeds on, the lowest and the highest stand for what the draw of a split does.
FEWEST_SPLITS = 5
SAMPLING, SPEAKERS, MISTAKE = "sampling", "speakers", "mistake"
NONE, LOWER = "none of the three", "lower than ours"
CAUSES = (SAMPLING, SPEAKERS, MISTAKE)


def by_split(cells: pd.DataFrame, metric: str) -> list[float]:
    """The score of each split seed, pooled over its folds, in the order of the seeds."""
    return [float(value) for value in CONFUSION_SCORES[metric](margins_per_unit(cells)[0].sum(axis=1))]


def by_fold(cells: pd.DataFrame, metric: str) -> list[float]:
    """The score of each fold (of each seed)."""
    return [by_split(fold, metric)[0] for _, fold in cells.groupby(["seed", "fold"])]


def summary(values: Sequence[float]) -> dict[str, float | int | None]:
    """`count`, `mean`, `min` and `max`; None where there are no values."""
    if not values:
        return dict.fromkeys(("count", "mean", "min", "max"))
    return {"count": len(values), "mean": float(np.mean(values)), "min": min(values), "max": max(values)}


def place(reported: float | None, values: Sequence[float], unit: str = "split") -> str:
    """Where a reported number lies among ours.

    Examples
    --------
    >>> place(0.83, [0.78, 0.79, 0.81]), place(0.8, [0.78, 0.79, 0.81]), place(0.5, [0.6], "fold")
    ('above all 3', 'within', 'below the one fold')
    """
    if reported is None or not values:
        return ""
    if min(values) <= reported <= max(values):
        return "within"
    side = "above" if reported > max(values) else "below"
    return f"{side} all {len(values)}" if len(values) > 1 else f"{side} the one {unit}"


def span(cells: pd.DataFrame, metric: str, *, drawn: bool) -> tuple[float, float]:
    """From where to where a number goes by chance.

    Where each seed draws another test part (`drawn`), the lowest and the highest over the seeds, if there are
    `FEWEST_SPLITS` at least; else the 95 % interval over speakers (`serbench.scoring.intervals`). On unseen speakers
    each seed tests all of them, so that its range holds nothing of what other speakers would give.
    """
    values = by_split(cells, metric)
    if not drawn or len(values) < FEWEST_SPLITS:
        statistics, unit = margins_per_unit(cells)
        found = intervals(statistics, {metric: CONFUSION_SCORES[metric]}, unit)[metric]
        if not np.isnan(found.low):
            return found.low, found.high
    return min(values), max(values)


def cause(reported: float | None, spans: Iterable[tuple[float, float] | None]) -> str | None:
    """What separates a reported number from ours on unseen speakers: the first of three steps that reaches it.

    Parameters
    ----------
    reported : float or None
    spans : iterable of (low, high) or None
        As `span` has them: on unseen speakers, under the claim's own protocol, and with its mistake, in this order;
        the last is left out where no mistake is suspected. None for one that was not run.

    Returns
    -------
    str or None
        ``sampling``: unseen speakers give as much, by chance. ``speakers``: it takes a split as the authors', with the
        speakers on both sides, and no more. ``mistake``: it takes the mistake too. ``none of the three``: not even the
        mistake reaches it. ``lower than ours``: below the span on unseen speakers. None where a step that matters was
        not run.

    Examples
    --------
    >>> cause(0.8, [(0.4, 0.5), (0.6, 0.7), (0.78, 0.85)])
    'mistake'
    """
    if reported is None:
        return None
    for name, reach in zip(CAUSES, spans, strict=False):
        if reach is None:
            return None
        if name == SAMPLING and reported < reach[0]:
            return LOWER
        if reported <= reach[1]:
            return name
    return NONE


def margins_per_unit(cells: pd.DataFrame) -> tuple[np.ndarray, str]:
    """Margins per seed and unit (see `margins_by_unit`)."""
    n_classes = len(cells["cell"].iloc[0].labels["labels"])
    return margins_by_unit(list(cells["tested"]), [int(seed) for seed in cells["seed"]], n_classes)
