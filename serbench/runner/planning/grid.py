"""The rows of single models of a suite: features × models × protocols, tuned and augmented variants."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from serbench.errors import UnknownName
from serbench.records import INNER_FOLDS, Cell
from serbench.records.enrolling import enrol_settings
from serbench.registry import Registry
from serbench.runner.planning.selection import entry_key
from serbench.runner.planning.task import Task
from serbench.runner.suite.schema import Entry, Suite, Tuning
from serbench.specs import FeatureSpec, Mistake, ModelSpec, ProtocolSpec, recorded_features

ALL_FOLDS = "*"


def single_rows(
    suite: Suite, task: Task, registry: Registry, protocol: Entry, seed: int, *, permute_labels: bool = False
) -> list[Cell]:
    """Rows of one corpus under one protocol and seed, without ensembles, as cells of all folds.

    Raises
    ------
    UnknownName
        For a model, feature set or parameter that there is not.
    """
    return [replace(row, permute_labels=permute_labels) for row in _rows(suite, task, registry, protocol, seed)]


def _rows(suite: Suite, task: Task, registry: Registry, protocol: Entry, seed: int) -> Iterable[Cell]:
    where = f"suite '{suite.name}'"
    for block in suite.grid:
        if entry_key(protocol) not in {entry_key(entry) for entry in block.protocols}:
            continue
        if seed not in (block.seeds or suite.seeds):
            continue
        mistake = registry.get("protocol", protocol.name, where=where).mistake
        for entry in block.features:
            sets = [registry.features(item.name, item.params, where=where) for item in entry.sets]
            for item in block.models:
                model = registry.model(item.name, item.params, where=where)
                if fits(model, sets):
                    cell = Cell(
                        corpus=task.name,
                        labels=task.labels,
                        features=tuple(_resolved(s, e, where) for s, e in zip(sets, entry.sets, strict=True)),
                        normalise=entry.normalise,
                        model=_resolved(model, item, where),
                        protocol=_resolved(registry.get("protocol", protocol.name, where=where), protocol, where),
                        fold=ALL_FOLDS,
                        seed=seed,
                        corpus_options=task.options,
                        excluded=task.excluded,
                    )
                    if block.enrol:
                        # The block's own copies alone: those of the suite are for rows that hear nobody.
                        for variant in block.augment or [None]:
                            augment = variant.resolved() if variant else {}
                            settings = enrol_settings(block.enrol)
                            yield from (replace(cell, augment=augment, enrol=setting) for setting in settings)
                        continue
                    tuning = block.tuning or suite.tuning
                    searches = [{}]
                    if tuning and model.space and not mistake.validates_on_test:
                        searches.append(_resolved_tuning(tuning, cell, item.params, model, registry, where))
                    for variant in block.augment or suite.augment:
                        augment = variant.resolved() if variant else {}
                        if _makes(mistake, model, augment):
                            yield from (replace(cell, augment=augment, tuning=search) for search in searches)


def _makes(mistake: Mistake, model: ModelSpec, augment: Mapping[str, Any]) -> bool:
    """Whether a row can make the protocol's mistake: it needs copies to split, or an epoch to choose."""
    return (bool(augment) or not mistake.splits_copies) and (model.validation or not mistake.validates_on_test)


def _resolved_tuning(
    tuning: Tuning, cell: Cell, given: Mapping[str, Any], model: ModelSpec, registry: Registry, where: str
) -> dict[str, Any]:
    """`Cell.tuning`: what differs from the defaults, and of the choices those that this model can take.

    A parameter that the suite gives is not searched; where it is given at its default, `Cell.model` does not show it.
    """
    alternatives = []
    for entry in tuning.features:
        sets = [registry.features(item.name, item.params, where=where) for item in entry.sets]
        resolved = [_resolved(spec, item, where) for spec, item in zip(sets, entry.sets, strict=True)]
        if fits(model, sets) and resolved not in (list(cell.features), *alternatives):
            alternatives.append(resolved)
    found = {
        "timeout": tuning.timeout,
        "inner": tuning.inner if tuning.inner != INNER_FOLDS else None,
        "features": alternatives,
        "choices": {name: values for name, values in tuning.choices.items() if name in model.params},
        "fixed": sorted(name for name in given if name not in cell.model["params"]),
    }
    return {"trials": tuning.trials, **{name: value for name, value in found.items() if value}}


def fits(model: ModelSpec, sets: Sequence[FeatureSpec]) -> bool:
    """Whether a model takes these feature sets: of its kind, among those it names, and only vectors side by side."""
    right_kind = all(item.kind == model.accepts for item in sets)
    named = not model.features or all(item.name in model.features for item in sets)
    return right_kind and named and (len(sets) == 1 or model.accepts == "vector")


def _resolved(spec: Any, entry: Entry, where: str) -> dict[str, Any]:
    # A plug-in model without declared parameters takes any; the rest take what they declare.
    declared = spec.params or not isinstance(spec, ModelSpec)
    for name in entry.params if declared else ():
        if name not in spec.params:
            raise UnknownName.among(f"parameter of '{spec.name}'", name, spec.params, where=where)
    missing = object()
    given = spec.pin(entry.params) if isinstance(spec, ProtocolSpec) and spec.pin else entry.params
    params = {key: value for key, value in given.items() if value != spec.params.get(key, missing)}
    name = recorded_features(spec.name) if isinstance(spec, FeatureSpec) else spec.name
    return {"name": name, "version": spec.version, "params": params}


def without_weights(row: Cell) -> Cell:
    """A row as it is planned where the weights of its encoders are absent, which its versions else tell."""

    def unknown(sets: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
        return [{**entry, "version": entry["version"].partition("-")[0]} for entry in sets]

    tuning = {name: [*map(unknown, value)] if name == "features" else value for name, value in row.tuning.items()}
    (model,) = unknown([row.model]) if row.model else ({},)
    return replace(row, features=tuple(unknown(row.features)), model=model, tuning=tuning)


def splittings(suite: Suite) -> list[tuple[Entry, int]]:
    """The distinct protocols of a suite, each with every seed that a block has."""
    pairs = [(entry, seed) for block in suite.grid for entry in block.protocols for seed in block.seeds or suite.seeds]
    return list({(entry_key(entry), seed): (entry, seed) for entry, seed in pairs}.values())
