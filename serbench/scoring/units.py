"""What is resampled: speakers where all are known, else utterances."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from serbench.scoring.coding import CodedPredictions, factorise
from serbench.scoring.margins import grouped_confusion, margins

SPEAKER, UTTERANCE = "speaker", "utterance"


def margins_by_unit(tested: Sequence[CodedPredictions], seeds: Sequence[int], n_classes: int) -> tuple[np.ndarray, str]:
    """Margins per seed and unit, shape (seeds, units, 3, K), and what the unit is.

    The unit is the speaker if every speaker is known and there are two or more, else the utterance.

    Parameters
    ----------
    tested : sequence of CodedPredictions
        Such as one per fold and seed.
    seeds : sequence of int
        The seed of each of them.
    """
    names = np.concatenate([item.speakers for item in tested])
    unit = unit_of(names)
    if unit == UTTERANCE:
        names = np.concatenate([item.utterances for item in tested])
    codes, units = factorise(names)
    by_seed = {seed: number for number, seed in enumerate(sorted(set(seeds)))}
    seed_of = np.concatenate(
        [np.full(len(item.truth), by_seed[seed]) for item, seed in zip(tested, seeds, strict=True)]
    )
    confusion = grouped_confusion(
        np.concatenate([item.truth for item in tested]),
        np.concatenate([item.predicted for item in tested]),
        seed_of * len(units) + codes,
        n_classes,
        len(by_seed) * len(units),
    )
    return margins(confusion).reshape(len(by_seed), len(units), 3, n_classes), unit


def sums_by_unit(values: np.ndarray, speakers: np.ndarray) -> tuple[np.ndarray, str]:
    """Values per utterance (n, M) summed per unit, shape (1, units, M), and what the unit is."""
    unit = unit_of(speakers)
    if unit == UTTERANCE:
        return values[None], unit
    codes, names = factorise(speakers)
    summed = np.zeros((len(names), values.shape[1]))
    np.add.at(summed, codes, values)
    return summed[None], unit


def unit_of(speakers: np.ndarray) -> str:
    """`speaker` if every speaker is known and there are two or more, else `utterance`."""
    return SPEAKER if (speakers != "").all() and len(set(speakers)) > 1 else UTTERANCE
