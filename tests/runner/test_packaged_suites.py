"""Every packaged suite plans with every optional package hidden, and with each present."""

from __future__ import annotations

import pytest
from tiny_corpora import make_tiny_corpora

from serbench.circumstances import Circumstances
from serbench.records import member_cells, row_id
from serbench.registry import build_registry
from serbench.runner.planning import packages
from serbench.runner.planning.plan import Plan, make_plan
from serbench.runner.suite.file import PUBLISHED, load_suite, suite_names

SUITES = [*suite_names(), *suite_names(PUBLISHED)]
NOT_INSTALLED = "not installed: "


@pytest.fixture(scope="module")
def around(tmp_path_factory, shared_cache) -> Circumstances:
    data = make_tiny_corpora(tmp_path_factory.mktemp("corpora"))
    return Circumstances(data=data, cache=shared_cache, results=tmp_path_factory.mktemp("results"), jobs=1)


@pytest.fixture
def planned(around, monkeypatch):
    """Plan a suite as if the optional packages were there, or as if none was."""

    def plan(suite: str, *, present: bool) -> Plan:
        monkeypatch.setattr(packages, "installed", lambda package: present)
        return make_plan(load_suite(suite), build_registry(), around)

    return plan


def rows_of(plan: Plan) -> set[str]:
    return {row_id(item.cell) for item in (*plan.cells, *plan.skipped)}


def missing_packages(plan: Plan) -> dict[str, str]:
    return {row_id(row.cell): row.reason for row in plan.skipped if row.reason.startswith(NOT_INSTALLED)}


def needing(plan: Plan) -> set[str]:
    registry = build_registry()
    return {
        row_id(item.cell)
        for item in plan.cells
        if any(registry.get("features", entry["name"]).requires for entry in item.cell.features)
    }


@pytest.mark.parametrize("suite", SUITES)
def test_a_packaged_suite_plans_with_and_without_its_optional_packages(suite, planned):
    with_all, without = planned(suite, present=True), planned(suite, present=False)
    assert with_all.cells and without.cells and not missing_packages(with_all)
    # What cannot be run is a skipped row with its reason, what can is as before, and no row has another id.
    assert rows_of(without) == rows_of(with_all)
    found = missing_packages(without)
    assert set(found) == needing(with_all)
    assert all("pip install 'serbench[" in reason for reason in found.values())
    gone = {item.cell.id for item in with_all.cells} - {item.cell.id for item in without.cells}
    assert gone == {item.cell.id for item in with_all.cells if row_id(item.cell) in found}


@pytest.mark.parametrize("suite", ["ravdess", "emodb"])
def test_ensembles_follow_their_members(suite, planned):
    reasons = {row.cell.model_name: row.reason for row in planned(suite, present=False).skipped if row.cell.members}
    assert set(reasons) == {"ensemble", "functionals", "weighted(weights=validation)"}
    assert set(reasons.values()) == {"not installed: opensmile; pip install 'serbench[opensmile]'"}
    plan = planned(suite, present=True)
    members = {cell.id for item in plan.cells for cell in member_cells(item.cell)}
    assert members and members < {item.cell.id for item in plan.cells}
