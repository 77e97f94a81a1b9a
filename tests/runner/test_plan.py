import dataclasses

import pytest

from serbench.circumstances import Circumstances
from serbench.errors import CorpusError, SuiteError, UnknownName
from serbench.records import read_record, write_cell
from serbench.registry import build_registry
from serbench.reporting.loading import load_records
from serbench.runner.engine import run_plan
from serbench.runner.planning.plan import make_plan
from serbench.runner.planning.plan_files import record_plan
from serbench.runner.planning.selection import Filters
from serbench.runner.suite.file import load_suite


@pytest.fixture
def around(tiny_data, shared_cache, tmp_path) -> Circumstances:
    return Circumstances(data=tiny_data, cache=shared_cache, results=tmp_path / "results", executor="in_process")


@pytest.fixture
def registry():
    return build_registry()


def plan_of(suite, registry, around, **filters):
    return make_plan(load_suite(str(suite)), registry, around, Filters(**filters))


def test_cells_are_the_product_and_every_model_meets_the_same_folds(tiny_suite, registry, around):
    plan = plan_of(tiny_suite, registry, around)
    assert len(plan.cells) == 1 * 3 * 2 * 3
    assert len({item.cell.id for item in plan.cells}) == 18
    tests = {}
    for item in plan.cells:
        tests.setdefault((item.cell.protocol_name, item.cell.fold), set()).add(item.split.test)
    assert all(len(parts) == 1 for parts in tests.values())
    assert plan.todo == list(plan.cells)


def test_circumstances_are_not_in_the_id(tiny_suite, registry, around, tmp_path):
    other = dataclasses.replace(around, results=tmp_path / "elsewhere", cache=tmp_path / "cache", jobs=7, threads=2)
    ids = [item.cell.id for item in plan_of(tiny_suite, registry, around).cells]
    assert ids == [item.cell.id for item in plan_of(tiny_suite, registry, other).cells]


def test_filters_keep_and_add(tiny_suite, registry, around):
    assert len(plan_of(tiny_suite, registry, around, model=["lda"], protocol=["speaker_kfold"], fold=["2"]).cells) == 1
    added = plan_of(tiny_suite, registry, around, model=["svm"])
    assert {item.cell.model_name for item in added.cells} == {"svm"} and len(added.cells) == 6
    added = plan_of(tiny_suite, registry, around, protocol=["loso"], model=["lda"])
    assert len(added.cells) == 6 and {item.cell.protocol_name for item in added.cells} == {"loso"}
    two = plan_of(tiny_suite, registry, around, seed=[0, 1], model=["lda"])
    assert {item.cell.seed for item in two.cells} == {0, 1}


@pytest.mark.parametrize(
    ("filters", "nearest"),
    [({"model": ["ldaa"]}, "lda"), ({"features": ["mfc"]}, "mfcc"), ({"protocol": ["los"]}, "loso"),
     ({"corpus": ["tyni"]}, "tiny"), ({"fold": ["9"]}, "known: 1, 2, 3")],
)  # fmt: skip
def test_unknown_names_in_filters_get_the_nearest(tiny_suite, registry, around, filters, nearest):
    with pytest.raises(UnknownName, match=nearest):
        plan_of(tiny_suite, registry, around, **filters)


def test_unknown_parameters_are_named(tiny_suite, registry, around):
    tiny_suite.write_text(tiny_suite.read_text().replace("lda]", "{name: lda, params: {n_componets: 3}}]"))
    with pytest.raises(UnknownName, match="did you mean 'n_components'"):
        plan_of(tiny_suite, registry, around)


def test_models_that_fit_no_feature_set_are_an_error(tiny_suite, registry, around):
    with pytest.raises(SuiteError, match="no cell is left"):
        plan_of(tiny_suite, registry, around, model=["cnn"], features=["mfcc"])


def test_an_absent_corpus_says_where_it_was_looked_for(tiny_suite, registry, around, tmp_path):
    with pytest.raises(CorpusError, match="tiny"):
        plan_of(tiny_suite, registry, dataclasses.replace(around, data=tmp_path / "nothing"))


def test_a_protocol_that_is_unavailable_is_a_skipped_row_with_its_reason(tiny_suite, registry, around):
    tiny_suite.write_text(tiny_suite.read_text().replace("protocols: [", "protocols: [official, "))
    plan = plan_of(tiny_suite, registry, around)
    assert len(plan.cells) == 18
    assert {(row.cell.model_name, row.cell.protocol_name) for row in plan.skipped} == {
        ("majority", "official"), ("knn", "official"), ("lda", "official")}  # fmt: skip
    assert all("fold" in row.reason for row in plan.skipped)


def test_a_row_that_needs_an_absent_package_is_skipped_and_says_what_to_install(tiny_suite, around, tmp_path):
    plugin = tmp_path / "plugin.py"
    plugin.write_text(
        "from serbench import FeatureSpec\n"
        "def level(signal, rate):\n"
        "    return signal[:1]\n"
        "NEEDY = FeatureSpec('needy', '1', 'vector', level, requires=('no_such_toolkit', 'numpy'))\n"
        "CONTENT = FeatureSpec('content', '1', 'vector', level, requires=('numpy',))\n"
    )
    registry = build_registry([plugin])
    tiny_suite.write_text(tiny_suite.read_text().replace("features: [mfcc", "features: [mfcc, [mfcc, needy], content"))
    plan = plan_of(tiny_suite, registry, around, model=["lda"])
    assert {item.cell.feature_name for item in plan.cells} == {"mfcc", "content"}
    assert {row.cell.feature_name for row in plan.skipped} == {"mfcc+needy"}
    reason = "not installed: no_such_toolkit; pip install no_such_toolkit"
    assert {row.reason for row in plan.skipped} == {reason}


def test_states_follow_the_cell_files(tiny_suite, registry, around):
    plan = plan_of(tiny_suite, registry, around, model=["majority"], protocol=["speaker_kfold"])
    assert run_plan(plan, registry, around).ran == 3
    again = plan_of(tiny_suite, registry, around, model=["majority"], protocol=["speaker_kfold"])
    assert [item.state for item in again.cells] == ["done"] * 3 and again.todo == []
    folder = again.folder
    first, second, third = (folder / "cells" / f"{item.cell.id}.parquet" for item in again.cells)
    first.write_bytes(first.read_bytes()[:100])
    record = read_record(second)
    write_cell(folder, dataclasses.replace(record, corpus={**record.corpus, "fingerprint": "other"}), _rows(second))
    record = read_record(third)
    write_cell(folder, dataclasses.replace(record, status="failed", reason="x"), _rows(third))
    states = plan_of(tiny_suite, registry, around, model=["majority"], protocol=["speaker_kfold"])
    assert [item.state for item in states.cells] == ["damaged", "stale", "failed"]
    assert len(states.todo) == 3


def _rows(path):
    import pandas as pd

    return pd.read_parquet(path)


def test_a_whole_run_forgets_what_the_suite_no_longer_has_and_was_never_begun(tiny_suite, registry, around):
    def rows() -> set[tuple[str, str]]:
        records = load_records(around.results, "tiny")
        return set(zip(records["model"], records["protocol"], strict=True))

    record_plan(plan_of(tiny_suite, registry, around))
    assert {model for model, _ in rows()} == {"majority", "knn", "lda"}
    run_plan(
        plan_of(tiny_suite, registry, around, model=["knn"], protocol=["speaker_kfold"], fold=["1"]), registry, around
    )
    tiny_suite.write_text(tiny_suite.read_text().replace("majority, knn, lda", "majority"))
    record_plan(plan_of(tiny_suite, registry, around, fold=["1"]))
    assert {model for model, _ in rows()} == {"majority", "knn", "lda"}
    record_plan(plan_of(tiny_suite, registry, around))
    assert {row for row in rows() if row[0] != "majority"} == {("knn", "speaker_kfold(k=3)")}
    records = load_records(around.results, "tiny")
    assert sorted(records.loc[records["model"] == "knn", "status"]) == ["ok", "planned", "planned"]


def test_a_block_may_have_seeds_of_its_own(tiny_suite, registry, around, tmp_path):
    suite = tmp_path / "seeded.yaml"
    block = "  - features: [mfcc]\n    models: [knn]\n    protocols: [speaker_kfold]\n    seeds: [0, 4]\n"
    suite.write_text(tiny_suite.read_text().rstrip("\n") + "\n" + block)

    def seeds_of(**filters):
        cells = [item.cell for item in plan_of(suite, registry, around, **filters).cells]
        return {model: {cell.seed for cell in cells if cell.model_name == model} for model in ("knn", "lda")}

    assert seeds_of() == {"knn": {0, 4}, "lda": {0}}
    assert seeds_of(seed=[7]) == {"knn": {7}, "lda": {7}}
    suite.write_text(suite.read_text().replace("[0, 4]", "[4, 4]"))
    with pytest.raises(SuiteError, match="a seed is listed twice"):
        load_suite(str(suite))
