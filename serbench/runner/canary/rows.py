"""Run the canary on a row: every fold in fresh, sealed processes, in an order of chance; what is found is kept."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from serbench.circumstances import Circumstances
from serbench.errors import ModelError, ResultsError
from serbench.features.precomputed import FILE_VERSION
from serbench.protocols.verdict import AUDITED, DECLARED, LEAKY, Layer, weakest
from serbench.records import PROBABILITY, Record, cell_path, member_cells, read_cell
from serbench.records.canary_file import write_canary
from serbench.registry import Registry
from serbench.reporting.loading import load_predictions, load_records
from serbench.runner.canary.folds import FEATURES, Fold, Found
from serbench.runner.canary.judging import Check, judge_answers
from serbench.runner.canary.signs import Sign, signs_of
from serbench.runner.cell.ensembles import EQUAL, WEIGHTS, average_members
from serbench.runner.cell.inputs import open_registry, read_matrix, read_task_table
from serbench.runner.cell.jobs import CellJob
from serbench.runner.engine import cell_jobs
from serbench.runner.planning.plan import make_plan
from serbench.runner.planning.selection import Filters
from serbench.runner.suite.schema import Suite

CANARY = "by canary"
# Kinds of leaks of protocols that make a mistake: what such a row shows is known.
MISTAKES = ("epoch chosen on test", "augmented before the split")


@dataclass(frozen=True)
class Canary:
    """Everything that the canary needs besides a row.

    Attributes
    ----------
    allowed : sequence of Path
        What sealed processes may read besides training audio, Python and plug-in files.
    tell : callable
        Told of each fold: ``tell(row, fold, checks)``.
    """

    suite: Suite
    circumstances: Circumstances
    allowed: Sequence[Path] = ()
    tell: Callable[[str, str, Mapping[str, Check]], None] = lambda row, fold, checks: None

    def examine(self, row: str) -> dict[str, Any]:
        """Examine a row, and the members of an ensemble; keep and return what is found.

        Returns
        -------
        dict
            ``{"row", "fingerprint", "plugin_hash", "created", "layers", "transductive", "folds": [{"fold", "seed",
            "checks"}], "signs", "members"}``.

        Raises
        ------
        ResultsError
            If the row is not finished, is a sanity run, or is leaky by its protocol's own mistake.
        """
        cells = load_records(self.circumstances.results, self.suite.name)
        registry = open_registry(self.circumstances)
        filters = Filters(row=(row,))
        plan = make_plan(self.suite, registry, self.circumstances, filters, force=True)
        jobs = {job.cell.id: job for job in cell_jobs(plan, registry, self.circumstances)}
        found = self._row(row, cells, jobs, registry)
        write_canary(plan.folder, row, found)
        return found

    def _row(self, row: str, cells: pd.DataFrame, jobs: Mapping[str, CellJob], registry: Registry) -> dict[str, Any]:
        own = cells[(cells["row"] == row) & (cells["status"] == "ok")]
        _refuse(row, own)
        first: Record = own["record"].iloc[0]
        found = {
            "row": row,
            "fingerprint": first.corpus.get("fingerprint"),
            "plugin_hash": first.plugin_hash,
            "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        }
        if first.cell.members:
            return found | self._ensemble(own, cells, jobs, registry)
        predictions = load_predictions(self.circumstances.results, own)
        signs = self._signs(jobs, own)
        # Whatever is carried from fold to fold must not come in the order in which the row was run.
        order = np.random.default_rng().permutation(len(own))
        folds: list[dict[str, Any]] = []
        seen: list[Found] = []
        for item in own.iloc[order].itertuples():
            if item.id not in jobs:
                raise ResultsError(
                    "is no longer in the suite as it is", where=f"{row}, fold {item.fold}", hint="run the suite again"
                )
            fold = self._fold(jobs[item.id], item.record, predictions[item.id], registry, len(own))
            seen.append(fold.examine())
            self.tell(row, item.fold, seen[-1].checks)
            checks = {name: check.to_json() for name, check in seen[-1].checks.items()}
            folds.append({"fold": item.fold, "seed": int(item.seed), "checks": checks})
        layers = _layers(first, registry, seen, signs)
        return found | {
            "layers": {name: str(layer) for name, layer in layers.items()},
            "transductive": any(one.transductive for one in seen) or any(not sign.leaks for sign in signs),
            "folds": sorted(folds, key=lambda fold: (fold["seed"], fold["fold"])),
            "signs": [sign.what for sign in signs],
            "members": [],
        }

    def _fold(self, job: CellJob, record: Record, predictions: pd.DataFrame, registry: Registry, folds: int) -> Fold:
        tested = predictions[predictions["role"] == "test"]
        recorded = tested.set_index(tested["corpus"].astype(str) + "/" + tested["utterance"].astype(str))
        return Fold(job, read_task_table(job.task_file), record, recorded, registry, folds, self.allowed)

    def _signs(self, jobs: Mapping[str, CellJob], own: pd.DataFrame) -> list[Sign]:
        """Of files and plug-ins: built-in sets look at one utterance at a time."""
        job = next((jobs[name] for name in own["id"] if name in jobs), None)
        if job is None or not (own["record"].iloc[0].plugin_hash or job.circumstances.features_files):
            return []
        table = read_task_table(job.task_file)
        matrix = read_matrix(job.task_file, job.cell, job.circumstances) if job.cell.normalise == "none" else None
        return signs_of(matrix, table, list(job.cell.labels["labels"])) if matrix is not None else []

    def _ensemble(
        self, own: pd.DataFrame, cells: pd.DataFrame, jobs: Mapping[str, CellJob], registry: Registry
    ) -> dict[str, Any]:
        members = list(dict.fromkeys(cell.row for item in own["cell"] for cell in member_cells(item)))
        found = [self._row(member, cells, jobs, registry) for member in members]
        layers = {
            name: weakest(Layer.parse(one["layers"][name]) for one in found if name in one["layers"])
            for name in ("features", "model")
        }
        folds = []
        for item in own.itertuples():
            check = self._weights(item.record)
            self.tell(item.row, item.fold, {WEIGHTS: check})
            folds.append({"fold": item.fold, "seed": int(item.seed), "checks": {WEIGHTS: check.to_json()}})
            if check.passed is False:
                layers["selection"] = Layer(LEAKY, f"ensemble {check.detail}")
        return {
            "layers": {name: str(layer) for name, layer in layers.items()},
            "transductive": any(one["transductive"] for one in found),
            "folds": folds,
            "signs": [sign for one in found for sign in one["signs"]],
            "members": found,
        }

    def _weights(self, record: Record) -> Check:
        """Whether an ensemble's weights are what the validation parts of its members give, and its answers theirs."""
        folder = self.circumstances.results / self.suite.name
        try:
            made, answers = average_members(record.cell, folder, {})
        except (ModelError, ResultsError) as error:
            return Check(None, f"members are not at hand: {error}")
        if record.params.get(WEIGHTS) != made.params[WEIGHTS]:
            return Check(False, f"weights are not {_rule(record)}: {record.params.get(WEIGHTS)}")
        _, kept = read_cell(cell_path(folder, record.cell.id))
        same = judge_answers(*(_probabilities(frame) for frame in (kept, answers)))
        return Check(same.passed, f"{_rule(record)}; answers {same.detail}" if same.passed else same.detail)


def _rule(record: Record) -> str:
    return "equal" if record.cell.model["params"].get(WEIGHTS, EQUAL) == EQUAL else "those of the validation part"


def _probabilities(frame: pd.DataFrame) -> np.ndarray:
    tested = frame[frame["role"] == "test"].sort_values(["corpus", "utterance"])
    return tested[[name for name in tested if name.startswith(PROBABILITY)]].to_numpy(dtype=np.float64)


def _layers(first: Record, registry: Registry, seen: Sequence[Found], signs: Sequence[Sign]) -> dict[str, Layer]:
    """What the canary says of features and model; a built-in part is audited whatever it finds elsewhere."""
    files = [entry["name"] for entry in first.cell.features if str(entry["version"]).startswith(FILE_VERSION)]
    plugins = [entry["name"] for entry in first.cell.features if registry.source_hash("features", entry["name"])]
    checks = [(name, check) for one in seen for name, check in one.checks.items()]
    of_features = [check for name, check in checks if name == FEATURES]
    # Where features change, so do the answers: the model is then not to blame.
    blamed = [check for name, check in checks if name != FEATURES]
    suspects = any(check.passed is False for check in of_features)
    features = [_concluded(of_features)] if plugins else []
    features += [Layer(DECLARED, f"features file {name}") for name in files]
    features += [Layer(LEAKY, sign.what) for sign in signs if sign.leaks]
    if of_features and not plugins:
        features.append(_concluded(of_features))
    model = Layer(DECLARED, "not to be told from its features") if suspects else _concluded(blamed)
    return {"features": weakest(features) if features else Layer(), "model": model}


def _concluded(checks: Iterable[Check]) -> Layer:
    checks = list(checks)
    failed = [check.detail for check in checks if check.passed is False]
    open_ = [check.detail for check in checks if check.passed is None]
    if failed:
        return Layer(LEAKY, failed[0])
    return Layer(DECLARED, open_[0]) if open_ else Layer(AUDITED, CANARY)


def _refuse(row: str, own: pd.DataFrame) -> None:
    if own.empty:
        raise ResultsError("no finished cell to examine", where=row, hint="run it first (`serbench run`)")
    record: Record = own["record"].iloc[0]
    if record.cell.enrol:
        raise ResultsError(
            "hears test speakers, which the canary does not play", where=row, hint="name the row without enrolment"
        )
    if record.cell.permute_labels:
        raise ResultsError("is a sanity run on permuted labels", where=row, hint="name the row itself")
    made = [leak["kind"] for leak in record.audit.get("leaks", ()) if leak["kind"] in MISTAKES]
    if made:
        raise ResultsError(f"is leaky on purpose: {', '.join(made)}", where=row, hint="name a row without a mistake")
