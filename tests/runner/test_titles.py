"""Rows are named on the command line and in suites as the tables print them; renamed feature sets keep their cells."""

from __future__ import annotations

import pytest

from serbench.errors import DuplicateName, SuiteError, UnknownName, UsageError
from serbench.features.compare import COMPARE
from serbench.records import Cell
from serbench.registry import Origin, Registry, build_registry
from serbench.runner.planning.grid import _resolved
from serbench.runner.planning.selection import Filters, select
from serbench.runner.suite.file import load_suite
from serbench.runner.suite.schema import Entry, Suite
from serbench.runner.suite.titles import read_features_title, read_title
from serbench.specs import FeatureSpec

GRID = {"features": ["mfcc"], "models": ["svm", "svm(C=3)"], "protocols": ["loso"]}


@pytest.fixture(scope="module")
def registry():
    return build_registry()


def suite(**changes) -> Suite:
    return Suite.model_validate({"name": "own", "title": "Own", "corpora": ["emodb"], "grid": [{**GRID, **changes}]})


def kept(registry, **filters) -> list[tuple]:
    """Features, models and protocols of the blocks that a selection leaves."""
    blocks = select(suite(), registry, Filters(**filters)).grid
    return [
        (
            [[(e.name, e.params) for e in entry.sets] for entry in block.features],
            [(e.name, e.params) for e in block.models],
        )
        for block in blocks
    ]


def test_a_suite_takes_parameters_as_tables_print_them():
    (block,) = suite(protocols=["speaker_kfold(k=4)"]).grid
    assert [(entry.name, entry.params) for entry in block.models] == [("svm", {}), ("svm", {"C": 3})]
    assert block.protocols[0].params == {"k": 4}


def test_a_filter_keeps_one_parametrised_model_or_adds_it(registry):
    mfcc = [[("mfcc", {})]]
    assert kept(registry, model=["svm(C=3)"]) == [(mfcc, [("svm", {"C": 3})])]
    assert kept(registry, model=["svm( C = 3 )"]) == [(mfcc, [("svm", {"C": 3})])]
    assert kept(registry, model=["svm"]) == [(mfcc, [("svm", {}), ("svm", {"C": 3})])]
    assert kept(registry, model=["knn(n_neighbors=3)"]) == [(mfcc, [("knn", {"n_neighbors": 3})])]


def test_a_new_model_meets_new_features(registry):
    both = kept(registry, model=["lda"], features=["mfcc(n_mfcc=20)+handcrafted"])
    assert both == [([[("mfcc", {"n_mfcc": 20}), ("handcrafted", {})]], [("lda", {})])]


@pytest.mark.parametrize(
    ("text", "params"),
    [
        ("x(a=1, b=0.5, c=None, d=True)", {"a": 1, "b": 0.5, "c": None, "d": True}),
        ("x(kernel=rbf, gamma=-1e-3)", {"kernel": "rbf", "gamma": -0.001}),
        ("x(layers=[1, 2], file=folds.csv)", {"layers": [1, 2], "file": "folds.csv"}),
    ],
)
def test_values_are_read_as_they_are_printed(text, params):
    assert read_title(text) == {"name": "x", "params": params}


@pytest.mark.parametrize("name", ["svm(C=3", "svm(3)", "svm(C=)", "svm(C==3)"])
def test_what_cannot_be_read_says_the_form(registry, name, tmp_path):
    with pytest.raises(UsageError, match="cannot be read") as caught:
        select(suite(), registry, Filters(model=[name]))
    assert caught.value.where == "--model" and "write svm(NAME=VALUE, NAME=VALUE)" in caught.value.hint
    file = tmp_path / "own.yaml"
    file.write_text(
        f"title: Own\ncorpora: [emodb]\ngrid: [{{features: [mfcc], models: ['{name}'], protocols: [loso]}}]\n"
    )
    with pytest.raises(SuiteError, match=r"write svm\(NAME=VALUE"):
        load_suite(str(file))


def test_a_model_that_is_not_there_is_named_without_its_parameters(registry):
    with pytest.raises(UnknownName, match="unknown model 'smv'"):
        select(suite(), registry, Filters(model=["smv(C=3)"]))


def test_a_renamed_feature_set_answers_to_both_names_and_keeps_its_cells(registry):
    assert registry.get("features", "compare") is registry.get("features", "compare2016") is COMPARE
    assert [name for name in registry.names("features") if name.startswith("compare")] == ["compare2016"]
    for name in ("compare", "compare2016"):
        (block,) = suite(features=[name, [name, "mfcc"], {"name": name, "normalise": "speaker"}]).grid
        assert [entry.sets[0].name for entry in block.features] == ["compare2016"] * 3
        assert read_features_title(f"{name}+mfcc")["sets"][0] == {"name": "compare2016"}
        assert kept(registry, features=[name])[0][0] == [[("compare2016", {})]]
    recorded = _resolved(COMPARE, Entry(name="compare2016"), "")
    assert recorded == {"name": "compare", "version": "1", "params": {}}
    plain = {"name": "lda", "version": "1", "params": {}}
    cell = Cell("emodb", {"name": "native", "labels": []}, (recorded,), plain, plain, "1")
    assert cell.feature_name == "compare2016" and cell.to_json()["features"][0]["name"] == "compare"


def test_an_old_name_is_not_given_away():
    own = FeatureSpec(name="compare", version="1", kind="vector", extract=lambda signal, rate: signal)
    with pytest.raises(DuplicateName, match="was a name of the features 'compare2016'"):
        Registry().add(own, Origin("own.py"))


def test_ensembles_may_name_their_members_by_either_name():
    members = {"both": ["lda@compare+mfcc", "svm@mfcc"]}
    made = Suite.model_validate({**suite().model_dump(), "ensembles": members})
    assert made.ensembles["both"].members == ["lda@compare2016+mfcc", "svm@mfcc"]
