"""The verdict on a row or a split: from the audits of its folds, and by layer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

INDEPENDENT = "speaker-independent"
TRANSDUCTIVE = "transductive"
ENROLLED = "enrolled"
UNKNOWN = "speakers unknown"
# Rows of different standing are never ranked against one another.
STANDINGS = (INDEPENDENT, ENROLLED, TRANSDUCTIVE, f"not {INDEPENDENT}")

LAYERS = ("split", "features", "model", "selection")
AUDITED, DECLARED, LEAKY = "audited", "declared", "leaky"
# From the strongest to the weakest: a row is worth its weakest layer.
STATES = (AUDITED, DECLARED, LEAKY)


@dataclass(frozen=True)
class Layer:
    """What is known of one layer of a row.

    Attributes
    ----------
    state : {"audited", "declared", "leaky"}
        Declared: nothing was seen to leak, and nothing here has looked.
    why : str
        What leaks, or who declares it.

    Examples
    --------
    >>> str(Layer("declared", "plug-in own")), Layer.parse("leaky: memory").why
    ('declared: plug-in own', 'memory')
    """

    state: str = AUDITED
    why: str = ""

    @classmethod
    def parse(cls, text: str) -> Layer:
        """Read what `str` has written."""
        state, _, why = text.partition(": ")
        return cls(state, why)

    def __str__(self) -> str:
        return f"{self.state}: {self.why}" if self.why else self.state


def weakest(layers: Iterable[Layer]) -> Layer:
    """The weakest of some layers; the reasons of all that are as weak are named, each once.

    Examples
    --------
    >>> str(weakest([Layer("leaky", "speakers shared, takes shared"), Layer(), Layer("leaky", "takes shared")]))
    'leaky: speakers shared, takes shared'
    """
    layers = list(layers)
    state = max((layer.state for layer in layers), key=STATES.index, default=AUDITED)
    why = dict.fromkeys(why for layer in layers if layer.state == state and layer.why for why in layer.why.split(", "))
    return Layer(state, ", ".join(why))


@dataclass(frozen=True)
class Verdict:
    """What training knew of the test part.

    Attributes
    ----------
    leaks : tuple of str
        Kinds of what is on both sides, in any fold.
    speakers_known : bool
        False where nothing leaks as far as can be seen, but who speaks is not known.
    transductive : bool
        Whether the test utterances are normalised together.
    layers : mapping of str to Layer
        By the names in `LAYERS`; empty for a split alone.
    enrolled : str
        What was heard of the test speakers beforehand, e.g. ``5 unlabelled utterances``; "" where nothing was.

    Examples
    --------
    >>> str(Verdict(("speakers shared", "content duplicates"), transductive=True))
    'leaky: speakers shared, content duplicates; transductive'
    >>> str(Verdict(layers={"features": Layer("declared", "features file own"), "model": Layer()}))
    'speaker-independent; features declared'
    >>> str(Verdict(enrolled="5 unlabelled utterances"))
    'enrolled: 5 unlabelled utterances'
    """

    leaks: tuple[str, ...] = ()
    speakers_known: bool = True
    transductive: bool = False
    layers: Mapping[str, Layer] = field(default_factory=dict)
    enrolled: str = ""

    @classmethod
    def over(cls, audits: Iterable[Mapping[str, Any]], *, transductive: bool = False, enrolled: str = "") -> Verdict:
        """The verdict over several folds: everything that any of their audits (`audit_split`) has found."""
        audits = list(audits)
        leaks = dict.fromkeys(leak["kind"] for audit in audits for leak in audit.get("leaks", ()))
        known = all(audit.get("speaker_independent") or audit.get("leaks") for audit in audits)
        return cls(tuple(leaks), known, transductive, enrolled=enrolled)

    @property
    def standing(self) -> str:
        """One of `STANDINGS`."""
        if self.leaks or self._leaky_layers or not self.speakers_known:
            return STANDINGS[-1]
        if self.transductive:
            return TRANSDUCTIVE
        return ENROLLED if self.enrolled else INDEPENDENT

    @property
    def headline(self) -> str:
        """The state of the weakest layer; "" where no layer was looked at."""
        return weakest(self.layers.values()).state if self.layers else ""

    @property
    def _leaky_layers(self) -> list[str]:
        return [layer.why for layer in self.layers.values() if layer.state == LEAKY]

    def __str__(self) -> str:
        # The split's leaks are named by their kinds; what the canary has found in other layers follows them.
        reasons = dict.fromkeys(why for text in self._leaky_layers for why in text.split(", "))
        leaks = dict.fromkeys([*self.leaks, *reasons])
        parts = [f"leaky: {', '.join(leaks)}"] if leaks else []
        parts += [] if self.speakers_known else [UNKNOWN]
        parts += [TRANSDUCTIVE] if self.transductive else []
        parts += [f"{ENROLLED}: {self.enrolled}"] if self.enrolled else []
        declared = [name for name in ("features", "model") if self.layers.get(name, Layer()).state == DECLARED]
        said = [f"{', '.join(declared)} {DECLARED}"] if declared else []
        return "; ".join([*(parts or [INDEPENDENT]), *said])
