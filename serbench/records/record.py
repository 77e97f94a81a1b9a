"""What a finished cell leaves behind: its `Record` and its predictions."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from serbench.errors import ResultsError
from serbench.records.cell import Cell
from serbench.records.plain import plain
from serbench.records.shapes import check_shape

SCHEMA = 1
PREDICTION_COLUMNS = ("corpus", "utterance", "speaker", "gender", "text", "intensity", "role", "truth", "predicted")
PROBABILITY = "p:"
DEGRADED = "degraded: "
# Kinds of leaks that older records call otherwise: old name -> name today.
RENAMED_LEAKS = {"take twins": "repetitions shared"}


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
        Wall seconds of `features`, `tuning`, `start_up` (what the first use of a library in a process costs), `fit`,
        `predict`.
    sizes : mapping
        `train`, `validation`, `test` utterances, `dimensions`, `weights`, `bytes` of the model; `drawn`, how many of
        the training utterances a model with `max_train` was fitted to.
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
    enrolment : mapping
        Of a row that enrols: `method`, `strength` and the `uar` that they reached on training speakers treated as new.
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
    enrolment: Mapping[str, Any] = field(default_factory=dict)
    created: str = ""
    schema: int = SCHEMA

    def to_json(self) -> dict[str, Any]:
        """Plain data for the file's metadata."""
        data = {item.name: plain(getattr(self, item.name)) for item in dataclasses.fields(self) if item.name != "cell"}
        return {"cell": self.cell.to_json(), **data}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Record:
        """Rebuild a record; fields of a newer schema are refused."""
        if not isinstance(data, Mapping):
            raise ValueError(f"a record is a mapping, found {type(data).__name__}")
        if isinstance(version := data.get("schema", 0), int) and version > SCHEMA:
            raise ResultsError(f"record of schema {version}, this serbench reads {SCHEMA}", hint="update serbench")
        check_shape("record", data)
        fields = {key: value for key, value in data.items() if key != "cell"}
        if "audit" in fields:
            fields["audit"] = _with_current_kinds(fields["audit"])
        return cls(cell=Cell.from_json(data["cell"]), **fields)


def _with_current_kinds(audit: Mapping[str, Any]) -> Mapping[str, Any]:
    leaks = audit.get("leaks", ())
    if not any(leak["kind"] in RENAMED_LEAKS for leak in leaks):
        return audit
    renamed = [{**leak, "kind": RENAMED_LEAKS.get(leak["kind"], leak["kind"])} for leak in leaks]
    verdict = audit.get("verdict", "")
    for old, new in RENAMED_LEAKS.items():
        verdict = verdict.replace(old, new)
    return {**audit, "verdict": verdict, "leaks": renamed}


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
    # In one go and without a detour over Python's strings: a small cell takes longer to write down than to fit.
    named = pd.array(list(labels), dtype="str").take(probabilities.argmax(axis=1))
    answers = {PROBABILITY + label: probabilities[:, column] for column, label in enumerate(labels)}
    about = {name: table[name].astype("str").array for name in PREDICTION_COLUMNS[:6]}
    columns = {**about, "role": role, "truth": table["label"].astype("str").array, "predicted": named}
    return pd.DataFrame(columns | {name: values.astype(np.float64) for name, values in answers.items()})


def empty_predictions() -> pd.DataFrame:
    """Predictions of a cell that made none."""
    return pd.DataFrame({name: pd.Series(dtype="str") for name in PREDICTION_COLUMNS})
