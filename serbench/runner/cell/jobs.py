"""What a worker is handed and gives back: plain, picklable descriptions of one extraction or one cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from serbench.circumstances import Circumstances
from serbench.features.augmentation import Alteration
from serbench.identity import seed_for
from serbench.models.saving import is_saved
from serbench.protocols.enrolment import Enrolment
from serbench.records import Cell, Record
from serbench.scoring import uar
from serbench.specs import NO_MISTAKE, Mistake


@dataclass(frozen=True)
class ExtractJob:
    """Files whose features are missing, the sets to compute from each, and the seconds that this may take."""

    circumstances: Circumstances
    sets: tuple[tuple[str, Mapping[str, Any]], ...]
    items: tuple[tuple[str, str], ...]
    alteration: Alteration | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class RequestedOutputs:
    """What a cell leaves behind besides the predictions for its test part; not part of its id.

    Attributes
    ----------
    degradations : tuple of (name, changes)
        Degraded versions of the test part to predict too.
    validation : bool
        Predictions for a validation part, also of a model that needs none: ensembles calibrate their members on them.
    model : bool
        The fitted model itself.
    """

    degradations: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    validation: bool = False
    model: bool = False

    def missing_from(self, record: Record) -> bool:
        """Whether a finished cell was run before this was requested."""
        named = {name for name, _ in self.degradations}
        return not named <= set(record.degradations) or (self.validation and not record.validation)


def lacks_model(cell: Cell, folder: Path, requested: RequestedOutputs) -> bool:
    """Whether a finished cell was run without keeping the model that is requested; an ensemble has none."""
    return requested.model and not cell.members and not is_saved(model_folder(folder, cell.id))


def model_folder(suite_folder: Path, cell_id: str) -> Path:
    """Where the fitted model of a cell is kept."""
    return suite_folder / "models" / cell_id


TEST_ONLY = RequestedOutputs()


def is_stale(record: Record, fingerprint: str, plugin_hash: str, requested: RequestedOutputs) -> bool:
    """Whether a finished cell was made from another corpus or plug-in source, or lacks predictions requested of it."""
    changed = record.corpus.get("fingerprint") != fingerprint or record.plugin_hash != plugin_hash
    return changed or requested.missing_from(record)


@dataclass(frozen=True)
class CellJob:
    """A cell, the rows of its task table on each side, and what its record says besides.

    Attributes
    ----------
    train, test : ndarray of int
        Positions in the task table.
    mistake : Mistake
        That of the protocol, made on purpose.
    nicknames : tuple of str
        Names of corpora that are the user's own.
    enrolment : Enrolment, optional
        What is heard of the test speakers beforehand, and which utterances are then scored.
    seconds : float, optional
        That it may take.
    resources : mapping
        What its worker has to have besides a processor, as Dask counts it.
    """

    cell: Cell
    circumstances: Circumstances
    folder: Path
    task_file: Path
    train: np.ndarray
    test: np.ndarray
    independence: frozenset[str]
    audit: Mapping[str, Any]
    corpus: Mapping[str, Any]
    plugin_hash: str
    environment: Mapping[str, Any]
    force: bool = False
    mistake: Mistake = NO_MISTAKE
    requested: RequestedOutputs = TEST_ONLY
    nicknames: tuple[str, ...] = ()
    enrolment: Enrolment | None = None
    seconds: float | None = None
    resources: Mapping[str, float] = field(default_factory=dict)

    def seed(self, purpose: str) -> int:
        """A seed for this fold: independent of the tuning, so that a tuned and an untuned cell pair up."""
        return cell_seed(self.cell, self.nicknames, purpose)


def cell_seed(cell: Cell, nicknames: Sequence[str], purpose: str) -> int:
    """A seed for a cell's fold: of the corpus, protocol and fold, but of no name that a user gave to a corpus."""
    cell = without_nicknames(cell, nicknames)
    return seed_for(cell.seed, cell.corpus, cell.protocol_name, cell.fold, purpose)


def without_nicknames(cell: Cell, nicknames: Sequence[str]) -> Cell:
    """The cell as chance may know it: without the user's names of corpora and the options that read them."""
    if not nicknames:
        return cell
    corpus = "+".join("" if name in nicknames else name for name in cell.corpus.split("+"))
    # Where corpora are merged, folds are named by them or by their speakers.
    project, slash, speaker = cell.fold.partition("/")
    fold = slash + speaker if "+" in corpus and project in nicknames else cell.fold
    labels = {"labels": cell.labels["labels"]}
    return replace(cell, corpus=corpus, fold=fold, labels=labels, corpus_options={}, excluded=())


class Finished(NamedTuple):
    """What a worker gives back of a cell whose record is on storage: its id, and the UAR of its test part."""

    id: str
    uar: float | None


class CellResult(NamedTuple):
    """What is told of a cell that has ended; its predictions are in its file.

    Attributes
    ----------
    uar : float, optional
        Of its test part, in [0, 1]; None without predictions.
    """

    record: Record
    uar: float | None = None

    @classmethod
    def of(cls, record: Record, predictions: pd.DataFrame) -> CellResult:
        """Score the test part of a cell."""
        test = predictions[predictions["role"] == "test"]
        if test.empty:
            return cls(record)
        return cls(record, uar(test["truth"], test["predicted"], labels=record.cell.labels["labels"]))
