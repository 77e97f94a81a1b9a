"""Train the model of one cell, as its job says, and take the time of each step."""

from __future__ import annotations

import time
from dataclasses import dataclass

from serbench.runner.cell.enrolment import Enroller, enrolling, fit_known
from serbench.runner.cell.fitting import FittedModel, Training
from serbench.runner.cell.jobs import CellJob
from serbench.runner.cell.recipe import Recipe, choose, read_recipe


class Clock:
    """Wall seconds between laps."""

    def __init__(self):
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str, seconds: float | None = None) -> None:
        """Name the time since the last lap; `seconds` replaces it where part of the work was done by an earlier run."""
        now = time.perf_counter()
        self.seconds[name], self._last = round(now - self._last if seconds is None else seconds, 4), now

    def take(self, name: str, seconds: float, *, out_of: str) -> None:
        """Name a part of a lap."""
        self.seconds[name] = round(seconds, 4)
        self.seconds[out_of] = round(self.seconds[out_of] - self.seconds[name], 4)


@dataclass(frozen=True)
class TrainedCell:
    """A cell's fitted model, its recipe, the rows that it was fitted on, and what answers for new speakers."""

    recipe: Recipe
    training: Training
    fitted: FittedModel
    enroller: Enroller | None = None


def train_cell(job: CellJob, clock: Clock) -> TrainedCell:
    """Read what a cell's model is trained on, search where that is asked for, and fit it."""
    spec, table, matrix = read_recipe(job)
    clock.lap("features")
    recipe = choose(job, spec, table, matrix)
    if recipe.tuning:
        clock.lap("tuning", recipe.tuning["seconds"])
    recipe, enroller = enrolling(recipe)
    if enroller:
        clock.lap("enrolment")
    training = recipe.training(validate=spec.validation)
    fitted, seconds = fit_known(recipe, training) if enroller else (recipe.fit(training), None)
    clock.lap("fit", seconds)
    clock.take("start_up", fitted.start_up, out_of="fit")
    return TrainedCell(recipe, training, fitted, enroller)
