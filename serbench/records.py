"""The unit of work and what it leaves behind: `Cell`, `Predictions`, `Record`, and their file.

A cell file is one Parquet file: predictions as rows, the record as JSON in the file's metadata,
written to a temporary name, fsynced and renamed, so that a kill leaves either the whole cell or nothing.
"""

from __future__ import annotations

import dataclasses
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from serbench.errors import ResultsError
from serbench.identity import content_id

SCHEMA = 1
METADATA_KEY = b"serbench"
PREDICTION_COLUMNS = ("corpus", "utterance", "speaker", "gender", "text", "intensity", "role", "truth", "predicted")
PROBABILITY = "p:"
DEGRADED = "degraded: "


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
        where they differ from their defaults.
    members : tuple of mapping
        Of an ensemble: the fields in which each member's cell of the same fold and seed differs from its own.
    permute_labels : bool
        A sanity run: the labels of the training part are permuted, so that nothing can be learnt.
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

    def to_json(self) -> dict[str, Any]:
        """Plain data of the fields that differ from their defaults."""
        values = {}
        for item in dataclasses.fields(self):
            value = getattr(self, item.name)
            if value != _default(item):
                values[item.name] = _plain(value)
        return values

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Cell:
        """Rebuild a cell from `to_json`'s data; unknown fields raise."""
        known = {item.name for item in dataclasses.fields(cls)}
        if unknown := set(data) - known:
            raise ResultsError(
                f"the record holds unknown cell fields: {', '.join(sorted(unknown))}",
                hint="it was written by a newer serbench: update this one",
            )
        values = {key: tuple(value) if isinstance(value, list) else value for key, value in data.items()}
        return cls(**values)

    @cached_property
    def id(self) -> str:
        """Sixteen hexadecimal characters, the same on every machine."""
        return content_id(self.to_json())

    @property
    def feature_name(self) -> str:
        """Display name of the features, e.g. ``mfcc+handcrafted (speaker-normalised)``; of an ensemble, its size."""
        if self.members:
            return f"{len(self.members)} members"
        names = "+".join(_with_params(entry) for entry in self.features)
        return names if self.normalise == "none" else f"{names} ({self.normalise}-normalised)"

    @property
    def model_name(self) -> str:
        """Display name of the model with the parameters that differ from its defaults."""
        return _with_params(self.model)

    @property
    def protocol_name(self) -> str:
        """Display name of the protocol with the parameters that differ from its defaults."""
        return _with_params(self.protocol)


@dataclass
class Record:
    """What is known of a cell besides its predictions.

    Attributes
    ----------
    status : {"ok", "failed", "skipped"}
    reason, traceback : str
        Why it failed or was skipped.
    params : mapping
        The model's parameters as used.
    seconds : mapping
        Wall seconds of `features`, `tuning`, `fit`, `predict`.
    sizes : mapping
        `train`, `validation`, `test` utterances, `dimensions`, `weights`, `bytes` of the model.
    audit : mapping
        ``{"verdict": str, "leaks": [...], "notes": [...], "speaker_independent": bool}``.
    corpus : mapping
        `fingerprint`, `version`, `used`, `design`, `notes` (known defects handled, parts).
    validation : str
        How the validation part was cut: speaker, text, stratified; test, where it was chosen on the test part by
        mistake; empty where there is none.
    history : mapping
        Epoch curves of a deep model: name -> list of floats.
    tuning : mapping
        The search: `trials` (number, params, value, seconds, state, and the reason of a failed one), `best` (number of
        the winner), `value` (its mean inner UAR), `seconds` of all trials, `inner` (how the inner folds were cut),
        `folds`, `reproducible`, `space` (Optuna distributions by parameter). Empty where untuned.
    degradations : list of str
        Names of the degraded versions of the test part that were answered too; the role of such a prediction is
        ``degraded: name``.
    """

    cell: Cell
    status: str
    reason: str = ""
    traceback: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)
    audit: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, Any] = field(default_factory=dict)
    corpus: Mapping[str, Any] = field(default_factory=dict)
    plugin_hash: str = ""
    validation: str = ""
    history: Mapping[str, list[float]] = field(default_factory=dict)
    tuning: Mapping[str, Any] = field(default_factory=dict)
    degradations: list[str] = field(default_factory=list)
    created: str = ""
    schema: int = SCHEMA

    def to_json(self) -> dict[str, Any]:
        """Plain data for the file's metadata."""
        data = {item.name: _plain(getattr(self, item.name)) for item in dataclasses.fields(self) if item.name != "cell"}
        return {"cell": self.cell.to_json(), **data}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Record:
        """Rebuild a record; fields of a newer schema are refused."""
        if data.get("schema", 0) > SCHEMA:
            raise ResultsError(
                f"record of schema {data['schema']}, this serbench reads {SCHEMA}", hint="update serbench"
            )
        return cls(cell=Cell.from_json(data["cell"]), **{key: value for key, value in data.items() if key != "cell"})


def make_predictions(
    table: pd.DataFrame, labels: list[str], probabilities: np.ndarray, role: str = "test"
) -> pd.DataFrame:
    """Put utterances and their class probabilities into the shape of a record.

    Parameters
    ----------
    table : DataFrame
        Task table rows, n of them.
    labels : list of str
        The label list; columns of `probabilities` follow it.
    probabilities : ndarray of shape (n, len(labels))
    role : {"test", "validation"} or str
        ``degraded: name`` for the test part under a degradation.
    """
    frame = pd.DataFrame({name: table[name].to_numpy() for name in PREDICTION_COLUMNS[:6]})
    frame["role"] = role
    frame["truth"] = table["label"].to_numpy()
    frame["predicted"] = np.asarray(labels, dtype=object)[probabilities.argmax(axis=1)]
    for column, label in enumerate(labels):
        frame[PROBABILITY + label] = probabilities[:, column].astype(np.float64)
    return frame


def empty_predictions() -> pd.DataFrame:
    """Predictions of a cell that made none."""
    return pd.DataFrame({name: pd.Series(dtype="str") for name in PREDICTION_COLUMNS})


def cell_path(suite_folder: Path, cell_id: str) -> Path:
    """Where a cell's file lies."""
    return suite_folder / "cells" / f"{cell_id}.parquet"


def write_cell(suite_folder: Path, record: Record, predictions: pd.DataFrame) -> Path:
    """Write a cell file atomically and return its path."""
    path = cell_path(suite_folder, record.cell.id)
    table = pa.Table.from_pandas(predictions, preserve_index=False)
    document = json.dumps(record.to_json(), ensure_ascii=False).encode("utf-8")
    table = table.replace_schema_metadata({**(table.schema.metadata or {}), METADATA_KEY: document})
    with atomic_path(path) as temporary:
        pq.write_table(table, temporary, compression="zstd")
    return path


def read_record(path: Path) -> Record:
    """Read a cell file's record without its predictions.

    Raises
    ------
    ResultsError
        If the file is cut short, damaged or not a cell file.
    """
    try:
        metadata = pq.read_schema(path).metadata or {}
        return Record.from_json(json.loads(metadata[METADATA_KEY]))
    except FileNotFoundError:
        raise
    except (OSError, pa.ArrowException, KeyError, ValueError, TypeError) as error:
        raise _damaged(path) from error


def read_cell(path: Path) -> tuple[Record, pd.DataFrame]:
    """Read a cell file: its record and its predictions."""
    record = read_record(path)
    try:
        return record, pq.read_table(path).to_pandas()
    except (OSError, pa.ArrowException) as error:
        raise _damaged(path) from error


def _damaged(path: Path) -> ResultsError:
    return ResultsError(
        "cell file is damaged or cut short", where=str(path), hint="run the suite again: the cell is redone"
    )


class atomic_path:
    """Context manager: write to a temporary file, which replaces `path` once it is whole and on disk."""

    def __init__(self, path: Path):
        self.path = Path(path)

    def __enter__(self) -> Path:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}.", suffix=".tmp")
        except OSError as error:
            raise _unwritable(self.path, error) from error
        os.close(handle)
        self.temporary = Path(name)
        self.temporary.chmod(0o644)
        return self.temporary

    def __exit__(self, kind, error, trace) -> None:
        try:
            if kind is None:
                with self.temporary.open("rb+") as stream:
                    os.fsync(stream.fileno())
                self.temporary.replace(self.path)
        except OSError as problem:
            raise _unwritable(self.path, problem) from problem
        finally:
            self.temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise _unwritable(self.path, error) from error


def _unwritable(path: Path, error: OSError) -> ResultsError:
    reason = error.strerror or str(error)
    return ResultsError(
        f"cannot write: {reason}", where=str(path), hint="free space or choose another folder (--results, --cache)"
    )


def _default(item: dataclasses.Field) -> Any:
    return item.default if item.default_factory is dataclasses.MISSING else item.default_factory()


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        return value.item()
    return value


def _with_params(entry: Mapping[str, Any]) -> str:
    if not entry.get("params"):
        return entry["name"]
    return f"{entry['name']}({', '.join(f'{key}={value}' for key, value in sorted(entry['params'].items()))})"
