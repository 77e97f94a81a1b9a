"""What the command line keeps of a suite, and what it adds to it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from serbench.errors import UnknownName, UsageError
from serbench.registry import Registry
from serbench.runner.suite.schema import Block, Entry, FeaturesEntry, Suite, Tuning
from serbench.runner.suite.titles import read_features_title, read_title


@dataclass(frozen=True)
class Filters:
    """Names to keep; an empty one keeps all. `trials` tunes, on `inner` folds, whatever the suite says.

    `row` names rows by their ids, whether they are sanity runs or not. `permute_labels` makes sanity runs: the training
    labels are permuted, so that every row must fall to chance.
    """

    corpus: Sequence[str] = ()
    features: Sequence[str] = ()
    model: Sequence[str] = ()
    protocol: Sequence[str] = ()
    fold: Sequence[str] = ()
    seed: Sequence[int] = ()
    trials: int | None = None
    inner: int | None = None
    permute_labels: bool = False
    row: Sequence[str] = ()


def select(suite: Suite, registry: Registry, filters: Filters) -> Suite:
    """Keep what the filters name; a model, feature set or protocol that the suite lacks is added to it.

    So ``--plugin own.py --model own`` puts a user's model beside the suite's, on the suite's feature
    sets and under its protocols.
    """
    known = ["+".join(item.name for item in entry) for entry in suite.corpora]
    for name in filters.corpus:
        if name not in known:
            raise UnknownName.among("corpus", name, known, where=f"suite '{suite.name}'")
    corpora = [
        entry for entry, name in zip(suite.corpora, known, strict=True) if not filters.corpus or name in filters.corpus
    ]
    filters = _read(filters)
    seeds = list(filters.seed) or suite.seeds
    named = {name: suite.ensembles[name] for name in filters.model if name in suite.ensembles}
    models = tuple(name for name in filters.model if name not in named)
    grid = [] if named and not models else _filtered(suite, registry, replace(filters, model=models))
    members = [member for ensemble in named.values() for member in ensemble.members]
    grid += [part for block in suite.grid for part in _member_blocks(block, members, filters)]
    if filters.seed:
        grid = [block.model_copy(update={"seeds": None}) for block in grid]
    tuning = _tuning(suite.tuning, filters)
    if filters.inner is not None and not (tuning or any(block.tuning for block in grid)):
        raise UsageError("inner folds without a search", where="--inner", hint="say --trials N too")
    return suite.model_copy(
        update={
            "corpora": corpora,
            "seeds": seeds,
            "grid": grid,
            "tuning": tuning,
            "ensembles": named if filters.model else suite.ensembles,
        }
    )


def _member_blocks(block: Block, members: Iterable[str], filters: Filters) -> Iterable[Block]:
    """What a block holds of the members of ensembles, whichever models and features were named besides."""
    protocols = [entry for entry in block.protocols if _matches(entry, filters.protocol)]
    for model, _, features in (member.partition("@") for member in members):
        models = [entry for entry in block.models if _title(entry) == model]
        sets = [entry for entry in block.features if _title(entry) == features]
        if models and sets and protocols:
            kept = {"features": sets, "models": models, "protocols": protocols}
            yield block.model_copy(update={**kept, "tuning": block.tuning and _tuning(block.tuning, filters)})


def _tuning(tuning: Tuning | None, filters: Filters) -> Tuning | None:
    given = {"trials": filters.trials, "inner": filters.inner}
    given = {name: value for name, value in given.items() if value is not None}
    if tuning:
        return tuning.model_copy(update=given)
    return Tuning(**given) if filters.trials is not None else None


def _filtered(suite: Suite, registry: Registry, filters: Filters) -> list[Block]:
    grid = list(suite.grid)
    everything = {
        "features": _distinct(entry for block in grid for entry in block.features),
        "models": _distinct(entry for block in grid for entry in block.models),
        "protocols": _distinct(entry for block in grid for entry in block.protocols),
    }
    for kind, names in (("features", filters.features), ("models", filters.model), ("protocols", filters.protocol)):
        have = {_title(entry) for entry in everything[kind]} | {_base(entry) for entry in everything[kind]}
        added = [_entry(kind, name) for name in names if name not in have]
        for entry in added:
            for item in entry.sets if kind == "features" else [entry]:
                registry.get(kind if kind == "features" else kind.removesuffix("s"), item.name)
        if added:
            grid.append(Block(**{**everything, kind: added}))
            # A new model meets new feature sets, too.
            everything[kind] = [*everything[kind], *added]
    kept = []
    for block in grid:
        features = [entry for entry in block.features if _matches(entry, filters.features)]
        models = [entry for entry in block.models if _matches(entry, filters.model)]
        protocols = [entry for entry in block.protocols if _matches(entry, filters.protocol)]
        if features and models and protocols:
            tuning = block.tuning and _tuning(block.tuning, filters)
            kept.append(
                block.model_copy(
                    update={"features": features, "models": models, "protocols": protocols, "tuning": tuning}
                )
            )
    return kept


def _entry(kind: str, title: str) -> Entry | FeaturesEntry:
    return FeaturesEntry(**read_features_title(title)) if kind == "features" else Entry(**read_title(title))


def _read(filters: Filters) -> Filters:
    """The filters with names as this module writes them, whatever the order and the spacing of parameters."""
    given = {"features": filters.features, "models": filters.model, "protocols": filters.protocol}
    read: dict[str, list[str]] = {kind: [] for kind in given}
    for kind, names in given.items():
        for name in names:
            try:
                read[kind].append(_title(_entry(kind, name)))
            except ValueError as error:
                where = f"--{kind if kind == 'features' else kind.removesuffix('s')}"
                raise UsageError(f"'{name}' cannot be read", where=where, hint=str(error)) from error
    return replace(filters, features=read["features"], model=read["models"], protocol=read["protocols"])


def entry_key(entry: Entry) -> str:
    """Tells entries apart by name and parameters."""
    return json.dumps([entry.name, entry.params], sort_keys=True)


def _distinct(entries: Iterable) -> list:
    return list({entry.model_dump_json(): entry for entry in entries}.values())


def _matches(entry: Entry | FeaturesEntry, names: Sequence[str]) -> bool:
    return not names or _title(entry) in names or _base(entry) in names


def _base(entry: Entry | FeaturesEntry) -> str:
    return entry.name if isinstance(entry, Entry) else "+".join(item.name for item in entry.sets)


def _with_params(entry: Entry) -> str:
    shown = ", ".join(f"{key}={value}" for key, value in sorted(entry.params.items()))
    return f"{entry.name}({shown})" if shown else entry.name


def _title(entry: Entry | FeaturesEntry) -> str:
    if isinstance(entry, FeaturesEntry):
        sets = "+".join(map(_with_params, entry.sets))
        return sets if entry.normalise == "none" else f"{sets} ({entry.normalise}-normalised)"
    return _with_params(entry)
