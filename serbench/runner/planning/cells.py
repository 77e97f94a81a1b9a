"""What planning hands on: the cells of a suite with what is needed to run each, and the rows that are skipped."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from serbench.protocols.enrolment import Enrolment
from serbench.records import Cell
from serbench.runner.cell.jobs import TEST_ONLY, RequestedOutputs
from serbench.runner.planning.task import Task
from serbench.runner.suite.schema import Suite
from serbench.specs import NO_MISTAKE, Mistake, Split


@dataclass(frozen=True)
class PlannedCell:
    """A cell with what is needed to run it."""

    cell: Cell
    task: Task
    split: Split
    independence: frozenset[str]
    plugin_hash: str
    state: str = "new"
    mistake: Mistake = NO_MISTAKE
    requested: RequestedOutputs = TEST_ONLY
    enrolment: Enrolment | None = None


@dataclass(frozen=True)
class SkippedRow:
    """A row whose protocol is not available on its corpus, or whose features need a package that is absent."""

    cell: Cell
    task: Task
    reason: str


@dataclass(frozen=True)
class Plan:
    """All cells of one suite under the filters given; `whole` if there were none.

    Attributes
    ----------
    shard : frozenset of str, optional
        Ids of the cells that are this machine's to run; all of them unless told.
    """

    suite: Suite
    folder: Path
    cells: tuple[PlannedCell, ...]
    skipped: tuple[SkippedRow, ...] = ()
    force: bool = False
    tasks: tuple[Task, ...] = field(default=())
    whole: bool = False
    shard: frozenset[str] | None = None

    @property
    def todo(self) -> list[PlannedCell]:
        """Cells to run."""
        mine = [item for item in self.cells if self.shard is None or item.cell.id in self.shard]
        return [item for item in mine if self.force or item.state != "done"]

    def count(self, state: str) -> int:
        """Number of cells in a state."""
        return sum(item.state == state for item in self.cells)
