"""Labels and names as codes."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from serbench.errors import LabelError


@dataclass(frozen=True)
class CodedPredictions:
    """Predictions as codes, of one fold or of many.

    Attributes
    ----------
    truth, predicted : ndarray of int, shape (n,)
        Positions in the label list.
    speakers, utterances : ndarray of str, shape (n,)
        An unknown speaker is empty.
    """

    truth: np.ndarray
    predicted: np.ndarray
    speakers: np.ndarray
    utterances: np.ndarray


def label_codes(values: Sequence[Hashable], labels: Sequence[Hashable]) -> np.ndarray:
    """Positions of `values` in the label list, shape (n,).

    Raises
    ------
    LabelError
        If a value is not in the list.

    Examples
    --------
    >>> label_codes(["sad", "angry"], ["angry", "calm", "sad"])
    array([2, 0])
    """
    position = {label: code for code, label in enumerate(labels)}
    try:
        return np.fromiter(map(position.__getitem__, values), dtype=np.int64, count=len(values))
    except KeyError:
        unknown = sorted({str(value) for value in values if value not in position})
        raise LabelError(
            f"not in the label list: {', '.join(unknown)}", hint=f"the label list is: {', '.join(map(str, labels))}"
        ) from None


def factorise(names: Sequence[Hashable]) -> tuple[np.ndarray, list]:
    """Codes into the sorted distinct names, and those names."""
    distinct = sorted(set(names))
    return label_codes(names, distinct), distinct
