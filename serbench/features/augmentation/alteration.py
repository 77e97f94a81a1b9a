"""An alteration: what is done to an utterance between decoding and features, drawn anew for each of its copies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from serbench.errors import FeatureError, UnknownName
from serbench.features.augmentation.degradations import add_reverb, limit_band
from serbench.features.augmentation.transforms import (
    SEMITONES_PER_OCTAVE,
    add_noise,
    need_number,
    shift_pitch,
    shift_time,
    stretch,
)
from serbench.identity import content_id, seed_for

# Raised when a change to the code changes the samples: features of the version before are then made anew.
VERSION = "1"


class Change(NamedTuple):
    """A change by its one parameter and ``apply(signal, rate, value, random) -> signal``."""

    parameter: str
    apply: Callable[[np.ndarray, int, Any, np.random.Generator], np.ndarray]


# In the order in which they are applied: noise comes last, so that its level is that of what is heard.
CHANGES: Mapping[str, Change] = {
    "stretch": Change("rate", lambda signal, rate, value, random: stretch(signal, value)),
    "pitch": Change("semitones", lambda signal, rate, value, random: shift_pitch(signal, rate, value)),
    "shift": Change("seconds", lambda signal, rate, value, random: shift_time(signal, rate, value)),
    "reverb": Change("seconds", lambda signal, rate, value, random: add_reverb(signal, rate, value)),
    "bandwidth": Change("name", lambda signal, rate, value, random: limit_band(signal, rate, value)),
    "noise": Change("snr_db", lambda signal, rate, value, random: add_noise(signal, value, random)),
}
# Of the spectral analysis instead of the samples.
VTLP, VTLP_PARAMETER = "vtlp", "semitones"
PARAMETERS = {**{name: change.parameter for name, change in CHANGES.items()}, VTLP: VTLP_PARAMETER}


@dataclass(frozen=True)
class Alteration:
    """Changes to an utterance; chance comes from the utterance's content, the copy and the change alone.

    Attributes
    ----------
    changes : mapping
        Name of a change -> ``{parameter: value}``, as in `PARAMETERS`; a pair ``[low, high]`` is a range from which
        each utterance and copy draws its own value.
    copy : int
        Number of the copy; each draws anew.

    Examples
    --------
    >>> quiet, loud = (Alteration({"noise": {"snr_db": level}}) for level in (30, 10))
    >>> quiet.key("abc") == loud.key("abc")
    False
    """

    changes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    copy: int = 0

    def __post_init__(self) -> None:
        for name, settings in self.changes.items():
            if name not in PARAMETERS:
                raise UnknownName.among("change of a signal", name, PARAMETERS)
            if list(settings) != [PARAMETERS[name]]:
                given = ", ".join(settings) or "nothing"
                raise FeatureError(f"'{name}' is given {given}", hint=f"it takes {PARAMETERS[name]}")

    def key(self, content: str) -> str:
        """What the feature store calls the altered version of an audio content."""
        return f"{content}~{content_id([VERSION, self.changes, self.copy])}"

    def apply(self, signal: np.ndarray, rate: int, content: str) -> np.ndarray:
        """Alter a signal.

        Parameters
        ----------
        signal : ndarray of shape (samples,), float32
        rate : int
            Hz.
        content : str
            Hash of the utterance's audio: the same utterance is altered alike on every machine.

        Raises
        ------
        FeatureError
            If a value is not a number, or silence is what is left.
        """
        for name, change in CHANGES.items():
            if name in self.changes:
                value, random = self._drawn(name, content)
                signal = change.apply(signal, rate, value, random)
        if not signal.size or not np.any(signal):
            raise FeatureError(
                f"{', '.join(self.changes)}: silence is left", hint="use weaker changes, or leave the utterance out"
            )
        return signal

    def warp(self, content: str) -> float:
        """Factor by which the analysis multiplies frequencies (`Analysis.warp`); 1 without `vtlp`."""
        if VTLP not in self.changes:
            return 1.0
        semitones, _ = self._drawn(VTLP, content)
        return 2.0 ** (need_number(semitones, VTLP_PARAMETER) / SEMITONES_PER_OCTAVE)

    def _drawn(self, name: str, content: str) -> tuple[Any, np.random.Generator]:
        random = np.random.default_rng(seed_for(0, "augmentation", content, str(self.copy), name))
        value = self.changes[name][PARAMETERS[name]]
        if not isinstance(value, (list, tuple)):
            return value, random
        low, high = (need_number(end, PARAMETERS[name]) for end in value)
        return float(random.uniform(low, high)), random
