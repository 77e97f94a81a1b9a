"""Two systems side by side on the same utterances, with speakers as the unit.

Folds are never the unit: six folds can never reach p < 0.03, and folds share their training data.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from serbench.errors import ResultsError
from serbench.scoring.coding import CodedPredictions, factorise
from serbench.scoring.intervals import SPEAKER, intervals, margins_by_unit
from serbench.scoring.margins import margin_uar

MCNEMAR_CAVEAT = "takes utterances for independent, which those of one speaker are not: too small a p"


@dataclass(frozen=True)
class RowPredictions:
    """What a system answered, utterance by utterance, sorted by utterance.

    Attributes
    ----------
    utterances, speakers : ndarray of str, shape (n,)
    truth : ndarray of int, shape (n,)
    hits, trials : ndarray of float, shape (n,)
        Right answers out of how many: several seeds answer an utterance several times.
    labels : tuple of length K
    seed_uars : tuple of float
        UAR of each seed.
    """

    utterances: np.ndarray
    speakers: np.ndarray
    truth: np.ndarray
    hits: np.ndarray
    trials: np.ndarray
    labels: tuple[Hashable, ...]
    seed_uars: tuple[float, ...]


def pooled_predictions(
    tested: Sequence[CodedPredictions], labels: Sequence[Hashable], seeds: Sequence[int] | None = None
) -> RowPredictions:
    """Pool what a system answered in several folds and seeds; `seeds` is that of each of them, the same unless told."""
    truth, predicted, speakers, names = (
        np.concatenate([getattr(item, column) for item in tested])
        for column in ("truth", "predicted", "speakers", "utterances")
    )
    codes, utterances = factorise(names)
    first = np.zeros(len(utterances), dtype=np.int64)
    first[codes] = np.arange(len(codes))
    return RowPredictions(
        utterances=np.asarray(utterances, dtype=object),
        speakers=speakers[first],
        truth=truth[first],
        hits=np.bincount(codes, truth == predicted, minlength=len(utterances)),
        trials=np.bincount(codes, minlength=len(utterances)).astype(np.float64),
        labels=tuple(labels),
        seed_uars=_seed_uars(tested, labels, [0] * len(tested) if seeds is None else seeds),
    )


def same_utterances(a: RowPredictions, b: RowPredictions) -> bool:
    """Whether two systems answered the same utterances under the same labels."""
    return (
        a.labels == b.labels
        and len(a.utterances) == len(b.utterances)
        and bool((a.utterances == b.utterances).all())
        and bool((a.truth == b.truth).all())
    )


def refuse_different(a: RowPredictions, b: RowPredictions, names: tuple[str, str]) -> None:
    """Raise unless two systems answered the same utterances; says what differs."""
    if same_utterances(a, b):
        return
    if a.labels != b.labels:
        what = f"different label lists: {_listed(a)} against {_listed(b)}"
    else:
        ours, theirs = set(a.utterances), set(b.utterances)
        only = [
            f"{len(one - two)} only in {name}"
            for name, one, two in zip(names, (ours, theirs), (theirs, ours), strict=True)
        ]
        example = next(iter(sorted(ours ^ theirs)), "")
        what = f"different utterances: {', '.join(only)}" if example else "different true labels of the same utterances"
        what += f" (such as {example})" if example else ""
    hint = "compare rows of the same corpus, labels and protocol, with all their folds done"
    raise ResultsError(what, where=" / ".join(names), hint=hint)


def per_speaker(row: RowPredictions) -> tuple[np.ndarray, np.ndarray]:
    """Hits and trials per speaker and class, each of shape (speakers, K), speakers in sorted order.

    Trials are normed to one per utterance, so that a system with three seeds counts like one with a single seed.
    """
    codes, names = factorise(row.speakers)
    n_classes = len(row.labels)
    place = codes * n_classes + row.truth
    shape = (len(names), n_classes)
    hits = np.bincount(place, row.hits / row.trials, minlength=shape[0] * shape[1]).reshape(shape)
    trials = np.bincount(place, minlength=shape[0] * shape[1]).reshape(shape).astype(np.float64)
    return hits, trials


def speaker_contributions(a: RowPredictions, b: RowPredictions) -> np.ndarray:
    """What each speaker adds to the difference of pooled UARs, A − B; they sum to it.

    Both share the truth, so the support of a class is fixed and the pooled UAR is a sum over speakers.
    """
    (hits_a, trials), (hits_b, _) = per_speaker(a), per_speaker(b)
    support = trials.sum(axis=0)
    defined = support > 0
    return ((hits_a - hits_b)[:, defined] / support[defined]).sum(axis=1) / defined.sum()


def swap_test(contributions: np.ndarray, *, resamples: int = 10_000, seed: int = 7, exact_up_to: int = 13) -> float:
    """Two-sided p of a permutation test that swaps A and B speaker by speaker.

    Swapping a speaker turns the sign of its contribution. Up to 13 speakers all swaps are counted; beyond, 10,000 are
    drawn and the observed one is counted among them (Phipson & Smyth 2010).
    """
    units = len(contributions)
    observed = abs(contributions.sum())
    # Sums that are equal in exact arithmetic may differ in the last bits.
    reach = observed - 1e-12
    if units <= exact_up_to:
        signs = 1 - 2 * ((np.arange(2**units)[:, None] >> np.arange(units)) & 1)
        return float((np.abs(signs @ contributions) >= reach).mean())
    signs = np.random.default_rng(seed).integers(0, 2, size=(resamples, units), dtype=np.int8) * 2.0 - 1
    return float((1 + (np.abs(signs @ contributions) >= reach).sum()) / (resamples + 1))


def difference_of(a: RowPredictions, b: RowPredictions, names: tuple[str, str] = ("A", "B")) -> dict[str, Any]:
    """Difference of two systems' pooled UARs, with its interval and permutation test.

    Parameters
    ----------
    names : tuple of str
        What to call them in errors.

    Returns
    -------
    dict
        `uar_a`, `uar_b`, `difference` (A − B; means over seeds), `low`, `high` (95 %, over speakers in pairs),
        `unit`, `method`, `p` (permutation test), `speakers`, `utterances`, and `mcnemar` (`only_a`, `only_b`, `p`,
        `caveat`), which is None where an utterance was answered by several seeds.

    Raises
    ------
    ResultsError
        If they answered different utterances, or fewer than two speakers are known.
    """
    refuse_different(a, b, names)
    need_speakers(a, " / ".join(names))
    (hits_a, trials), (hits_b, _) = per_speaker(a), per_speaker(b)
    statistics = np.stack([hits_a, trials, hits_b, trials], axis=1)[None]
    trained = [
        (np.var(row.seed_uars, ddof=1) / len(row.seed_uars), len(row.seed_uars) - 1)
        for row in (a, b)
        if len(row.seed_uars) > 1
    ]
    bounds = intervals(statistics, {"difference": _difference}, SPEAKER, upper=None, more=trained)["difference"]
    uar_a, uar_b = pooled_uar(a), pooled_uar(b)
    return {
        "uar_a": uar_a,
        "uar_b": uar_b,
        "difference": uar_a - uar_b,
        "low": bounds.low,
        "high": bounds.high,
        "unit": bounds.unit,
        "method": bounds.method,
        "p": swap_test(speaker_contributions(a, b)),
        "speakers": len(trials),
        "utterances": len(a.utterances),
        "mcnemar": mcnemar(a, b),
    }


def speaker_uars(row: RowPredictions) -> np.ndarray:
    """UAR of each speaker over the classes that the speaker has, shape (speakers,)."""
    return margin_uar(np.stack(per_speaker(row), axis=-2))


def pooled_uar(row: RowPredictions) -> float:
    """UAR over all utterances, the mean over seeds."""
    return float(margin_uar(np.stack(per_speaker(row), axis=-2).sum(axis=0)))


def mcnemar(a: RowPredictions, b: RowPredictions) -> dict[str, Any] | None:
    """Exact McNemar test (1947) on utterances that one system has right and the other wrong; a footnote only."""
    from scipy.special import bdtr

    if (a.trials > 1).any() or (b.trials > 1).any():
        return None
    only_a, only_b = int((a.hits > b.hits).sum()), int((b.hits > a.hits).sum())
    discordant = only_a + only_b
    p = min(1.0, 2 * float(bdtr(min(only_a, only_b), discordant, 0.5))) if discordant else 1.0
    return {"only_a": only_a, "only_b": only_b, "p": p, "caveat": MCNEMAR_CAVEAT}


def need_speakers(row: RowPredictions, where: str) -> None:
    """Raise unless all speakers are known and there are two or more."""
    if (row.speakers == "").any():
        raise ResultsError("speakers are unknown: a comparison resamples speakers", where=where)
    count = len(set(row.speakers))
    if count < 2:
        hint = "resampling speakers needs two at least; use a corpus with more of them"
        raise ResultsError(f"{count} speaker is too few for a comparison", where=where, hint=hint)


def _seed_uars(
    tested: Sequence[CodedPredictions], labels: Sequence[Hashable], seeds: Sequence[int]
) -> tuple[float, ...]:
    statistics, _ = margins_by_unit(tested, seeds, len(labels))
    return tuple(margin_uar(statistics.sum(axis=1)).tolist())


def _difference(totals: np.ndarray) -> np.ndarray:
    return margin_uar(totals[..., :2, :]) - margin_uar(totals[..., 2:, :])


def _listed(row: RowPredictions) -> str:
    return ", ".join(map(str, row.labels))
