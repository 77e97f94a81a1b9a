"""The committed results stay valid: what names a cell today still names the cells that were measured."""

import json
from pathlib import Path

import pytest

from serbench.circumstances import circumstances
from serbench.records import Cell
from serbench.reporting.frozen import frozen_plan, frozen_records
from serbench.runner.cell.inputs import open_registry
from serbench.runner.planning.plan import make_plan
from serbench.runner.planning.selection import Filters
from serbench.runner.suite.file import load_suite

RESULTS = Path(__file__).parent.parent / "results"
FROZEN = sorted(RESULTS.glob("*/frozen.parquet"))


@pytest.mark.parametrize("path", FROZEN, ids=lambda path: path.parent.name)
def test_frozen_cells_keep_their_ids(path):
    entries = frozen_plan(path)
    assert entries
    assert [Cell.from_json(entry["cell"]).id for entry in entries] == [entry["id"] for entry in entries]


@pytest.mark.parametrize("path", FROZEN, ids=lambda path: path.parent.name)
def test_frozen_records_come_back_as_they_were_written(path):
    for record in frozen_records(path):
        assert type(record).from_json(json.loads(json.dumps(record.to_json()))) == record


@pytest.mark.parametrize("suite", ["demo"])
def test_a_suite_plans_the_cells_that_were_measured(suite, tmp_path):
    assert missing_from_plan(suite, tmp_path) == []


@pytest.mark.real
@pytest.mark.parametrize("suite", ["ravdess", "emodb"])
def test_a_real_suite_plans_the_cells_that_were_measured(suite, tmp_path, real_data):
    assert missing_from_plan(suite, tmp_path, data=real_data) == []


def missing_from_plan(suite: str, results: Path, data: Path | None = None) -> list[str]:
    """Titles of committed cells (untuned, of single models) that a plan made today does not hold."""
    around = circumstances(results=results, data=data)
    registry = open_registry(around)
    plan = make_plan(load_suite(suite), registry, around, Filters())
    planned = {item.cell.id for item in plan.cells}
    skipped = {(row.cell.feature_name, row.cell.model_name, row.cell.protocol_name) for row in plan.skipped}
    committed = [record.cell for record in frozen_records(RESULTS / suite / "frozen.parquet")]
    return [
        f"{cell.feature_name} {cell.model_name} {cell.protocol_name} {cell.fold}"
        for cell in committed
        if not cell.tuning
        and cell.id not in planned
        and (cell.feature_name, cell.model_name, cell.protocol_name) not in skipped
    ]
