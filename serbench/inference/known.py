"""What a model's training utterances look like: how far from them the features of a recording lie.

The distance is the root mean square of the standardised features (a Mahalanobis distance with a diagonal covariance);
of a sequence, those of its mean frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

KNOWN = "known.npz"
QUANTILE = 0.99
EXAMPLES = 200


@dataclass(frozen=True)
class Known:
    """Mean and standard deviation (d,) of the training features, and the distance that 99 % of them keep within."""

    mean: np.ndarray
    deviation: np.ndarray
    limit: float

    def distances(self, features: Sequence[np.ndarray]) -> np.ndarray:
        """Distance of each utterance, shape (n,)."""
        vectors = np.stack([item if item.ndim == 1 else item.mean(axis=0) for item in features])
        return np.sqrt(np.square((vectors - self.mean) / self.deviation).mean(axis=1))

    def far(self, features: Sequence[np.ndarray]) -> np.ndarray:
        """Which utterances lie beyond the limit, shape (n,)."""
        return self.distances(features) > self.limit


def write_known(folder: Path, features: Sequence[np.ndarray], seed: int = 0) -> Path:
    """Measure training features (each (d,) or (frames, d)) and keep some as examples of a model's input.

    Up to 200 utterances, drawn by `seed`; an export is checked on them.
    """
    vectors = np.stack([item if item.ndim == 1 else item.mean(axis=0) for item in features]).astype(np.float64)
    deviation = vectors.std(axis=0)
    known = Known(vectors.mean(axis=0), np.where(deviation < 1e-9, 1.0, deviation), np.inf)
    limit = float(np.quantile(known.distances(features), QUANTILE))
    drawn = np.random.default_rng(seed).permutation(len(features))[:EXAMPLES]
    examples = [features[i] for i in sorted(drawn)]
    lengths = np.array([0 if item.ndim == 1 else len(item) for item in examples])
    path = folder / KNOWN
    np.savez_compressed(
        path,
        mean=known.mean,
        deviation=known.deviation,
        limit=limit,
        examples=np.concatenate([np.atleast_2d(item) for item in examples]).astype(np.float32),
        lengths=lengths,
    )
    return path


def read_known(folder: Path) -> Known:
    """Read what `write_known` measured."""
    with np.load(folder / KNOWN, allow_pickle=False) as arrays:
        return Known(arrays["mean"], arrays["deviation"], float(arrays["limit"]))


def read_examples(folder: Path) -> np.ndarray | list[np.ndarray]:
    """The example utterances: (n, d), or a list of (frames, d)."""
    with np.load(folder / KNOWN, allow_pickle=False) as arrays:
        examples, lengths = arrays["examples"], arrays["lengths"]
    return examples if not lengths.any() else np.split(examples, np.cumsum(lengths)[:-1])
