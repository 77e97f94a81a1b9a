"""The error sheet of a trained model: what its row honestly reached, and what an answer is therefore worth."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

# Fewer answers say nothing of how often such answers are right.
FEWEST = 20
Share = Annotated[float, Field(ge=0, le=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Bounded(_Strict):
    """A score with its 95 % interval over speakers; None where it is not defined."""

    value: float | None
    low: float | None
    high: float | None


class ClassSheet(_Strict):
    """Precision and recall of one label on people the model had not heard."""

    label: str
    precision: Bounded
    recall: Bounded
    support: int
    prior: Share


class CorpusCard(_Strict):
    """A corpus that the model was trained on."""

    name: str
    version: str
    language: str
    elicitation: str
    licence: str
    terms: str
    citation: str

    @property
    def short(self) -> str:
        """Such as ``ravdess_speech, acted English``."""
        kind = " ".join(filter(None, (self.elicitation, self.language)))
        return ", ".join(filter(None, (self.name, kind)))


class Bin(_Strict):
    """Answers of similar probability: how many, how sure on average, and the share of right ones."""

    count: int
    confidence: float
    accuracy: float


class Condition(_Strict):
    """UAR of the row on a degraded version of its test part, or of its twin that first hears the speaker."""

    condition: str
    uar: Bounded


class Cut(_Strict):
    """What is left if answers below a probability are withheld: their share, and how often they are right."""

    probability: Share
    answered: Share
    precision: Share


class Priors(_Strict):
    """A log-bias per class beside the temperature: tried, and used where it helps.

    Attributes
    ----------
    log_loss_without, log_loss_with : float
        Mean log-loss of utterances of speakers that neither was fitted on.
    log_bias : list of float
        By label; empty where it does not lower the log-loss, and is not used.
    row_uar : float
        Of the row itself. With a bias the scores of the sheet are those of the biased answers.
    """

    log_loss_without: float
    log_loss_with: float
    log_bias: list[Annotated[float, Field(allow_inf_nan=False)]]
    row_uar: float


class Range(_Strict):
    """Between which values nearly all training utterances lie."""

    low: float
    high: float


class ErrorSheet(_Strict):
    """What is known of a model's errors.

    Attributes
    ----------
    suite, row, title : str
        The leaderboard row: its suite, its id, ``corpus/protocol/features/model``.
    verdict : str
        Of the audit: whether the results are about people that training did not hear.
    method, unit : str
        How the intervals were made.
    confusion : list of list of int
        Rows are true labels, columns answers.
    log_loss, brier, ece : Bounded
        Of the out-of-fold probabilities at the model's temperature.
    cuts : list of Cut
        By rising probability.
    robustness, enrolment : list of Condition
        The row on degraded audio, and its twins that first hear unlabelled utterances of the speaker; empty where that
        was not run.
    priors : Priors
        What came of fitting class priors.
    inputs : mapping
        Ranges of what the training recordings measure (`serbench.inference.inputs`).
    """

    suite: str
    row: str
    title: str
    protocol: str
    verdict: str
    labels: list[str]
    uar: Bounded
    accuracy: Bounded
    macro_f1: Bounded
    method: str
    unit: str
    utterances: int
    speakers: int
    folds: str
    classes: list[ClassSheet]
    confusion: list[list[int]]
    temperature: float
    log_loss: Bounded
    brier: Bounded
    ece: Bounded
    reliability: list[Bin]
    cuts: list[Cut]
    robustness: list[Condition]
    enrolment: list[Condition]
    priors: Priors
    corpora: list[CorpusCard]
    trained_on: int
    inputs: dict[str, Range]

    @model_validator(mode="after")
    def _one_bias_per_label(self) -> ErrorSheet:
        if len(self.priors.log_bias) not in (0, len(self.labels)):
            raise ValueError(f"{len(self.priors.log_bias)} biases for {len(self.labels)} labels")
        return self

    @property
    def heard(self) -> str:
        """The corpora in words, such as ``ravdess_speech, acted English``."""
        return "; ".join(corpus.short for corpus in self.corpora)

    @property
    def unseen(self) -> bool:
        """Whether the results are about people that training did not hear."""
        return self.verdict.startswith("speaker-independent")

    def worth(self, label: str) -> str:
        """What an answer is worth, in one sentence."""
        precision = next(item.precision for item in self.classes if item.label == label)
        whom = "people it has not heard" if self.unseen else f"the people of its corpus ({self.verdict})"
        if precision.value is None:
            return f"it never said {label} to {whom} ({self.heard})"
        bounds = "" if precision.low is None else f" [{100 * precision.low:.0f}, {100 * precision.high:.0f}]"
        right = f"{100 * precision.value:.0f} % of the time{bounds}"
        return f"when it says {label} to {whom}, it is right {right} ({self.heard})"

    def cut_for(self, precision: float) -> Cut | None:
        """The lowest probability from which on answers are right that often; None where none is."""
        reached = [cut for cut in self.cuts if cut.precision >= precision]
        return min(reached, key=lambda cut: cut.probability) if reached else None


def cuts(confidence: np.ndarray, right: np.ndarray, steps: int = 100) -> list[Cut]:
    """Share and precision of the answers at or above each of some probabilities.

    Cuts that keep fewer than twenty answers say nothing and are left out.

    Examples
    --------
    >>> kept = cuts(np.linspace(0.01, 1, 100), np.arange(100) >= 50, steps=2)
    >>> [(round(cut.probability, 2), cut.answered, cut.precision) for cut in kept]
    [(0.01, 1.0, 0.5), (0.51, 0.5, 1.0)]
    """
    found = []
    for probability in np.unique(np.quantile(confidence, np.arange(steps) / steps, method="higher")):
        kept = confidence >= probability
        if kept.sum() >= FEWEST:
            shares = {"answered": float(kept.mean()), "precision": float(right[kept].mean())}
            found.append(Cut(probability=float(probability), **shares))
    return found
