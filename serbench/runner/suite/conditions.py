"""What a suite says about waveforms: augmented copies for training, degraded audio for tests."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from serbench.runner.suite.values import LARGEST_SEED, MOST_COPIES, RATES

Number = int | float


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _is_number(value: Any) -> bool:
    return (
        isinstance(value, Number) and not isinstance(value, bool) and abs(value) < LARGEST_SEED and math.isfinite(value)
    )


def _number(value: Any) -> Number:
    if not _is_number(value):
        raise ValueError("give a number")
    return value


def _positive(value: Any) -> Number:
    if not _is_number(value) or value <= 0:
        raise ValueError("give a number above zero")
    return value


def _strength(value: Any) -> Any:
    """A number, or a range that each copy draws from."""
    ends = value if isinstance(value, list) else [value]
    if len(ends) not in (1, 2) or not all(map(_is_number, ends)):
        raise ValueError("give a number, or a range such as [10, 30]")
    if list(ends) != sorted(ends):
        raise ValueError("the lower end of a range comes first")
    return value


def _positive_strength(value: Any) -> Any:
    if min(_listed(_strength(value))) <= 0:
        raise ValueError("give numbers above zero: 1 leaves the tempo as it is")
    if min(_listed(value)) < RATES[0] or max(_listed(value)) > RATES[1]:
        raise ValueError(f"give rates from {RATES[0]:g} to {RATES[1]:g}: 1 leaves the tempo as it is")
    return value


def _up_to(most: float, unit: str) -> Any:
    """Refuse strengths beyond what a machine can bear, either way."""

    def check(value: Any) -> Any:
        if max(map(abs, _listed(value))) > most:
            raise ValueError(f"give at most {most:g} {unit}")
        return value

    return AfterValidator(check)


def _listed(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


Strength = Annotated[Any, AfterValidator(_strength)]


class Noise(_Strict):
    """White noise at a signal-to-noise ratio in dB."""

    snr_db: Strength


class Pitch(_Strict):
    """Another height of the voice, in semitones."""

    semitones: Annotated[Strength, _up_to(36, "semitones")]


class Vtlp(_Strict):
    """Another length of the vocal tract, in semitones of its resonances: frequencies are warped in the analysis."""

    semitones: Annotated[Strength, _up_to(12, "semitones")]


class Stretch(_Strict):
    """Another tempo: 1.1 speaks ten per cent faster."""

    rate: Annotated[Any, AfterValidator(_positive_strength)]


class Shift(_Strict):
    """Another place in time, in seconds."""

    seconds: Annotated[Strength, _up_to(60, "s")]


class Augment(_Strict):
    """Altered copies of training utterances: each has all the changes named, of a strength of its own."""

    noise: Noise | None = None
    pitch: Pitch | None = None
    vtlp: Vtlp | None = None
    stretch: Stretch | None = None
    shift: Shift | None = None
    copies: Annotated[int, Field(ge=1, le=MOST_COPIES, strict=True)] = 1

    @model_validator(mode="after")
    def _changes_something(self) -> Augment:
        if not self.changes():
            raise ValueError("no change is named: noise, pitch, vtlp, stretch or shift")
        return self

    def changes(self) -> dict[str, dict[str, Any]]:
        """Name of each change -> its parameter, as `Alteration` takes them."""
        return {name: vars(value) for name, value in self if isinstance(value, _Strict)}

    def resolved(self) -> dict[str, Any]:
        """`Cell.augment`."""
        return {**self.changes(), "copies": self.copies}


class Robustness(_Strict):
    """Degraded versions of the test part that trained models answer too.

    Attributes
    ----------
    noise_snr_db : list of float
        Signal-to-noise ratios of white noise, in dB.
    bandwidth : {"telephone"}
        300 to 3400 Hz.
    reverb : list of float
        Reverberation times in seconds.
    """

    noise_snr_db: Annotated[list[Annotated[Any, AfterValidator(_number)]], BeforeValidator(_listed)] = []
    bandwidth: Literal["telephone"] | None = None
    reverb: Annotated[list[Annotated[Any, AfterValidator(_positive), _up_to(60, "s")]], BeforeValidator(_listed)] = []

    @model_validator(mode="after")
    def _degrades_something(self) -> Robustness:
        if not self.degradations():
            raise ValueError("no degradation is named: noise_snr_db, bandwidth or reverb")
        return self

    def degradations(self) -> dict[str, dict[str, Any]]:
        """Name of each degradation -> its changes, as `Alteration` takes them."""
        noise = {f"noise {level:g} dB": {"noise": {"snr_db": level}} for level in self.noise_snr_db}
        band = {f"{self.bandwidth} band": {"bandwidth": {"name": self.bandwidth}}} if self.bandwidth else {}
        rooms = {f"reverb {seconds:g} s": {"reverb": {"seconds": seconds}} for seconds in self.reverb}
        return {**noise, **band, **rooms}


def _variants(value: Any) -> Any:
    return [None if item == "none" else item for item in _listed(value)]


# One row for each: `[none, {noise: …}]` trains every row with and without.
Variants = Annotated[list[Augment | None], BeforeValidator(_variants), Field(min_length=1)]
SETTINGS = {
    "augment": Augment,
    "robustness": Robustness,
    "noise": Noise,
    "pitch": Pitch,
    "vtlp": Vtlp,
    "stretch": Stretch,
    "shift": Shift,
}
