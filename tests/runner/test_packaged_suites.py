"""Every packaged suite plans with every optional package hidden, and with each present."""

from __future__ import annotations

from collections.abc import Collection

import pytest
from tiny_corpora import make_tiny_corpora

from serbench.circumstances import Circumstances
from serbench.records import Cell, member_cells
from serbench.registry import build_registry
from serbench.runner.planning import packages
from serbench.runner.planning.plan import Plan, make_plan
from serbench.runner.suite.file import PUBLISHED, load_suite, suite_names

SUITES = [*suite_names(), *suite_names(PUBLISHED)]
OPTIONAL = ("opensmile", "tensorflow", "torch", "transformers", "safetensors")
NOT_INSTALLED = "not installed: "


@pytest.fixture(scope="module")
def around(tmp_path_factory, shared_cache) -> Circumstances:
    data = make_tiny_corpora(tmp_path_factory.mktemp("corpora"))
    return Circumstances(data=data, cache=shared_cache, results=tmp_path_factory.mktemp("results"), jobs=1)


@pytest.fixture
def planned(around, monkeypatch):
    """Plan a suite as if some of the optional packages were not there."""

    def plan(suite: str, *, hidden: Collection[str] = ()) -> Plan:
        monkeypatch.setattr(packages, "installed", lambda package: package not in hidden)
        return make_plan(load_suite(suite), build_registry(), around)

    return plan


def rows_of(plan: Plan) -> set[str]:
    return {item.cell.row for item in (*plan.cells, *plan.skipped)}


def missing_packages(plan: Plan) -> dict[str, str]:
    return {row.cell.row: row.reason for row in plan.skipped if row.reason.startswith(NOT_INSTALLED)}


def needing(plan: Plan, hidden: Collection[str]) -> set[str]:
    registry = build_registry()

    def needed(cell: Cell) -> set[str]:
        specs = [registry.get("features", entry["name"]) for entry in cell.features]
        specs += [registry.get("model", cell.model["name"])] if not cell.members else []
        own = {package for spec in specs for package in spec.requires}
        return own.union(*map(needed, member_cells(cell)))

    return {item.cell.row for item in plan.cells if needed(item.cell) & set(hidden)}


@pytest.mark.parametrize("hidden", [OPTIONAL, ["tensorflow"]], ids=["all", "tensorflow"])
@pytest.mark.parametrize("suite", SUITES)
def test_a_packaged_suite_plans_with_and_without_its_optional_packages(suite, hidden, planned):
    with_all, without = planned(suite), planned(suite, hidden=hidden)
    assert with_all.cells and not missing_packages(with_all)
    # What cannot be run is a skipped row with its reason, what can is as before, and no row has another id.
    assert rows_of(without) == rows_of(with_all)
    found = missing_packages(without)
    unavailable = {row.cell.row for row in with_all.skipped}
    assert set(found) - unavailable == needing(with_all, hidden)
    assert all("pip install 'serbench[" in reason for reason in found.values())
    gone = {item.cell.id for item in with_all.cells} - {item.cell.id for item in without.cells}
    assert gone == {item.cell.id for item in with_all.cells if item.cell.row in found}


def test_the_demo_keeps_its_classical_rows_without_tensorflow(planned):
    plan = planned("demo", hidden=["tensorflow"])
    assert {"svm", "knn", "random_forest", "xgboost"} < {item.cell.model_name for item in plan.cells}
    networks = {row.cell.model["name"]: row.reason for row in plan.skipped}
    assert set(networks) == {"cnn", "lstm", "cnn_lstm", "rnn", "cnn2d"}
    assert set(networks.values()) == {"not installed: tensorflow; pip install 'serbench[deep]'"}


@pytest.mark.parametrize("suite", ["ravdess", "emodb"])
def test_ensembles_follow_their_members(suite, planned):
    skipped = planned(suite, hidden=["opensmile"]).skipped
    reasons = {row.cell.model_name: row.reason for row in skipped if row.cell.members}
    assert set(reasons) == {"ensemble", "functionals", "weighted(weights=validation)"}
    assert set(reasons.values()) == {"not installed: opensmile; pip install 'serbench[opensmile]'"}
    without_networks = {row.cell.model_name for row in planned(suite, hidden=["tensorflow"]).skipped}
    assert "weighted(weights=validation)" in without_networks and "functionals" not in without_networks
    plan = planned(suite)
    members = {cell.id for item in plan.cells for cell in member_cells(item.cell)}
    assert members and members < {item.cell.id for item in plan.cells}
