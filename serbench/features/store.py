"""The feature store: features on disk, keyed by the audio's content, the set, its version and its parameters.

A set with its parameters is a folder of shards. Writing adds a shard, so that several processes can fill the store at
once and a kill leaves it usable; reading finds the best intact copy of every entry, merges many shards into one, and
maps that into memory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from serbench.errors import FeatureError, ResultsError
from serbench.features.matrix import FeatureMatrix
from serbench.features.parameters import resolve_params
from serbench.features.shards import SUFFIX, Shard, open_shard, write_shard
from serbench.identity import content_id
from serbench.specs import FeatureSpec, recorded_features

MERGE_ABOVE = 4
ATTEMPTS = 10


class FeatureStore:
    """Features of audio contents below `folder`, which is made on the first write."""

    def __init__(self, folder: Path):
        self.folder = Path(folder)

    def path(self, spec: FeatureSpec, params: Mapping[str, Any]) -> Path:
        """Folder of the shards of a set with its parameters."""
        key = {"version": spec.version, "rate": spec.rate, "params": resolve_params(spec, params)}
        return self.folder / f"{recorded_features(spec.name)}-{content_id(key)}"

    def missing(self, spec: FeatureSpec, params: Mapping[str, Any], contents: Sequence[str]) -> list[str]:
        """The distinct `contents` without intact features, in their order; damaged entries are among them."""
        requested = list(dict.fromkeys(contents))
        found = self._locate(self.path(spec, params), requested)
        return [content for content in requested if content not in found]

    def write(
        self, spec: FeatureSpec, params: Mapping[str, Any], contents: Sequence[str], arrays: Sequence[np.ndarray]
    ) -> None:
        """Add the features of `contents`: one (d,) or (frames, d) array each.

        Raises
        ------
        FeatureError
            If the arrays differ in their number of values or do not fit the kind of the set.
        ResultsError
            If the store cannot be written.
        """
        if not len(contents):
            return
        ndim = 1 if spec.kind == "vector" else 2
        if any(array.ndim != ndim for array in arrays) or len({array.shape[-1] for array in arrays}) > 1:
            shapes = sorted({str(array.shape) for array in arrays})
            raise FeatureError(
                f"utterances differ in the shape of their features: {', '.join(shapes[:5])}", where=spec.name
            )
        write_shard(self.path(spec, params), contents, arrays)

    def read(
        self, spec: FeatureSpec, params: Mapping[str, Any], ids: Sequence[str], contents: Sequence[str]
    ) -> FeatureMatrix:
        """The features of utterances, in the order of `ids`; every entry's checksum is verified.

        Parameters
        ----------
        ids, contents : sequences of str
            Utterances and the hash of the audio of each.

        Returns
        -------
        FeatureMatrix
            Mapped into memory where one shard holds the entries in this order, else a copy.

        Raises
        ------
        FeatureError
            If entries are missing or damaged; `missing` lists the same.
        """
        folder = self.path(spec, params)
        found = self._locate(folder, contents)
        absent = [name for name, content in zip(ids, contents, strict=True) if content not in found]
        if absent:
            raise FeatureError(
                f"no intact features for {len(absent)} of {len(ids)} utterances, among them {absent[0]}",
                where=spec.name,
                hint="run again: they are extracted anew",
            )
        if not len(ids):
            raise FeatureError("no utterances to read features of", where=spec.name)
        if len({shard.path for shard in found.values()}) > MERGE_ABOVE:
            found = _merge(folder, found, list(dict.fromkeys(contents)))
        return _assemble(spec, tuple(ids), [found[content] for content in contents], contents)

    def entries(self, spec: FeatureSpec, params: Mapping[str, Any], contents: Sequence[str]) -> dict[str, np.ndarray]:
        """What there is intact of `contents`, each mapped into memory on its own: (rows, d); nothing is merged."""
        found = self._locate(self.path(spec, params), contents)
        return {content: shard.rows(content) for content, shard in found.items()}

    def _locate(self, folder: Path, contents: Sequence[str]) -> dict[str, Shard]:
        # The shard that holds an intact copy of each content. A shard that vanishes between listing and opening was
        # merged by another process: then look again.
        for _ in range(ATTEMPTS):
            shards, whole = _open_all(folder)
            found = _intact_copies(shards, contents)
            if whole or all(content in found for content in contents):
                break
        return found


def _open_all(folder: Path) -> tuple[list[Shard], bool]:
    shards, whole = [], True
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        try:
            shard = open_shard(path)
        except FileNotFoundError:
            whole = False
            continue
        except OSError as error:
            raise ResultsError(f"cannot read: {error.strerror}", where=str(path)) from error
        if shard is not None:
            shards.append(shard)
    return shards, whole


def _intact_copies(shards: list[Shard], contents: Sequence[str]) -> dict[str, Shard]:
    requested = set(contents)
    found: dict[str, Shard] = {}
    # The fullest shard first: what has been merged is then read as one run.
    for shard in sorted(shards, key=lambda shard: len(requested & shard.positions.keys()), reverse=True):
        for content in requested & shard.positions.keys():
            if content not in found and shard.intact(content):
                found[content] = shard
    return found


def _merge(folder: Path, found: dict[str, Shard], contents: list[str]) -> dict[str, Shard]:
    """Put `contents` into one shard and remove the shards of which it holds everything that is intact."""
    arrays = [_entry(found[content], content) for content in contents]
    try:
        path = write_shard(folder, contents, arrays)
        merged = open_shard(path)
        if merged is None:
            return found
        for shard in {shard.path: shard for shard in found.values()}.values():
            rest = shard.positions.keys() - merged.positions.keys()
            if shard.path != path and not any(shard.intact(content) for content in rest):
                shard.path.unlink(missing_ok=True)
    except (ResultsError, OSError):
        # Merging saves time later; where the disk is full or read-only, the shards serve as they are.
        return found
    return dict.fromkeys(contents, merged)


def _entry(shard: Shard, content: str) -> np.ndarray:
    rows = shard.rows(content)
    return rows if shard.sequence else rows[0]


def _assemble(spec: FeatureSpec, ids: tuple[str, ...], shards: list[Shard], contents: Sequence[str]) -> FeatureMatrix:
    if len({(shard.sequence, shard.values.shape[1]) for shard in shards}) > 1:
        raise FeatureError(
            "the store holds features of different shapes",
            where=spec.name,
            hint="the set gives arrays of varying size: correct it and raise its version",
        )
    first = shards[0]
    positions = [shard.positions[content] for shard, content in zip(shards, contents, strict=True)]
    start, stop = positions[0], positions[-1] + 1
    if all(shard is first for shard in shards) and positions == list(range(start, stop)):
        offsets = first.offsets[start : stop + 1]
        values, offsets = first.values[offsets[0] : offsets[-1]], offsets - offsets[0]
    else:
        blocks = [shard.rows(content) for shard, content in zip(shards, contents, strict=True)]
        values = np.concatenate(blocks)
        offsets = np.concatenate([[0], np.cumsum([len(block) for block in blocks])]).astype(np.int64)
    return FeatureMatrix(ids, values, offsets if first.sequence else None)
