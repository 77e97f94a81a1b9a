"""Parts cut from training: for early stopping, and folds for tuning, with the protocol's own independence.

Where training has too few speakers for that, the cut is by sentence, then stratified; the level that was
reached is returned and recorded. The outer verdict is unaffected: nothing of the test part is in here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

import numpy as np
import pandas as pd

from serbench.errors import ProtocolError
from serbench.identity import seed_for
from serbench.protocols.balanced_folds import assign_groups, assign_stratified, draw_stratified
from serbench.protocols.tables import linked_groups

# A validation part takes whole groups: two must stay for fitting, or it would fit on a single voice.
GROUPS_FOR_VALIDATION = 3
GROUPS_FOR_FOLDS = 2
DRAWS = 10


def validation_split(
    table: pd.DataFrame, independence: Collection[str], *, seed: int, fraction: float = 0.15
) -> tuple[np.ndarray, np.ndarray, str]:
    """Cut a validation part from training rows, balanced in labels (and gender, where speakers are whole).

    Parameters
    ----------
    table : DataFrame
        Task table rows of the training part, in any order.
    independence : collection of {"speaker", "text", "corpus"}
        What the protocol promises; decides the level that is tried first.
    fraction : float
        Share of the rows that is due; whole speakers come as near as they can.

    Returns
    -------
    fit, validation : ndarray of int
        Positions in `table`, ascending.
    level : {"speaker", "text", "stratified"}

    Raises
    ------
    ProtocolError
        If no class has two utterances.
    """
    ordered = table.reset_index(drop=True).sort_values("id", kind="stable")
    seed = seed_for(seed, "validation")
    drawn, level = _draw(ordered, independence, fraction, seed)
    if not drawn.any():
        raise ProtocolError(
            f"{len(table)} training utterances, none of them a second of its class: no validation part can be cut",
            hint="use more data, or a model without a validation part",
        )
    positions = ordered.index.to_numpy()
    return np.sort(positions[~drawn]), np.sort(positions[drawn]), level


def inner_folds(
    table: pd.DataFrame, independence: Collection[str], *, k: int, seed: int
) -> tuple[list[tuple[np.ndarray, np.ndarray]], str]:
    """Cut training rows into folds for tuning; fewer than k where there are fewer groups.

    Parameters
    ----------
    table : DataFrame
        Task table rows of the training part, in any order.
    independence : collection of {"speaker", "text", "corpus"}

    Returns
    -------
    folds : list of (train, test)
        Arrays of positions in `table`, ascending; every row is tested once.
    level : {"speaker", "text", "stratified"}

    Raises
    ------
    ProtocolError
        If k is below two, or there are fewer than two rows.
    """
    if k < 2 or len(table) < 2:
        raise ProtocolError(f"{k} inner folds of {len(table)} training utterances", hint="give at least 2 of both")
    ordered = table.reset_index(drop=True).sort_values("id", kind="stable")
    seed = seed_for(seed, "inner folds")
    level, groups = next(_levels(ordered, independence, GROUPS_FOR_FOLDS), ("stratified", None))
    if groups is None:
        folds = assign_stratified(ordered, min(k, len(table)), seed)
    else:
        count = min(k, len(set(groups)))
        folds = assign_groups(ordered, groups, np.full(count, 1 / count), seed)
    positions = ordered.index.to_numpy()
    parts = [(np.sort(positions[folds != fold]), np.sort(positions[folds == fold])) for fold in range(folds.max() + 1)]
    return parts, level


def _draw(table: pd.DataFrame, independence: Collection[str], fraction: float, seed: int) -> tuple[np.ndarray, str]:
    for level, groups in _levels(table, independence, GROUPS_FOR_VALIDATION):
        drawn = _draw_groups(table, groups, fraction, seed)
        if drawn is not None:
            return drawn, level
    return draw_stratified(table, fraction, seed), "stratified"


def _draw_groups(table: pd.DataFrame, groups: np.ndarray, fraction: float, seed: int) -> np.ndarray | None:
    """Draw whole groups, or None where every draw takes all utterances of a class: it could never be learnt."""
    labels = table["label"].to_numpy()
    for draw in range(DRAWS):
        drawn = assign_groups(table, groups, (1 - fraction, fraction), seed_for(seed, str(draw))) == 1
        if set(labels[~drawn]) == set(labels):
            return drawn
    return None


def _levels(table: pd.DataFrame, independence: Collection[str], least: int) -> Iterator[tuple[str, np.ndarray]]:
    # A speaker promise that cannot be kept still keeps sentences apart; a text promise asks for no more.
    levels = ("speaker", "text") if "speaker" in independence else ("text",) if "text" in independence else ()
    for level in levels:
        groups = linked_groups(table, level)
        if "" not in groups and len(set(groups)) >= least:
            yield level, groups
