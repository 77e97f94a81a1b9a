"""What a worker loads and keeps: the registry, a task table, a feature matrix."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd

from serbench.circumstances import Circumstances
from serbench.features.augmentation import Alteration
from serbench.features.encoders.place import Place
from serbench.features.matrix import FeatureMatrix, concatenate
from serbench.features.normalise import normalise_by_speaker
from serbench.features.precomputed import precomputed_spec, read_precomputed
from serbench.features.ssl import SSL, ssl_spec
from serbench.features.store import FeatureStore
from serbench.identity import canonical_json, digest
from serbench.models.fine_tuned import FINE_TUNED, fine_tuned_spec
from serbench.records import Cell
from serbench.registry import Origin, Registry, build_registry
from serbench.specs import FeatureSpec

# Cells come ordered by corpus and features, so a few entries serve a worker for its life.
KEPT = 2


def open_registry(circumstances: Circumstances) -> Registry:
    """The registry with the user's plug-ins and precomputed features."""
    files = tuple(sorted(circumstances.features_files.items()))
    return _registry(circumstances.plugins, files, tuple(map(_stamp, circumstances.plugins)), Place.of(circumstances))


@lru_cache(maxsize=KEPT)
def read_task_table(path: Path) -> pd.DataFrame:
    """The task table that the parent has written for its workers."""
    return pd.read_parquet(path)


def read_matrix(task_file: Path, cell: Cell, circumstances: Circumstances) -> FeatureMatrix:
    """Features of all utterances of a task, as the cell wants them; rows follow the task table."""
    sources = (Place.of(circumstances), circumstances.plugins, tuple(sorted(circumstances.features_files.items())))
    return _matrix(task_file, canonical_json(cell.features), cell.normalise, *sources)


def read_altered(
    table: pd.DataFrame,
    features: Sequence[Mapping[str, Any]],
    alteration: Alteration,
    circumstances: Circumstances,
) -> FeatureMatrix:
    """Features of some rows of a task table under an alteration."""
    contents = [alteration.key(content) for content in table["content"]]
    return read_sets(open_registry(circumstances), store_of(circumstances), features, {}, table["id"], contents)


def read_sets(
    registry: Registry,
    store: FeatureStore,
    features: Sequence[Mapping[str, Any]],
    files: Mapping[str, Path],
    ids: Sequence[str],
    contents: Sequence[str],
) -> FeatureMatrix:
    """Features of utterances from the store, and of the sets that are files from there; side by side."""
    parts = []
    for entry in features:
        if entry["name"] in files:
            parts.append(read_precomputed(files[entry["name"]], ids))
        else:
            spec = stored_spec(registry, entry["name"], entry["params"])
            parts.append(store.read(spec, {**spec.params, **entry["params"]}, ids, contents))
    return parts[0] if len(parts) == 1 else concatenate(parts)


def stored_spec(registry: Registry, name: str, params: Mapping[str, Any]) -> FeatureSpec:
    """A feature set as the store knows it: a plug-in edited without a new version must not get its old features."""
    spec, source = registry.features(name, params), registry.source_hash("features", name)
    return replace(spec, version=f"{spec.version}-{source}") if source else spec


def store_of(circumstances: Circumstances) -> FeatureStore:
    """The feature store below the cache folder."""
    return FeatureStore(circumstances.cache / "features")


def _stamp(path: Path) -> str:
    # A plug-in edited while a notebook runs must not be served from memory.
    return digest(path.read_bytes()) if path.is_file() else ""


@lru_cache(maxsize=1)
def _registry(
    plugins: tuple[Path, ...], features_files: tuple[tuple[str, Path], ...], stamps: tuple, place: Place
) -> Registry:
    registry = build_registry(plugins)
    registry.specs["features", SSL.name] = ssl_spec(place)
    registry.specs["model", FINE_TUNED.name] = fine_tuned_spec(place)
    for name, file in features_files:
        registry.add(precomputed_spec(name, file), Origin(str(file)))
    return registry


@lru_cache(maxsize=KEPT)
def _matrix(
    task_file: Path,
    features: str,
    normalise: str,
    place: Place,
    plugins: tuple[Path, ...],
    features_files: tuple[tuple[str, Path], ...],
) -> FeatureMatrix:
    table, files = read_task_table(task_file), dict(features_files)
    registry = _registry(plugins, features_files, tuple(map(_stamp, plugins)), place)
    sets = json.loads(features)
    matrix = read_sets(registry, FeatureStore(place.cache / "features"), sets, files, table["id"], table["content"])
    return normalise_by_speaker(matrix, table["speaker"]) if normalise == "speaker" else matrix
