"""Made-up speakers who differ as those behind the committed rows do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.special import betaincinv, ndtr

from serbench.reporting.comparison import predictions_of
from serbench.reporting.loading import load_records
from serbench.scoring.paired import per_speaker

RESULTS = Path(__file__).parents[2] / "results"
BOARDS = {"ravdess": "official", "emodb": "loso"}


@dataclass(frozen=True)
class Effects:
    """How the recalls of a row differ between speakers.

    Attributes
    ----------
    recalls : ndarray of shape (rows, K)
        Of each class, for every committed row.
    spread : float
        Variance between speakers of a class' recall p, as a share of p (1 - p); utterances' own chance is taken out.
    common : float
        The part of it that all classes share.
    shared : float
        The part of it that two rows share.
    """

    recalls: np.ndarray
    spread: float
    common: float
    shared: float


def committed(suite: str) -> tuple[np.ndarray, np.ndarray]:
    """Hits (rows, speakers, K) and trials (speakers, K) of a suite's board of unseen speakers, without `majority`."""
    records = load_records(RESULTS, suite)
    plain = (records["model"] != "majority") & records["cell"].map(lambda cell: not cell.enrol)
    of_board = plain & (records["protocol"] == BOARDS[suite]) & (records["status"] == "ok")
    answers = [per_speaker(predictions_of(cells)) for _, cells in records[of_board].groupby("row")]
    return np.stack([hits for hits, _ in answers]), answers[0][1]


def measure(suite: str) -> Effects:
    """Variance components of the committed rows by the method of moments, averaged over rows."""
    hits, trials = committed(suite)
    counted = np.where(trials > 1, trials, np.nan)
    recalls = hits / counted
    means = hits.sum(axis=1) / trials.sum(axis=0)
    chance = np.nanmean(recalls * (1 - recalls) / (counted - 1), axis=1)
    total = float((np.nanvar(recalls, axis=1, ddof=1) - chance).mean())
    deviations = recalls - np.nanmean(recalls, axis=1, keepdims=True)
    speakers, classes = trials.shape
    across = [np.nanmean(deviations[..., one] * deviations[..., two]) for one in range(classes) for two in range(one)]
    correction = speakers / (speakers - 1)
    # Two rows err on the same utterances: part of what they share is those, not the speakers.
    rows = [np.nanmean(deviations[one] * deviations[two]) for one in range(len(hits)) for two in range(one)]
    return Effects(
        recalls=means.clip(0.02, 0.98),
        spread=total / float((means * (1 - means)).mean()),
        common=max(0.0, float(np.mean(across)) * correction / total),
        shared=min(0.95, max(0.0, float(np.mean(rows)) * correction / total)),
    )


def draw(
    effects: Effects,
    generator: np.random.Generator,
    *,
    speakers: int,
    folds: int,
    utterances: int,
    rows: int = 1,
    seeds: int = 1,
    retraining: float = 0.0,
) -> tuple[np.ndarray, np.ndarray, float]:
    """Hits of rows whose true UAR is the same.

    The recall of a class is a Beta variable over speakers, tied together between classes and rows by a Gaussian copula;
    so its mean, the truth, is exact.

    Parameters
    ----------
    utterances : int
        Of each class by each speaker.
    retraining : float
        Share of the copula's variance that is the trained model's: anew for each row, seed and fold, and common to the
        fold's speakers and classes.

    Returns
    -------
    tuple
        Hits (rows, seeds, speakers, K), trials (speakers, K), and the true UAR.
    """
    recalls = effects.recalls[generator.integers(len(effects.recalls))]
    classes = len(recalls)

    def normal(*shape: int) -> np.ndarray:
        return generator.normal(size=shape)

    def tied(part: float, one: np.ndarray, other: np.ndarray) -> np.ndarray:
        return np.sqrt(part) * one + np.sqrt(1 - part) * other

    def of_speakers(count: int) -> np.ndarray:
        return tied(effects.common, normal(count, 1, speakers, 1), normal(count, 1, speakers, classes))

    latent = tied(effects.shared, of_speakers(1), of_speakers(rows))
    trained = normal(rows, seeds, folds, 1)[:, :, np.arange(speakers) % folds]
    latent = tied(retraining, trained, np.broadcast_to(latent, (rows, seeds, speakers, classes)))
    weight = 1 / effects.spread - 1
    chances = betaincinv(recalls * weight, (1 - recalls) * weight, ndtr(latent))
    return generator.binomial(utterances, chances), np.full((speakers, classes), utterances), float(recalls.mean())
