"""Make the error sheet of a row from the answers that its cells gave to people they had not heard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from serbench.errors import ModelError, ResultsError
from serbench.inference.sheet import (
    Bin,
    Bounded,
    ClassSheet,
    Condition,
    CorpusCard,
    ErrorSheet,
    Priors,
    Range,
    cuts,
)
from serbench.records import Cell, member_cells, member_title
from serbench.records.enrolling import ALL, enrolled_words
from serbench.reporting.calibration import pooled_probabilities
from serbench.reporting.loading import load_predictions
from serbench.reporting.lookup import path_of
from serbench.reporting.papers.details import pooled_confusion
from serbench.reporting.robustness import robustness_table
from serbench.reporting.rows import describe_row
from serbench.runner.cell.ensembles import EQUAL, WEIGHTS, chosen_weights
from serbench.scoring import CodedPredictions, CodedProbabilities, at_temperature, calibration, fit_temperature
from serbench.scoring.intervals import intervals, margins_by_unit
from serbench.scoring.margins import precision, recall
from serbench.scoring.priors import fit_priors, try_priors
from serbench.specs import CorpusSpec

if TYPE_CHECKING:
    import pandas as pd

SCORES = ("uar", "accuracy", "macro_f1")


class OutOfFold:
    """The out-of-fold answers of a row: what its temperature, its members' shares and its error sheet come from.

    Parameters
    ----------
    results : Path
    records : DataFrame
        All of the row's suite, from `load_records`.
    cells : DataFrame
        Those of the row.

    Raises
    ------
    ModelError
        If the row is not complete, or its results are about people that training had heard.
    """

    def __init__(self, results: Path, records: pd.DataFrame, cells: pd.DataFrame):
        self.results, self.cells = results, cells
        self.entry = describe_row(cells)
        self.cell: Cell = cells["cell"].iloc[0]
        self._refuse()
        self.members, self.weights, self.temperatures, tested = self._members(records)
        self.enrolled = self._twins(records)
        self.temperature, self.priors, self.tested = self._calibrate(tested)

    def sheet(self, corpora: Sequence[CorpusSpec], trained_on: int, inputs: Mapping[str, Range]) -> ErrorSheet:
        """The error sheet.

        Parameters
        ----------
        trained_on : int
            Utterances.
        inputs : mapping
            What the training recordings measure.
        """
        entry, tested = self.entry, self.tested
        labels, confusion = pooled_confusion(self.cells)
        found = calibration(tested)
        confidence = tested.probabilities[np.arange(len(tested.truth)), tested.predicted]
        return ErrorSheet(
            suite=entry["suite"],
            row=entry["row"],
            title=path_of(self.cells).iloc[0],
            protocol=entry["protocol"],
            verdict=entry["verdict"],
            labels=labels,
            **{name: _bounded(entry, name) for name in SCORES},
            method=entry["interval_method"],
            unit=entry["interval_unit"],
            utterances=entry["utterances"],
            speakers=entry["speakers"],
            folds=f"{entry['folds_done']}/{entry['folds_planned']}",
            classes=self._classes(labels),
            confusion=confusion.tolist(),
            temperature=self.temperature,
            **{name: _bounded(found, name) for name in ("log_loss", "brier", "ece")},
            reliability=[Bin(**item) for item in found["reliability"]],
            cuts=cuts(confidence, tested.truth == tested.predicted),
            robustness=self._robustness(),
            enrolment=self.enrolled,
            priors=self.priors,
            corpora=[_card(spec) for spec in corpora],
            trained_on=trained_on,
            inputs=dict(inputs),
        )

    def _refuse(self) -> None:
        entry = self.entry
        where = f"row {entry['row']} of suite '{entry['suite']}'"
        if not entry["complete"]:
            done = f"{entry['folds_done']} of {entry['folds_planned']} folds"
            raise ModelError(
                f"its results are not complete ({done}), so nothing is known of its errors", where=where,
                hint=f"serbench run {entry['suite']} --row {entry['row']}",
            )  # fmt: skip
        if entry["verdict"].startswith("leaky"):
            raise ModelError(
                f"its results are no honest ones ({entry['verdict']}), so nothing is known of its errors", where=where,
                hint="train its row under a speaker-independent protocol",
            )  # fmt: skip
        if any(cell.normalise != "none" for cell in (self.cell, *member_cells(self.cell))):
            raise ModelError(
                "its features are normalised by speaker, which one utterance alone cannot be", where=where,
                hint="train a row without normalisation",
            )  # fmt: skip

    def _calibrate(self, tested: CodedProbabilities) -> tuple[float, Priors, CodedProbabilities]:
        """The temperature, class priors where they help, and the calibrated answers."""
        trial = try_priors(tested.truth, tested.probabilities, tested.speakers)
        row_uar = float(self.entry["uar"])
        priors = {"log_loss_without": trial.without, "log_loss_with": trial.with_bias, "row_uar": row_uar}
        if not trial.helps:
            temperature = fit_temperature(tested.truth, tested.probabilities)
            scaled = at_temperature(tested.probabilities, temperature)
            return temperature, Priors(**priors, log_bias=[]), replace(tested, probabilities=scaled)
        # A bias changes which label is the likeliest: what answers are worth is told by those about the speakers that
        # it was not fitted on.
        temperature, bias = fit_priors(tested.truth, tested.probabilities)
        predicted = trial.probabilities.argmax(axis=1)
        self.cells = self.cells.assign(tested=self._tested(tested, predicted))
        self.entry = describe_row(self.cells)
        answers = replace(tested, predicted=predicted, probabilities=trial.probabilities)
        return temperature, Priors(**priors, log_bias=bias.tolist()), answers

    def _tested(self, pooled: CodedProbabilities, predicted: np.ndarray) -> list[CodedPredictions]:
        """Other answers in place of the cells' own."""
        found, start = [], 0
        for frame in self._ordered(self.cells, list(self.cells["id"])).values():
            test = frame[frame["role"] == "test"]
            part = slice(start, start := start + len(test))
            names = (test["corpus"] + "/" + test["utterance"]).to_numpy(dtype=object)
            found.append(CodedPredictions(pooled.truth[part], predicted[part], pooled.speakers[part], names))
        return found

    def _ordered(self, cells: pd.DataFrame, ids: Sequence[str]) -> dict[str, pd.DataFrame]:
        # Members are averaged utterance by utterance: cells in the order of the row's own, utterances by name.
        frames = load_predictions(self.results, cells)
        return {name: frames[name].sort_values(["corpus", "utterance"], ignore_index=True) for name in ids}

    def _pooled(self, cells: pd.DataFrame, ids: Sequence[str]) -> CodedProbabilities:
        return pooled_probabilities(self._ordered(cells, ids), self.cell.labels["labels"])

    def _members(self, records: pd.DataFrame) -> tuple[list[Cell], list[float], list[float], CodedProbabilities]:
        if not self.cell.members:
            return [self.cell], [1.0], [1.0], self._pooled(self.cells, list(self.cells["id"]))
        pooled = []
        for position, member in enumerate(member_cells(self.cell)):
            ids = [member_cells(cell)[position].id for cell in self.cells["cell"]]
            if not set(ids) <= set(records.loc[records["status"] == "ok", "id"]):
                raise ModelError("answers of a member are not there", where=member_title(member))
            pooled.append(self._pooled(records[records["id"].isin(ids)], ids))
        temperatures = [fit_temperature(item.truth, item.probabilities) for item in pooled]
        pairs = zip(pooled, temperatures, strict=True)
        probabilities = np.stack([at_temperature(item.probabilities, temperature) for item, temperature in pairs])
        weights = np.full(len(pooled), 1 / len(pooled))
        if self.cell.model["params"].get(WEIGHTS, EQUAL) != EQUAL:
            weights = chosen_weights(pooled[0].truth, probabilities)
        averaged = np.tensordot(weights, probabilities, axes=1)
        tested = CodedProbabilities(pooled[0].truth, averaged.argmax(axis=1), averaged, pooled[0].speakers)
        return list(member_cells(self.cell)), weights.tolist(), temperatures, tested

    def _classes(self, labels: Sequence[str]) -> list[ClassSheet]:
        tested = list(self.cells["tested"])
        statistics, unit = margins_by_unit(tested, [int(seed) for seed in self.cells["seed"]], len(labels))
        pooled = statistics.sum(axis=(0, 1))
        shares = pooled[1] / pooled[1].sum()
        scores = {
            f"{name}{code}": lambda margin, function=function, code=code: function(margin)[..., code]
            for name, function in (("precision", precision), ("recall", recall))
            for code in range(len(labels))
        }
        bounds = intervals(statistics, scores, unit)
        found = {name: function(pooled) for name, function in (("precision", precision), ("recall", recall))}

        def score(name: str, code: int) -> Bounded:
            span = bounds[f"{name}{code}"]
            return Bounded(value=_number(found[name][code]), low=_number(span.low), high=_number(span.high))

        return [
            ClassSheet(
                label=label,
                precision=score("precision", code),
                recall=score("recall", code),
                support=int(pooled[1, code]),
                prior=float(shares[code]),
            )
            for code, label in enumerate(labels)
        ]

    def _robustness(self) -> list[Condition]:
        try:
            table = robustness_table(self.results, self.cells)
        except ResultsError:
            return []
        own = self.cell.row
        return [
            Condition(condition=item["condition"], uar=_bounded(item, "uar")) for item in table if item["row"] == own
        ]

    def _twins(self, records: pd.DataFrame) -> list[Condition]:
        """The rows that differ from this one in how much they hear of a new speaker alone, in that order."""
        own = replace(self.cell, enrol={}).row
        cells = records.drop_duplicates("row").set_index("row")["cell"].dropna()
        heard = {name: cell.enrol for name, cell in cells.items() if cell.enrol and replace(cell, enrol={}).row == own}
        entries = [(heard[name], describe_row(rows)) for name, rows in records.groupby("row") if name in heard]
        entries.sort(key=lambda pair: (pair[0].get("label", ""), float(str(pair[0]["utterances"]).replace(ALL, "inf"))))
        return [
            Condition(condition=enrolled_words(setting), uar=_bounded(entry, "uar"))
            for setting, entry in entries
            if entry["complete"]
        ]


def _card(spec: CorpusSpec) -> CorpusCard:
    names = ("name", "version", "language", "elicitation", "licence", "terms", "citation")
    return CorpusCard(**{name: getattr(spec, name) for name in names})


def _bounded(entry: Mapping[str, Any], name: str) -> Bounded:
    return Bounded(
        **{key: _number(entry[name + end]) for key, end in (("value", ""), ("low", "_low"), ("high", "_high"))}
    )


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
