"""Signs, in the values of features alone, that they were fitted over all utterances.

Features of one utterance know nothing of the others. What was fitted over a whole corpus leaves marks that are exact
to the last digits over that corpus, and over no part of it: means of zero, classes of equal spread. Marks of labels
are leaks, those of other statistics make a row transductive. Where there are none, nothing is proven.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from serbench.features.matrix import FeatureMatrix
from serbench.scoring import label_codes

# Of float32 values summed over thousands of utterances; statistics that were not fitted are off by 1/sqrt(n).
EXACT = 1e-3
# A column that says one label for each of its values and has few values is the label.
FEWEST = 10
# Below: every column goes with the label, as after a selection, or in a strong set.
SELECTED = 0.05
LIKELY = 0.01


@dataclass(frozen=True)
class Sign:
    """What was seen; `leaks` where it is of labels, else it is of the test part's audio."""

    what: str
    leaks: bool


def signs_of(matrix: FeatureMatrix, table: pd.DataFrame, labels: list[str]) -> list[Sign]:
    """Look for marks of statistics over all utterances.

    Parameters
    ----------
    matrix : FeatureMatrix
        Rows as in `table`; of frames the mean is taken.
    table : DataFrame
        Task table, with `label` and `speaker`.
    """
    values = np.array([np.atleast_2d(item).mean(axis=0) for item in matrix.take(range(len(matrix)))], dtype=np.float64)
    values = values[:, values.std(axis=0) > 0]
    codes = label_codes(table["label"], labels)
    if not values.size or len(np.unique(codes)) < 2:
        return []
    found = [_label_column(values, codes), _within_classes(values, codes), _selected(values, codes)]
    found += [_by_speaker(values, table["speaker"]) or _over_all(values)]
    return [sign for sign in found if sign]


def _label_column(values: np.ndarray, codes: np.ndarray) -> Sign | None:
    for column, series in enumerate(values.T):
        kinds, positions = np.unique(series, return_inverse=True)
        if len(kinds) > FEWEST + codes.max():
            continue
        counts = np.zeros((len(kinds), codes.max() + 1))
        np.add.at(counts, (positions, codes), 1)
        if (np.count_nonzero(counts, axis=1) == 1).all() and len(series) >= 3 * len(kinds):
            return Sign(f"column {column} is a function of the label", True)
    return None


def _within_classes(values: np.ndarray, codes: np.ndarray) -> Sign | None:
    """Discriminant analysis makes columns uncorrelated within the classes, or draws each class to one point."""
    kinds, position = np.unique(codes, return_inverse=True)
    means = np.array([values[position == kind].mean(axis=0) for kind in range(len(kinds))])
    within = values - means[position]
    if np.linalg.norm(within) < EXACT * np.linalg.norm(values - values.mean(axis=0)):
        return Sign("every class is one point: fitted to all labels", True)
    if values.shape[1] < 2 or len(values) <= values.shape[1] or len(values) < 30:
        return None
    # Columns that are uncorrelated over everything (a PCA) are not meant, unless within the classes they are too.
    if _off_diagonal(within) < EXACT < _off_diagonal(values - values.mean(axis=0)) or (
        _off_diagonal(within) < EXACT and values.shape[1] < len(kinds)
    ):
        return Sign("columns are uncorrelated within the classes: a discriminant analysis of all labels", True)
    return None


def _off_diagonal(centred: np.ndarray) -> float:
    spread = np.sqrt((centred**2).sum(axis=0))
    correlation = (centred / np.where(spread > 0, spread, 1)).T @ (centred / np.where(spread > 0, spread, 1))
    return float(np.abs(correlation - np.diag(np.diag(correlation))).max())


def _selected(values: np.ndarray, codes: np.ndarray) -> Sign | None:
    """The best of many columns of noise: each goes with the label as far as the best of chance do, and none further."""
    if values.shape[1] < FEWEST:
        return None
    p = np.array([stats.f_oneway(*(series[codes == code] for code in np.unique(codes))).pvalue for series in values.T])
    if not np.isfinite(p).all() or p.max() > SELECTED or p.max() == 0:
        return None
    # Under the null hypothesis p values below a bound are uniform up to it; of true differences most are far below.
    if stats.kstest(p / p.max(), "uniform").pvalue > LIKELY:
        return Sign("columns are the best of many that chance gave: selected with all labels", True)
    return None


def _by_speaker(values: np.ndarray, speakers: pd.Series) -> Sign | None:
    names = speakers.to_numpy()
    known = [name for name in pd.unique(names) if name and np.count_nonzero(names == name) > 1]
    if len(known) < 2:
        return None
    off = [np.abs(values[names == name].mean(axis=0) / values.std(axis=0)).max() for name in known]
    return Sign("normalised by speaker over all of a speaker's utterances", False) if max(off) < EXACT else None


def _over_all(values: np.ndarray) -> Sign | None:
    centred = np.abs(values.mean(axis=0) / values.std(axis=0)) < EXACT
    if values.shape[1] >= 2 and centred.all():
        return Sign("normalised over all utterances", False)
    unit = np.isclose(values.min(axis=0), values.min()) & np.isclose(values.max(axis=0), values.max())
    if (
        values.shape[1] >= 2
        and unit.all()
        and np.isclose(values.min(), [0.0, -1.0]).any()
        and np.isclose(values.max(), 1.0)
    ):
        return Sign("scaled over all utterances", False)
    return None
