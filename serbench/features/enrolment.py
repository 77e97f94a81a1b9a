"""Normalise speakers by their own statistics: known ones by all they said, new ones by a few utterances, shrunk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from serbench.errors import EnrolmentError
from serbench.features.matrix import FeatureMatrix

MEAN, MEAN_STD = "mean", "mean_std"
METHODS = (MEAN, MEAN_STD)


@dataclass(frozen=True)
class Sums:
    """Counts (n,), sums (n, d) and sums of squares (n, d) of the frames of n utterances; a vector is one frame.

    Both sums are taken about an origin (d,), so that a variance far from zero keeps its digits.
    """

    counts: np.ndarray
    totals: np.ndarray
    squares: np.ndarray

    @classmethod
    def of(cls, matrix: FeatureMatrix, origin: np.ndarray) -> Sums:
        """Add up each utterance of a matrix."""
        values = matrix.values.astype(np.float64) - origin
        if matrix.offsets is None:
            return cls(np.ones(len(values)), values, values**2)
        starts = matrix.offsets[:-1]
        totals, squares = (np.add.reduceat(part, starts, axis=0) for part in (values, values**2))
        return cls(np.diff(matrix.offsets).astype(np.float64), totals, squares)

    def over(self, positions: Sequence[int] | np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """Count, sum and sum of squares of some utterances together."""
        return self.counts[positions].sum(), self.totals[positions].sum(axis=0), self.squares[positions].sum(axis=0)


@dataclass(frozen=True)
class Population:
    """What speakers are like: the mean of their means (d,), of their variances (d,), and frames of an utterance."""

    mean: np.ndarray
    variance: np.ndarray
    frames: float

    @classmethod
    def of(cls, matrix: FeatureMatrix, speakers: Mapping[str, np.ndarray]) -> Population:
        """Average over speakers, each with the positions of their utterances.

        Raises
        ------
        EnrolmentError
            If there are fewer than two.
        """
        if len(speakers) < 2:
            raise EnrolmentError(
                f"{len(speakers)} training speaker: what a new one is like cannot be learnt",
                hint="use a protocol that trains on two speakers or more",
            )
        origin = matrix.values.mean(axis=0, dtype=np.float64)
        sums = Sums.of(matrix, origin)
        found = [_own(sums, positions) for positions in speakers.values()]
        counts = np.concatenate([sums.counts[positions] for positions in speakers.values()])
        mean = origin + np.mean([mean for mean, _ in found], axis=0)
        return cls(mean, np.mean([variance for _, variance in found], axis=0), float(counts.mean()))


@dataclass(frozen=True)
class Adaptation:
    """How a new speaker's features are brought to the population's.

    With count N, mean m and sum of squared deviations S of the frames heard, and of the population mean M, variance V
    and L frames an utterance, k pseudo-utterances give the mean ``(N m + k L M) / (N + k L)`` and the variance
    ``(S + k L V) / (max(N - 1, 0) + k L)``: the posterior means under conjugate priors of that weight (Gelman et al.,
    Bayesian Data Analysis, 3.3).

    Attributes
    ----------
    method : {"mean", "mean_std"}
        `mean` subtracts the mean; `mean_std` divides by the standard deviation too.
    strength : float
        k, in utterances.
    """

    method: str
    strength: float
    population: Population

    def statistics(self, count: float, total: np.ndarray, squares: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and deviation (d,) of a speaker of whom these sums, about the population's mean, were heard."""
        weight = self.strength * self.population.frames
        mean = self.population.mean + total / (count + weight)
        if self.method == MEAN:
            return mean, np.ones_like(mean)
        spread = np.maximum(squares - total**2 / max(count, 1), 0.0)
        return mean, _deviation((spread + weight * self.population.variance) / (max(count - 1, 0) + weight))

    def of_utterances(self, utterances: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Mean and deviation of a speaker of whom these utterances, each (d,) or (frames, d), were heard."""
        if not len(utterances):
            return self.statistics(0.0, np.zeros_like(self.population.mean), np.zeros_like(self.population.mean))
        frames = np.vstack([np.atleast_2d(item) for item in utterances]).astype(np.float64) - self.population.mean
        return self.statistics(float(len(frames)), frames.sum(axis=0), (frames**2).sum(axis=0))

    def to_json(self) -> dict[str, Any]:
        """Plain data for a saved model."""
        population = self.population
        return {
            "method": self.method,
            "strength": self.strength,
            "mean": population.mean.tolist(),
            "variance": population.variance.tolist(),
            "frames": population.frames,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Adaptation:
        """Read what `to_json` gave."""
        mean, variance = (np.asarray(data[name], dtype=np.float64) for name in ("mean", "variance"))
        return cls(data["method"], float(data["strength"]), Population(mean, variance, float(data["frames"])))


def adapted(
    matrix: FeatureMatrix,
    adaptation: Adaptation,
    known: Mapping[str, tuple[np.ndarray, np.ndarray]],
    new: Mapping[str, tuple[np.ndarray, np.ndarray]],
    *,
    others: bool = False,
) -> FeatureMatrix:
    """Normalise known speakers by all they said, and new ones by what was heard of them.

    Parameters
    ----------
    matrix : FeatureMatrix
    known : mapping
        Speaker -> positions of all they said, and of what is normalised by it: the same, with altered copies.
    new : mapping
        Speaker -> positions heard, and positions of all their utterances.
    others : bool
        Each utterance of a new speaker by what was heard but for itself.

    Returns
    -------
    FeatureMatrix
        What belongs to neither is as in `matrix`.
    """
    means = np.zeros((len(matrix), matrix.dimensions))
    deviations = np.ones_like(means)
    sums = Sums.of(matrix, adaptation.population.mean)
    for own, positions in known.values():
        mean, variance = _own(sums, own)
        means[positions] = adaptation.population.mean + mean
        deviations[positions] = _deviation(variance) if adaptation.method == MEAN_STD else 1.0
    for heard, positions in new.values():
        for place in positions if others else ():
            means[place], deviations[place] = adaptation.statistics(*sums.over(heard[heard != place]))
        if not others:
            means[positions], deviations[positions] = adaptation.statistics(*sums.over(heard))
    if matrix.offsets is not None:
        rows = np.repeat(np.arange(len(matrix)), np.diff(matrix.offsets))
        means, deviations = means[rows], deviations[rows]
    return FeatureMatrix(matrix.ids, ((matrix.values - means) / deviations).astype(np.float32), matrix.offsets)


def _own(sums: Sums, positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    count, total, squares = sums.over(positions)
    mean = total / count
    return mean, np.maximum(squares / count - mean**2, 0.0)


def _deviation(variance: np.ndarray) -> np.ndarray:
    # A dimension that does not vary stays as it is; the sums leave some 1e-12 of its square.
    return np.where(variance > 1e-12, np.sqrt(variance), 1.0)
