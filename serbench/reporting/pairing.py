"""Two rows side by side on the same utterances: hits and trials per speaker and class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from serbench.errors import ResultsError
from serbench.reporting.rows import factorise

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Answers:
    """What a row answered, utterance by utterance, sorted by utterance.

    Attributes
    ----------
    utterances, speakers : ndarray of str, shape (n,)
    truth : ndarray of int, shape (n,)
    hits, trials : ndarray of float, shape (n,)
        Right answers out of how many: several seeds answer an utterance several times.
    labels : tuple of str
    """

    utterances: np.ndarray
    speakers: np.ndarray
    truth: np.ndarray
    hits: np.ndarray
    trials: np.ndarray
    labels: tuple[str, ...]


def answers_of(cells: pd.DataFrame) -> Answers:
    """Pool the finished cells of a row."""
    tested = list(cells["tested"])
    names = np.concatenate([item.utterances for item in tested])
    codes, utterances = factorise(names)
    truth, speakers = (
        np.concatenate([item.truth for item in tested]),
        np.concatenate([item.speakers for item in tested]),
    )
    right = np.concatenate([item.truth == item.predicted for item in tested])
    first = np.zeros(len(utterances), dtype=np.int64)
    first[codes] = np.arange(len(codes))
    return Answers(
        utterances=np.asarray(utterances, dtype=object),
        speakers=speakers[first],
        truth=truth[first],
        hits=np.bincount(codes, right, minlength=len(utterances)),
        trials=np.bincount(codes, minlength=len(utterances)).astype(np.float64),
        labels=tuple(cells["cell"].iloc[0].labels["labels"]),
    )


def same_utterances(a: Answers, b: Answers) -> bool:
    """Whether two rows answered the same utterances under the same labels."""
    return (
        a.labels == b.labels
        and len(a.utterances) == len(b.utterances)
        and bool((a.utterances == b.utterances).all())
        and bool((a.truth == b.truth).all())
    )


def refuse_different(a: Answers, b: Answers, names: tuple[str, str]) -> None:
    """Raise unless two rows answered the same utterances; says what differs."""
    if same_utterances(a, b):
        return
    if a.labels != b.labels:
        what = f"different label lists: {', '.join(a.labels)} against {', '.join(b.labels)}"
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


def per_speaker(answers: Answers) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Hits and trials per speaker and class, each of shape (speakers, K), and the speakers' names.

    Trials are normed to one per utterance, so that a row with three seeds counts like one with a single seed.
    """
    codes, names = factorise(answers.speakers)
    n_classes = len(answers.labels)
    place = codes * n_classes + answers.truth
    shape = (len(names), n_classes)
    hits = np.bincount(place, answers.hits / answers.trials, minlength=shape[0] * shape[1]).reshape(shape)
    trials = np.bincount(place, minlength=shape[0] * shape[1]).reshape(shape).astype(np.float64)
    return hits, trials, names


def speaker_contributions(a: Answers, b: Answers) -> np.ndarray:
    """What each speaker adds to the difference of pooled UARs, A − B; they sum to it.

    Both rows share the truth, so the support of a class is fixed and the pooled UAR is a sum over speakers.
    """
    hits_a, trials, _ = per_speaker(a)
    hits_b, _, _ = per_speaker(b)
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
