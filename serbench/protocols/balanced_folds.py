"""Assigning utterances, or whole groups such as speakers, to folds: balanced, seeded, in any row order.

Chance comes from hashes of names, never from a stream of random numbers: the result cannot depend on
row order or on a library's version, and an added utterance leaves the order of the others as it was.

The names hashed are the corpus' own: ``corpus/utterance`` and ``project/speaker`` of a corpus that has a card of its
own, so that its published folds stand for good. A name that a user gave (column `nickname`: corpora read by `folder`,
`manifest` or a derived card) is left out: utterances are known by their audio, speakers by what the corpus calls them.
So the same recordings fall into the same folds under any nickname, and through either adapter.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from serbench.identity import digest

# Shares become whole numbers of this fineness, so that ties fall the same way on every machine.
RESOLUTION = 1_000_000
SWAP_PARTNERS = 256
MAX_PASSES = 20


def shuffled(names: Sequence[str], seed: int) -> np.ndarray:
    """Positions of `names` in an order that depends on the names and the seed alone."""
    keys = [digest(f"{seed}\0{name}".encode()) for name in names]
    return np.array(sorted(range(len(names)), key=keys.__getitem__), dtype=np.int64)


def utterance_keys(table: pd.DataFrame) -> np.ndarray:
    """What each utterance of a task table is called where chance decides: its id, or its audio under a nickname.

    Returns
    -------
    ndarray of str, shape (n,)
    """
    if "nickname" not in table:
        return table["id"].to_numpy()
    return table["id"].where(table["nickname"] == "", table["content"]).to_numpy()


def group_keys(table: pd.DataFrame, groups: np.ndarray) -> dict[str, str]:
    """What each group (speaker, sentence) is called where chance decides: its name, without a nickname before it."""
    keys = {name: name for name in groups}
    if "nickname" not in table:
        return keys
    named = table["nickname"].to_numpy() != ""
    # Speakers of two corpora may share their names; the audio tells the corpora apart, whatever they are called.
    first = table[named].groupby("nickname")["content"].min()
    marks = first.to_dict() if len(first) > 1 else dict.fromkeys(first.index, "")
    for name, speaker, nickname in zip(groups[named], table["speaker"][named], table["nickname"][named], strict=True):
        if name == speaker and name.startswith(f"{nickname}/"):
            keys[name] = marks[nickname] + name.removeprefix(nickname)
    return keys


def assign_stratified(table: pd.DataFrame, k: int, seed: int) -> np.ndarray:
    """Assign utterances to k folds, class by class in shuffled order.

    Every class and the whole are spread so evenly that no two folds differ by more than one utterance.

    Parameters
    ----------
    table : DataFrame
        Task table, n rows.

    Returns
    -------
    ndarray of int, shape (n,)
        Folds 0..k-1.
    """
    labels = table["label"].to_numpy()
    order = shuffled(utterance_keys(table), seed)
    by_class = order[np.argsort(labels[order].astype(str), kind="stable")]
    folds = np.empty(len(table), dtype=np.int64)
    # The count does not start anew with each class: the sizes of the folds stay even too.
    folds[by_class] = np.arange(len(table)) % k
    return folds


def draw_stratified(table: pd.DataFrame, fraction: float, seed: int) -> np.ndarray:
    """Draw a fraction of the utterances, the same of every class, leaving at least one of each.

    Returns
    -------
    ndarray of bool, shape (n,)
        True for those drawn. A class of one utterance gives none, any other at least one.
    """
    labels = table["label"].to_numpy()
    drawn = np.zeros(len(table), dtype=bool)
    order = shuffled(utterance_keys(table), seed)
    classes = [order[labels[order] == label] for label in sorted(set(labels))]
    # Rounding the running total, not each class, keeps the whole at its fraction too.
    totals = np.rint(fraction * np.cumsum([len(members) for members in classes]))
    for members, due in zip(classes, np.diff(totals, prepend=0).astype(int), strict=True):
        if len(members) > 1:
            drawn[members[: min(max(due, 1), len(members) - 1)]] = True
    return drawn


def draw_evenly(table: pd.DataFrame, count: int, seed: int) -> np.ndarray:
    """Draw utterances so that every speaker keeps its share in each class.

    Parameters
    ----------
    table : DataFrame
        Task table, n rows.
    count : int
        How many; all, where there are no more. With fewer than there are pairs of speaker and class, some pairs have
        none, but a class has one as long as there are as many as classes.

    Returns
    -------
    ndarray of int, shape (min(n, count),)
        Positions in `table`, ascending.
    """
    order = shuffled(utterance_keys(table), seed)
    rows = table[["speaker", "label"]].iloc[order]
    pairs = rows.groupby(["speaker", "label"], sort=False)["label"]
    share = (pairs.cumcount() / pairs.transform("size")).to_numpy()
    first = ~rows["label"].duplicated().to_numpy()
    # The first of each class, then the first of each pair, and so on through the pairs at the same pace.
    return np.sort(order[np.lexsort((share, ~first))[:count]])


def assign_groups(table: pd.DataFrame, groups: np.ndarray, shares: Sequence[float], seed: int) -> np.ndarray:
    """Assign whole groups to folds of given shares, balanced in labels, gender and number of groups.

    Units are assigned in shuffled order, each to the fold that it brings nearest to its due; then single
    groups move and pairs swap while that lowers the squared distance from the due shares.

    Parameters
    ----------
    table : DataFrame
        Task table, n rows.
    groups : ndarray of str, shape (n,)
        The group (speaker, sentence) of each utterance.
    shares : sequence of float
        The share of the whole that is due to each fold; they sum to one. At least as many groups.

    Returns
    -------
    ndarray of int, shape (n,)
        Folds 0..len(shares)-1; none is empty.
    """
    names, codes = np.unique(groups.astype(str), return_inverse=True)
    keys = group_keys(table, groups.astype(str))
    order = shuffled([keys[name] for name in names], seed)
    loads = _loads(table, codes)[order]
    due = np.rint(np.outer(shares, loads.sum(axis=0))).astype(np.int64)
    folds = _improve(loads, _greedy(loads, due), due)
    of_group = np.empty(len(names), dtype=np.int64)
    of_group[order] = folds
    return of_group[codes]


def _loads(table: pd.DataFrame, codes: np.ndarray) -> np.ndarray:
    # Columns: utterances per label, per gender, and the group itself; each kind weighs the same as a whole.
    kinds = [_counts(codes, table[column].to_numpy()) for column in ("label", "gender")]
    kinds.append(np.ones((codes.max() + 1, 1)))
    scaled = [kind / kind.sum(axis=0) / np.sqrt(kind.shape[1]) for kind in kinds]
    return np.rint(np.hstack(scaled) * RESOLUTION).astype(np.int64)


def _counts(codes: np.ndarray, values: np.ndarray) -> np.ndarray:
    names, columns = np.unique(values.astype(str), return_inverse=True)
    counts = np.zeros((codes.max() + 1, len(names)), dtype=np.int64)
    np.add.at(counts, (codes, columns), 1)
    return counts


def _greedy(loads: np.ndarray, due: np.ndarray) -> np.ndarray:
    folds = np.empty(len(loads), dtype=np.int64)
    over, filled = -due, np.zeros(len(due), dtype=bool)
    for position, load in enumerate(loads):
        change = (2 * over * load + load * load).sum(axis=1)
        if len(loads) - position <= (~filled).sum():
            change[filled] = np.iinfo(np.int64).max
        fold = int(change.argmin())
        folds[position], filled[fold] = fold, True
        over[fold] += load
    return folds


def _improve(loads: np.ndarray, folds: np.ndarray, due: np.ndarray) -> np.ndarray:
    # Moving a group is swapping it with nothing: `nothing` closes the list of partners, once per fold.
    k = len(due)
    nothing = np.zeros((k, loads.shape[1]), dtype=np.int64)
    for _ in range(MAX_PASSES):
        improved = False
        for group in range(len(loads)):
            here = folds[group]
            partners = np.arange(group + 1, min(group + 1 + SWAP_PARTNERS, len(loads)))
            there = np.concatenate([folds[partners], np.arange(k)])
            over = _over(loads, folds, due)
            gain = np.concatenate([loads[partners], nothing]) - loads[group]
            change = 2 * (gain * (over[here] - over[there]) + gain * gain).sum(axis=1)
            change[there == here] = 0
            if (folds == here).sum() == 1:
                change[len(partners) :] = 0
            best = int(change.argmin())
            if change[best] < 0:
                folds[group] = there[best]
                if best < len(partners):
                    folds[partners[best]] = here
                improved = True
        if not improved:
            break
    return folds


def _over(loads: np.ndarray, folds: np.ndarray, due: np.ndarray) -> np.ndarray:
    over = -due
    np.add.at(over, folds, loads)
    return over
