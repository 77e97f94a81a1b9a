"""What can be known without listening: how well the name of a group, such as the speaker, predicts the label."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from serbench.scoring.coding import factorise
from serbench.scoring.margins import margin_uar


def uar_from_groups(groups: Sequence[str], truth: np.ndarray, n_classes: int) -> float:
    """UAR of an answer that knows the group alone.

    Every other utterance of a group and class teaches which class the group is likeliest to have under equal priors,
    and the rest is answered with it; then the other way round. Groups that hold every class alike give chance.

    Parameters
    ----------
    groups : sequence of str, length n
        Such as speakers.
    truth : ndarray of int, shape (n,)
        Codes of the classes.

    Returns
    -------
    float
        NaN where a group is unknown ("") or there is only one.

    Examples
    --------
    >>> uar_from_groups(["a"] * 4 + ["b"] * 4, np.array([0, 0, 0, 0, 1, 1, 1, 1]), 2)
    1.0
    >>> uar_from_groups(["a"] * 4 + ["b"] * 4, np.array([0, 0, 1, 1, 0, 0, 1, 1]), 2)
    0.5
    """
    codes, names = factorise(np.asarray(groups, dtype=object))
    if len(names) < 2 or "" in set(names):
        return float("nan")
    place = codes * n_classes + np.asarray(truth)
    order = np.argsort(place, kind="stable")
    first = np.searchsorted(place[order], place[order])
    half = np.empty(len(place), dtype=np.int64)
    half[order] = (np.arange(len(place)) - first) % 2
    size = len(names) * n_classes
    counts = np.stack([np.bincount(place[half == part], minlength=size) for part in (0, 1)])
    counts = counts.reshape(2, len(names), n_classes)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    answers = shares[::-1].argmax(axis=2)
    right = answers[:, :, None] == np.arange(n_classes)
    hits = (counts * right).sum(axis=(0, 1))
    return float(margin_uar(np.stack([hits, counts.sum(axis=(0, 1))])))
