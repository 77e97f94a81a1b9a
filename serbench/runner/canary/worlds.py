"""What a sealed process is given of a fold: training audio under numbers, noise for the test part, one label for it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from serbench.features.encoders.place import Place
from serbench.features.precomputed import read_precomputed
from serbench.features.ssl import SSL
from serbench.protocols.sharing import PARENT
from serbench.records import feature_sets
from serbench.registry import Registry
from serbench.runner.cell.copies import alterations, followed_by_copies, with_permuted_labels
from serbench.runner.cell.inputs import store_of, stored_spec
from serbench.runner.cell.jobs import CellJob
from serbench.runner.cell.sealed import SealedOrder, TestPart

NOISE_RATE, NOISE_SECONDS = 16_000, 1.0
# What training and the cuts inside it look at.
KEPT = (
    *("id", "utterance", "corpus", "path", "speaker", "label", "gender", "text", "intensity", "take"),
    *("content", PARENT, "nickname"),
)


@dataclass(frozen=True)
class World:
    """One version of a fold: which noise stands for its test part, and in which order training has its labels.

    `permutation` None leaves the labels of training as they are.
    """

    noise: int = 0
    permutation: int | None = None


class SealedFold:
    """A fold of a row as a sealed process sees it, in a folder of its own.

    Parameters
    ----------
    job : CellJob
        The cell's job as it is run otherwise.
    table : DataFrame
        Its task table.
    registry : Registry
    folder : Path
        Empty; everything goes below it.
    readable : sequence of Path
        What the process may read besides.
    """

    def __init__(self, job: CellJob, table: pd.DataFrame, registry: Registry, folder: Path, readable: Sequence[Path]):
        self.job, self.table, self.registry, self.folder = job, table, registry, folder
        self.readable = tuple(readable)
        names = {name: f"utterances/{rank:06d}" for rank, name in enumerate(sorted(table["id"]))}
        self._ids = table["id"].map(names)
        known = followed_by_copies(table, job.train) if PARENT in table else job.train
        self._known = np.zeros(len(table), dtype=bool)
        self._known[known] = True
        self._around = replace(
            job.circumstances, data=folder, cache=folder / "cache", results=folder, corpus_paths={}, features_files={}
        )

    def order(self, worlds: Sequence[World]) -> SealedOrder:
        """Write what training may know in each world."""
        audio = self._write_training_audio()
        self._fill_store()
        jobs = tuple(self._job(world, number, audio) for number, world in enumerate(worlds))
        plugins = [place for file in self.job.circumstances.plugins for place in (file, *file.parent.glob("*.py"))]
        # An encoder's weights say nothing of the test part.
        encoded = any(entry["name"] == SSL.name for entry in feature_sets(self.job.cell))
        weights = [Place.of(self.job.circumstances).weights] if encoded else []
        return SealedOrder(self.folder, (*self.readable, *plugins, *weights, Path(__file__).parents[2]), jobs)

    def test_part(self) -> TestPart:
        """Write the test part; its utterances come in an order of chance."""
        rows = np.random.default_rng(self.job.seed("canary")).permutation(self.job.test)
        tested = self.table.iloc[rows]
        place = self.folder / "test"
        paths = [_linked(Path(path), place, number) for number, path in enumerate(tested["path"])]
        speakers = pd.factorize(tested["speaker"])[0].astype(str)
        ids = self._ids.iloc[rows].tolist()
        files = {
            name: _write_features(
                self.folder / f"test-{name}.npz", ids, read_precomputed(file, tested["id"]).take(range(len(ids)))
            )
            for name, file in self._files().items()
        }
        return TestPart(ids, tested["content"].tolist(), [str(path) for path in paths], speakers.tolist(), files)

    def named(self) -> dict[str, str]:
        """The real id of each id that the process sees."""
        return dict(zip(self._ids, self.table["id"], strict=True))

    def _job(self, world: World, number: int, audio: Mapping[str, Path]) -> CellJob:
        place = self.folder / f"world-{number}"
        table = self._sealed_table(world, audio)
        place.mkdir(parents=True)
        table.to_parquet(place / "task.parquet")
        files = {name: self._sealed_features(name, file, place, world) for name, file in self._files().items()}
        cell = replace(self.job.cell, permute_labels=False)
        return replace(
            self.job,
            cell=cell,
            circumstances=replace(self._around, features_files=files),
            folder=place,
            task_file=place / "task.parquet",
            audit={},
            corpus={"fingerprint": ""},
            requested=replace(self.job.requested, model=False),
        )

    def _sealed_table(self, world: World, audio: Mapping[str, Path]) -> pd.DataFrame:
        table = self.table
        if world.permutation is not None:
            table = with_permuted_labels(table, self.job.train, self.job.test, world.permutation)
        originals = (
            self._ids if PARENT not in table else table[PARENT].map(dict(zip(table["id"], self._ids, strict=True)))
        )
        noise = self._write_noise(world, originals[~self._known].unique())
        table = table.assign(id=self._ids, utterance=self._ids.str.partition("/")[2])
        if PARENT in table:
            table[PARENT] = originals
        table["path"] = [
            str(audio[content] if known else noise[parent])
            for content, known, parent in zip(self._own_contents(), self._known, originals, strict=True)
        ]
        hidden = {"speaker": "withheld/0", "label": self.job.cell.labels["labels"][0], "duration": NOISE_SECONDS}
        hidden |= dict.fromkeys({"gender", "text", "intensity", "take"} & set(table.columns), "")
        for name, value in hidden.items():
            if name in table:
                table[name] = table[name].where(self._known, value)
        keys = [
            "" if known else f"noise{world.noise}-{parent}"
            for known, parent in zip(self._known, originals, strict=True)
        ]
        table["content"] = [
            content if known else self._altered(key, content)
            for content, known, key in zip(table["content"], self._known, keys, strict=True)
        ]
        return table.drop(columns=[name for name in table if name not in KEPT])

    def _altered(self, key: str, content: str) -> str:
        """The key of a copy's content, with noise for what it was made from."""
        _, mark, version = content.partition("~")
        return f"{key}{mark}{version}"

    def _own_contents(self) -> pd.Series:
        """Content of the audio file behind each row: that of its original."""
        return self.table["content"].str.partition("~")[0]

    def _write_training_audio(self) -> dict[str, Path]:
        contents = self._own_contents()[self._known]
        paths = dict(zip(contents, self.table["path"][self._known], strict=True))
        place = self.folder / "train"
        return {content: _linked(Path(path), place, number) for number, (content, path) in enumerate(paths.items())}

    def _write_noise(self, world: World, parents: Sequence[str]) -> dict[str, Path]:
        import soundfile

        place = self.folder / f"noise-{world.noise}"
        place.mkdir(exist_ok=True)
        random = np.random.default_rng([world.noise, 1])
        found = {}
        for number, parent in enumerate(parents):
            found[parent] = place / f"{number:06d}.wav"
            samples = 0.1 * random.standard_normal(int(NOISE_RATE * NOISE_SECONDS))
            if not found[parent].exists():
                soundfile.write(found[parent], samples, NOISE_RATE)
        return found

    def _files(self) -> dict[str, Path]:
        names = {entry["name"] for entry in feature_sets(self.job.cell)}
        return {name: Path(file) for name, file in self.job.circumstances.features_files.items() if name in names}

    def _sealed_features(self, name: str, file: Path, place: Path, world: World) -> Path:
        matrix = read_precomputed(file, self.table["id"])
        arrays = matrix.take(range(len(matrix)))
        random = np.random.default_rng([world.noise, 2])
        scale = 10 * matrix.values.std() + 1.0
        arrays = [
            array if known else random.normal(0, scale, np.shape(array))
            for array, known in zip(arrays, self._known, strict=True)
        ]
        return _write_features(place / f"{name}.npz", self._ids, arrays)

    def _fill_store(self) -> None:
        """Hand over what built-in sets have extracted from training audio: they look at one utterance at a time."""
        real, sealed = store_of(self.job.circumstances), store_of(self._around)
        contents = self._own_contents()[self._known].unique().tolist()
        for entry in feature_sets(self.job.cell):
            name, params = entry["name"], entry["params"]
            if name in self.job.circumstances.features_files or self.registry.source_hash("features", name):
                continue
            spec = stored_spec(self.registry, name, params)
            keys = [
                key
                for change in (None, *alterations(self.job.cell.augment))
                for key in (change.key(c) if change else c for c in contents)
            ]
            absent = set(real.missing(spec, params, keys))
            present = [key for key in keys if key not in absent]
            if present:
                sealed.write(spec, params, present, real.read(spec, params, present, present).take(range(len(present))))


def _linked(path: Path, folder: Path, number: int) -> Path:
    folder.mkdir(exist_ok=True)
    place = folder / f"{number:06d}{path.suffix.lower()}"
    if not place.exists():
        try:
            os.link(path, place)
        except OSError:
            # Another disk, or one without links.
            shutil.copyfile(path, place)
    return place


def _write_features(file: Path, ids: Sequence[str], arrays: Sequence[np.ndarray]) -> Path:
    np.savez(file, **{name: np.asarray(array) for name, array in zip(ids, arrays, strict=True)})
    return file
