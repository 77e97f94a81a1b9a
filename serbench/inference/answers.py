"""An answer with all that is known of it: probabilities, what it is worth, and what is strange about the input."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from serbench.errors import ModelError, SerbenchError, UsageError
from serbench.inference.clips import Clip
from serbench.inference.inputs import measure, strangeness
from serbench.inference.model import SpeechModel

UNSURE = "unsure"
SILENCE = "silence"
FAR = "features far from training: beyond 99 % of its utterances"
LONGEST = 120.0
BATCH = 32


@dataclass(frozen=True)
class Answer:
    """What a model says of one recording, or of one window of it.

    Attributes
    ----------
    label : str
        The likeliest; `unsure` where its probability is below the one asked for; `silence` where nobody speaks.
    probabilities : mapping
        By label, summing to one; empty for silence.
    likeliest : str
        The likeliest label, also where the answer is `unsure`.
    worth : str
        What is known of such an answer from the error sheet; empty without one.
    start, end : float or None
        Seconds, of a window.
    """

    name: str
    label: str
    likeliest: str = ""
    probabilities: dict[str, float] = field(default_factory=dict)
    worth: str = ""
    warnings: tuple[str, ...] = ()
    start: float | None = None
    end: float | None = None

    @property
    def probability(self) -> float | None:
        """Of the likeliest label."""
        return self.probabilities.get(self.likeliest)

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        window = {} if self.start is None else {"start": round(self.start, 3), "end": round(self.end or 0.0, 3)}
        return {
            "file": self.name,
            **window,
            "label": self.label,
            "likeliest": self.likeliest,
            "probability": self.probability,
            "probabilities": self.probabilities,
            "worth": self.worth,
            "warnings": list(self.warnings),
        }


class Respondent:
    """Asks a model, and says what its answers are worth.

    Parameters
    ----------
    model : SpeechModel
    abstain : float, optional
        Share of right answers wanted: below the probability from which on out-of-fold answers reach it, the answer
        is `unsure`.

    Raises
    ------
    UsageError
        If no probability reaches it.
    ModelError
        If the model has no error sheet to tell it from.
    """

    def __init__(self, model: SpeechModel, abstain: float | None = None):
        self.model = model
        self.labels = [str(label) for label in model.classes_]
        self._worth = {label: model.sheet.worth(label) if model.sheet else "" for label in self.labels}
        self.threshold = 0.0 if abstain is None else self._threshold(abstain)

    def ask(self, clips: Sequence[Clip]) -> list[Answer | SerbenchError]:
        """Answers for some recordings; an error stands in the place of one that cannot be answered."""
        asked = self.model.answer(clips)
        return [
            found if isinstance(found, SerbenchError) else self._answer(clip, found.probabilities, found.far)
            for clip, found in zip(clips, asked, strict=True)
        ]

    def _answer(self, clip: Clip, probabilities: Any, far: bool) -> Answer:
        best = int(probabilities.argmax())
        label = self.labels[best]
        known = self.model.sheet.inputs if self.model.sheet else {}
        warnings = strangeness(measure(clip), known) + ([FAR] if far else [])
        return Answer(
            name=clip.name,
            label=label if probabilities[best] >= self.threshold else UNSURE,
            likeliest=label,
            probabilities={name: float(value) for name, value in zip(self.labels, probabilities, strict=True)},
            worth=self._worth[label],
            warnings=tuple(warnings),
        )

    def _threshold(self, precision: float) -> float:
        sheet = self.model.sheet
        if not 0 < precision <= 1:
            raise UsageError(f"a share of {precision:g} right answers", where="--abstain", hint="between 0 and 1")
        if sheet is None:
            raise ModelError(
                "a cell's model has no error sheet", where="--abstain", hint="train its row: serbench train"
            )
        cut = sheet.cut_for(precision)
        if cut is None:
            best = max(sheet.cuts, key=lambda item: item.precision, default=None)
            reached = f"the best is {best.precision:.2f}, on {100 * best.answered:.0f} % of them" if best else ""
            raise UsageError(
                f"never were its answers about people it has not heard right {100 * precision:.0f} % of the time",
                where="--abstain", hint=f"ask for less: {reached}",
            )  # fmt: skip
        return cut.probability


def in_batches(clips: Iterator[Clip | SerbenchError]) -> Iterator[list[Clip | SerbenchError]]:
    """Recordings in batches of at most 32 and some two minutes, so that memory stays bounded."""
    batch: list[Clip | SerbenchError] = []
    seconds = 0.0
    for item in clips:
        batch.append(item)
        seconds += getattr(item, "seconds", 0.0)
        if len(batch) >= BATCH or seconds >= LONGEST:
            yield batch
            batch, seconds = [], 0.0
    if batch:
        yield batch


def ask_all(
    respondent: Respondent, clips: Iterator[Clip | SerbenchError]
) -> Iterator[tuple[Clip | SerbenchError, Answer | SerbenchError]]:
    """Ask batch by batch; yields each item with its answer, errors among the items as they are."""
    for batch in in_batches(clips):
        answers = iter(respondent.ask([item for item in batch if isinstance(item, Clip)]))
        for item in batch:
            yield item, next(answers) if isinstance(item, Clip) else item
