"""What a plan must not be; each refusal says why and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from serbench.circumstances import Circumstances
from serbench.errors import EnrolmentError, SuiteError
from serbench.records import feature_sets
from serbench.runner.planning.cells import PlannedCell
from serbench.runner.planning.selection import Filters
from serbench.runner.planning.task import Task
from serbench.runner.suite.schema import Suite


def refuse_empty(suite: Suite, filters: Filters, cells: Mapping, skipped: Mapping) -> None:
    """Raise if no cell is left."""
    if cells or skipped:
        return
    given = ", ".join(
        f"{name}={list(value) if isinstance(value, (list, tuple)) else value}"
        for name, value in vars(filters).items()
        if value
    )
    raise SuiteError(
        "no cell is left: no model fits these feature sets" + (f" under the filters {given}" if given else ""),
        where=f"suite '{suite.name}'",
        hint="`serbench list models` shows what each accepts",
    )


def refuse_unknown_labels(suite: Suite, tasks: Iterable[Task]) -> None:
    """Raise for an `enrol` of a class that a corpus does not have."""
    named = [label for block in suite.grid for item in block.enrol or () if isinstance(item, dict) for label in item]
    for task in tasks:
        labels = task.labels["labels"]
        for label in named:
            if label not in labels:
                raise EnrolmentError(
                    f"no utterance of the class '{label}' to enrol in {task.name}",
                    where=f"suite '{suite.name}'",
                    hint=f"classes: {', '.join(labels)}",
                )


def refuse_unalterable(suite: Suite, cells: Iterable[PlannedCell], circumstances: Circumstances) -> None:
    """Raise for a row on altered audio whose features cannot be computed from it."""
    for item in cells:
        altered = item.cell.augment or item.requested.degradations
        if not altered:
            continue
        if item.cell.normalise != "none":
            raise SuiteError(
                f"{item.cell.feature_name}: altered audio has no statistics of a speaker",
                where=f"suite '{suite.name}'",
                hint="use `normalise: none` where there is `augment` or `robustness`",
            )
        for entry in feature_sets(item.cell):
            if entry["name"] in circumstances.features_files:
                raise SuiteError(
                    f"'{entry['name']}' is precomputed: it cannot be computed from altered audio",
                    where=f"suite '{suite.name}'",
                    hint="leave it out with --features, or take `augment` and `robustness` away",
                )


def refuse_untuned(suite: Suite, filters: Filters, cells: Mapping, skipped: Mapping) -> None:
    """Raise if a search was asked for and no model of the plan has a space."""
    rows = [item.cell for item in (*cells.values(), *skipped.values())]
    if filters.trials is None or any(cell.tuning for cell in rows):
        return
    raise SuiteError(
        f"nothing to tune: no search space in {', '.join(sorted({cell.model['name'] for cell in rows}))}",
        where=f"suite '{suite.name}'",
        hint="choose a model that declares a `space`, or leave --trials out",
    )
