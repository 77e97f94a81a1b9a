"""Train a cell in a sealed process that has neither the test part nor its labels, then answer it without names.

The process first gets what training may know: training audio under numbers for names, noise in place of the test part,
one label for all of it. Once everything is fitted it is handed the test audio, in any order, and gives probabilities.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from serbench.circumstances import Circumstances
from serbench.errors import SerbenchError
from serbench.features.extract import extract_into
from serbench.features.matrix import FeatureMatrix
from serbench.features.normalise import normalise_by_speaker
from serbench.identity import digest
from serbench.records import feature_sets
from serbench.runner.cell.copies import alterations, are_originals
from serbench.runner.cell.inputs import open_registry, read_sets, read_task_table, store_of, stored_spec
from serbench.runner.cell.jobs import CellJob
from serbench.runner.cell.seal import seal
from serbench.runner.cell.training import Clock, TrainedCell, train_cell


@dataclass(frozen=True)
class SealedOrder:
    """What a sealed process is to do.

    Attributes
    ----------
    folder : Path
        The only place where it may write; its audio and task tables are there.
    readable : tuple of Path
        What it may read besides, such as plug-in files.
    jobs : tuple of CellJob
        Cells to train: one fold, with other labels or other noise in each.
    """

    folder: Path
    readable: tuple[Path, ...]
    jobs: tuple[CellJob, ...]


@dataclass(frozen=True)
class TestPart:
    """The test part as it is handed over once all is fitted: numbers for names, no labels.

    Attributes
    ----------
    ids, contents, paths, speakers : sequence of str
        By utterance; speakers under other names, for the normalisation that asks for them.
    features_files : mapping
        Precomputed features of these utterances.
    """

    ids: Sequence[str]
    contents: Sequence[str]
    paths: Sequence[str]
    speakers: Sequence[str]
    features_files: Mapping[str, Path]


@dataclass(frozen=True)
class SealedAnswer:
    """What came out of a sealed process.

    Attributes
    ----------
    failed : str
        The reason where it could not be done; "" otherwise.
    stage : {"features", "model"}
        Where it failed.
    tried : tuple of str
        Paths that it tried to read and must not.
    weights : tuple of str
        Digest of each job's fitted estimator; "" for one that cannot be serialised.
    training : mapping
        By content of an utterance, the digest of its features in each set.
    test : mapping
        The same of the test part, by id.
    answers, reversed : ndarray of shape (jobs, n, K)
        Probabilities of the test part, and those when it is handed over the other way round, in the same order.
    """

    failed: str = ""
    stage: str = ""
    tried: tuple[str, ...] = ()
    weights: tuple[str, ...] = ()
    training: Mapping[str, str] | None = None
    test: Mapping[str, str] | None = None
    answers: Any = None
    reversed: Any = None

    def renamed(self, names: Mapping[str, str]) -> SealedAnswer:
        """The same, its test part under the names that the process did not know."""
        return replace(self, test={names[name]: text for name, text in (self.test or {}).items()})


FITTED = "fitted"


def run_sealed(connection: Connection, order: SealedOrder) -> None:
    """Carry out an order: say `FITTED`, wait for a `TestPart`, send a `SealedAnswer`; errors are sent as one."""
    with (order.folder / "log").open("w") as stream:
        os.dup2(stream.fileno(), sys.stdout.fileno())
        os.dup2(stream.fileno(), sys.stderr.fileno())
    tried = seal(order.readable, order.folder)
    stage = "features"
    try:
        for job in order.jobs:
            _extract_training(job)
        training = _digests_of_training(order.jobs[0])
        stage = "model"
        trained = [_train(job) for job in order.jobs]
        weights = tuple(_weights(cell) for cell in trained)
        connection.send(FITTED)
        part = connection.recv()
        stage = "features"
        matrices = [_test_matrix(cell, part) for cell in trained]
        test = stored_digests(order.jobs[0].circumstances, trained[0].recipe.features, part.ids, part.contents)
        stage = "model"
        forward = [_answers(cell, matrix, 1) for cell, matrix in zip(trained, matrices, strict=True)]
        backward = [_answers(cell, matrix, -1) for cell, matrix in zip(trained, matrices, strict=True)]
        answer = SealedAnswer("", "", tuple(tried), weights, training, test, np.array(forward), np.array(backward))
    except Exception as error:
        said = str(error) if isinstance(error, SerbenchError) else "".join(traceback.format_exception_only(error))
        answer = SealedAnswer(said.strip(), stage, tuple(tried))
    connection.send(answer)


def _extract_training(job: CellJob) -> None:
    """Fill the sealed feature store with what is not in it."""
    registry, store = open_registry(job.circumstances), store_of(job.circumstances)
    table = read_task_table(job.task_file)
    originals = table[are_originals(table)]
    items = list(zip(originals["content"], originals["path"], strict=True))
    sets = [
        (stored_spec(registry, entry["name"], entry["params"]), entry["params"])
        for entry in feature_sets(job.cell)
        if entry["name"] not in job.circumstances.features_files
    ]
    for alteration in (None, *alterations(job.cell.augment)):
        if failures := extract_into(store, sets, items, alteration):
            raise SerbenchError(f"no features: {failures[0][1]}")


def _train(job: CellJob) -> TrainedCell:
    return train_cell(job, Clock())


def _weights(trained: TrainedCell) -> str:
    import joblib

    estimator = trained.fitted.estimator
    network = getattr(estimator, "model", None)
    weights = network.get_weights() if hasattr(network, "get_weights") else estimator
    try:
        return joblib.hash(weights)
    except Exception:
        # A plug-in's estimator may hold what cannot be serialised: its answers are all that can be compared.
        return ""


def _test_matrix(trained: TrainedCell, part: TestPart) -> FeatureMatrix:
    around = replace(trained.recipe.job.circumstances, features_files=part.features_files)
    registry, store = open_registry(around), store_of(around)
    sets = [
        (stored_spec(registry, entry["name"], entry["params"]), entry["params"])
        for entry in trained.recipe.features
        if entry["name"] not in around.features_files
    ]
    if failures := extract_into(store, sets, list(zip(part.contents, part.paths, strict=True))):
        raise SerbenchError(f"no features: {failures[0][1]}")
    matrix = read_sets(registry, store, trained.recipe.features, around.features_files, part.ids, part.contents)
    by_speaker = trained.recipe.job.cell.normalise == "speaker"
    return normalise_by_speaker(matrix, list(part.speakers)) if by_speaker else matrix


def _answers(trained: TrainedCell, matrix: FeatureMatrix, step: int) -> np.ndarray:
    rows = np.arange(len(matrix))[::step]
    return trained.fitted.predict_proba(matrix.take(rows))[::step]


def _digests_of_training(job: CellJob) -> dict[str, str]:
    """Those of the training part, by content."""
    table = read_task_table(job.task_file).iloc[job.train]
    found = stored_digests(job.circumstances, job.cell.features, table["id"], table["content"])
    return dict(zip(table["content"], found.values(), strict=True))


def stored_digests(
    around: Circumstances, features: Sequence[Mapping[str, Any]], ids: Sequence[str], contents: Sequence[str]
) -> dict[str, str]:
    """By id, what each extracted set says of an utterance, as digests side by side; sets that are files say nothing."""
    registry, store, found = open_registry(around), store_of(around), dict.fromkeys(ids, "")
    for entry in features:
        if entry["name"] not in around.features_files:
            matrix = read_sets(registry, store, [entry], {}, ids, contents)
            for name, values in zip(matrix.ids, matrix.take(range(len(matrix))), strict=True):
                found[name] += digest(np.ascontiguousarray(values).tobytes(), 16)
    return found
