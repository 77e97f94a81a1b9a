"""The unit of work: a cell, what names it, and what follows from its fields alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from serbench.errors import ResultsError
from serbench.identity import content_id
from serbench.records.enrolling import enrolled_name
from serbench.records.plain import plain
from serbench.records.shapes import check_shape
from serbench.specs import recorded_features, renamed_features

ROW_ID_LENGTH = 8
# Inner folds of a suite that names none; left out of a cell's id.
INNER_FOLDS = 3


@dataclass(frozen=True)
class Cell:
    """One corpus × features × model × protocol × fold × seed, resolved; everything here can change a score.

    The id covers the fields that differ from their default, so that a field added later changes no id.

    Attributes
    ----------
    corpus : str
        Name; merged corpora are joined by `+`.
    labels : mapping
        ``{"name": str, "labels": [...], "map": {corpus: {own label: label or None}}}``, resolved.
    features : tuple of mapping
        ``{"name", "version", "params"}`` of each set; several are concatenated. Here and below, `params`
        holds what differs from the defaults; the version pins the defaults.
    normalise : {"none", "speaker"}
    model, protocol : mapping
        ``{"name", "version", "params"}``.
    fold : str
    seed : int
    corpus_options : mapping
        Options of the corpora that differ from their defaults, by corpus name.
    excluded : tuple of str
        Ids of utterances that the suite leaves out.
    tuning, augment : mapping
        Empty: untuned, unaugmented. Tuned: `trials`, and `timeout` (seconds), `inner` (folds), `features` and `choices`
        where they differ from their defaults; `fixed` names parameters that the suite gives at their defaults.
    members : tuple of mapping
        Of an ensemble: the fields in which each member's cell of the same fold and seed differs from its own.
    permute_labels : bool
        A sanity run: the labels of the training part are permuted, so that nothing can be learnt.
    enrol : mapping
        Empty: nothing is heard of test speakers beforehand. Else `utterances` (how many, or "all" others), `label`
        where only these are heard, `apart` (label or "*" -> how many are kept from scoring, whatever is heard).
    """

    corpus: str
    labels: Mapping[str, Any]
    features: tuple[Mapping[str, Any], ...]
    model: Mapping[str, Any]
    protocol: Mapping[str, Any]
    fold: str
    seed: int = 0
    normalise: str = "none"
    corpus_options: Mapping[str, Any] = field(default_factory=dict)
    excluded: tuple[str, ...] = ()
    tuning: Mapping[str, Any] = field(default_factory=dict)
    augment: Mapping[str, Any] = field(default_factory=dict)
    members: tuple[Mapping[str, Any], ...] = ()
    permute_labels: bool = False
    enrol: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Plain data of the fields that differ from their defaults."""
        values = {}
        for item in dataclasses.fields(self):
            value = getattr(self, item.name)
            if value != _default(item):
                values[item.name] = plain(value)
        return values

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Cell:
        """Rebuild a cell from `to_json`'s data.

        Raises
        ------
        ResultsError
            For fields that this version does not know.
        ValueError
            For data of another shape.
        """
        if not isinstance(data, Mapping):
            raise ValueError(f"a cell is a mapping, found {type(data).__name__}")
        known = {item.name for item in dataclasses.fields(cls)}
        if unknown := set(data) - known:
            raise ResultsError(
                f"the record holds unknown cell fields: {', '.join(sorted(unknown))}",
                hint="it was written by a newer serbench: update this one",
            )
        check_shape("cell", data)
        values = {key: tuple(value) if isinstance(value, list) else value for key, value in data.items()}
        return cls(**values)

    @cached_property
    def id(self) -> str:
        """Sixteen hexadecimal characters, the same on every machine."""
        return content_id(self.to_json())

    @cached_property
    def row(self) -> str:
        """Eight hexadecimal characters that name its leaderboard row: the cell without fold and seed."""
        identity = {name: value for name, value in self.to_json().items() if name not in ("fold", "seed")}
        return content_id(identity, ROW_ID_LENGTH)

    @property
    def repetition(self) -> tuple[str, int]:
        """Its row and its seed: all folds of one repetition come from one results folder, never from two."""
        return self.row, self.seed

    @property
    def feature_name(self) -> str:
        """Display name of the features, e.g. ``mfcc+handcrafted (speaker-normalised)``; of an ensemble, its size."""
        names = "+".join(_with_params({**entry, "name": renamed_features(entry["name"])}) for entry in self.features)
        if self.members:
            names = f"ensemble of {len(self.members)}"
        elif self.normalise != "none":
            names = f"{names} ({self.normalise}-normalised)"
        return f"{names} ({enrolled_name(self.enrol)})" if self.enrol else names

    @property
    def model_name(self) -> str:
        """Display name of the model with the parameters that differ from its defaults."""
        return _with_params(self.model)

    @property
    def protocol_name(self) -> str:
        """Display name of the protocol with the parameters that differ from its defaults."""
        return _with_params(self.protocol)


def member_cells(cell: Cell) -> list[Cell]:
    """The cells that an ensemble's cell averages."""
    plain = replace(cell, members=(), tuning={}, augment={}, normalise="none")
    return [
        replace(plain, **{name: tuple(value) if name == "features" else value for name, value in member.items()})
        for member in cell.members
    ]


def member_title(cell: Cell) -> str:
    """What a suite's ensembles call a row: ``model@features``."""
    return f"{cell.model_name}@{cell.feature_name}"


def recorded_title(cell: Cell) -> str:
    """`member_title` by the names that cells keep."""
    model, _, features = member_title(cell).partition("@")
    return f"{model}@{'+'.join(map(recorded_features, features.split('+')))}"


def feature_choices(tuning: Mapping[str, Any], own: Sequence[Mapping[str, Any]]) -> list[tuple[Mapping[str, Any], ...]]:
    """The cell's own features, then those that its search may choose instead.

    Examples
    --------
    >>> feature_choices({}, [{"name": "mfcc"}])
    [({'name': 'mfcc'},)]
    """
    return [tuple(own), *(tuple(sets) for sets in tuning.get("features", ()))]


def feature_sets(cell: Cell) -> list[Mapping[str, Any]]:
    """The feature sets that a cell reads, with those that its search may choose from."""
    return [entry for sets in feature_choices(cell.tuning, cell.features) for entry in sets]


def named_parts(cell: Cell) -> list[tuple[str, str]]:
    """Kind and name of all that a cell, or each member of an ensemble, is made of: what may come from a plug-in."""
    found = []
    for part in member_cells(cell) or [cell]:
        found += [("model", part.model["name"]), ("protocol", part.protocol["name"])]
        found += [("features", entry["name"]) for entry in feature_sets(part)]
    return found


def _default(item: dataclasses.Field) -> Any:
    return item.default if item.default_factory is dataclasses.MISSING else item.default_factory()


def _with_params(entry: Mapping[str, Any]) -> str:
    if not entry.get("params"):
        return entry["name"]
    return f"{entry['name']}({', '.join(f'{key}={value}' for key, value in sorted(entry['params'].items()))})"
