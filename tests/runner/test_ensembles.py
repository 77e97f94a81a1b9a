"""Ensembles: which members they average, and that they do so with calibrated probabilities of the same fold."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from serbench.errors import ModelError, SuiteError
from serbench.records import Cell, Record, cell_path, make_predictions, read_cell, write_cell
from serbench.runner.cell.ensembles import ROUNDS, average_members, chosen_weights, member_cells, members_created
from serbench.runner.planning.ensembles import ensemble_rows, refuse_missing_members
from serbench.runner.suite.schema import Ensemble
from serbench.scoring import at_temperature, fit_temperature

LABELS = ["angry", "happy", "sad"]


def both(*members: str, weights: str = "equal") -> dict[str, Ensemble]:
    return {"both": Ensemble(members=list(members), weights=weights)}


def row(model: str, features: str = "mfcc", **fields) -> Cell:
    return Cell(
        corpus="toy",
        labels={"name": "native", "labels": LABELS, "map": {}},
        features=({"name": features, "version": "1", "params": {}},),
        model={"name": model, "version": "1", "params": {}},
        protocol={"name": "official", "version": "1", "params": {}},
        fold="*",
        **fields,
    )


def table(role: str) -> pd.DataFrame:
    names = [f"{role}{number}" for number in range(30)]
    frame = pd.DataFrame({"utterance": names, "corpus": "toy", "label": [LABELS[n % 3] for n in range(30)]})
    return frame.assign(speaker=[f"toy/{n % 5}" for n in range(30)], gender="", text="", intensity="")


def probabilities_of(seed: int, truth, skill: float) -> np.ndarray:
    logits = np.random.default_rng(seed).normal(size=(30, 3))
    logits[np.arange(30), [LABELS.index(label) for label in truth]] += skill
    return np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)


def write_member(folder, cell: Cell, seed: int, *, reverse=False, roles=("test", "validation"), **fields):
    frames = []
    for number, role in enumerate(roles):
        rows = table(role)
        answers = make_predictions(rows, LABELS, probabilities_of(seed + number, rows["label"], 1.0), role)
        frames.append(answers[::-1] if reverse else answers)
    record = Record(
        cell, fields.pop("status", "ok"), sizes={"weights": 10, "test": 30}, created=f"made {seed}", **fields
    )
    write_cell(folder, record, pd.concat(frames, ignore_index=True))


@pytest.fixture
def ensemble() -> Cell:
    (found,) = ensemble_rows(both("svm@mfcc", "cnn@logmel"), [row("svm"), row("cnn", "logmel"), row("knn")])
    return dataclasses.replace(found, fold="2")


def test_an_ensemble_is_named_and_knows_its_members(ensemble):
    assert ensemble.model_name == "both" and ensemble.feature_name == "ensemble of 2"
    assert [entry["name"] for entry in ensemble.features] == ["mfcc", "logmel"]
    expected = [dataclasses.replace(item, fold="2") for item in (row("svm"), row("cnn", "logmel"))]
    assert [cell.id for cell in member_cells(ensemble)] == [cell.id for cell in expected]
    assert Cell.from_json(ensemble.to_json()).id == ensemble.id
    assert [cell.id for cell in member_cells(Cell.from_json(ensemble.to_json()))] == [cell.id for cell in expected]


def test_there_is_none_where_a_member_is_not_run():
    assert ensemble_rows(both("svm@mfcc", "cnn@logmel"), [row("svm")]) == []
    with pytest.raises(SuiteError, match=r"no row cnn@logmel\n.*svm@mfcc"):
        refuse_missing_members(both("svm@mfcc", "cnn@logmel"), [row("svm")], where="suite 'x'")


def test_one_that_goes_on_without_a_member_is_another_row_that_says_so():
    rows = [row("svm"), row("cnn", "logmel"), row("knn")]
    members = ["svm@mfcc", "cnn@logmel", "knn@mfcc"]
    flexible = {"all": Ensemble(members=members, missing="available")}
    (complete,), (strict,) = ensemble_rows(flexible, rows), ensemble_rows({"all": Ensemble(members=members)}, rows)
    assert complete.id == strict.id
    (rest,) = ensemble_rows(flexible, rows, {rows[1].id})
    assert [cell.id for cell in member_cells(rest)] == [rows[0].id, rows[2].id] and rest.id != complete.id
    assert rest.model_name == "all(without=cnn@logmel)" and rest.feature_name == "ensemble of 2"
    # One member is no ensemble: the row stays complete, and is skipped with the reasons of its members.
    (whole,) = ensemble_rows(flexible, rows, {rows[0].id, rows[1].id})
    assert whole.id == complete.id


def test_tuned_members_make_an_ensemble_of_their_own():
    rows = [row("svm"), row("svm", tuning={"trials": 9}), row("majority")]
    plain, tuned = ensemble_rows(both("svm@mfcc", "majority@mfcc"), rows)
    assert (plain.model_name, tuned.model_name) == ("both", "both (tuned)")
    svm, majority = member_cells(tuned)
    assert svm.tuning == {"trials": 9} and majority.tuning == {} and tuned.tuning == {}


def test_probabilities_are_scaled_on_validation_and_averaged(ensemble, tmp_path):
    one, two = member_cells(ensemble)
    write_member(tmp_path, one, 1)
    write_member(tmp_path, two, 50, reverse=True)
    record, predictions = average_members(ensemble, tmp_path, {"audit": {"verdict": "x"}})
    rows, validation = table("test"), table("validation")
    truth = np.array([LABELS.index(label) for label in validation["label"]])
    expected = np.mean(
        [
            at_temperature(
                probabilities_of(seed, rows["label"], 1.0),
                fit_temperature(truth, probabilities_of(seed + 1, validation["label"], 1.0)),
            )
            for seed in (1, 50)
        ],
        axis=0,
    )
    test = predictions[predictions["role"] == "test"]
    np.testing.assert_allclose(test[[f"p:{label}" for label in LABELS]], expected, atol=1e-9)
    assert list(test["truth"]) == list(rows["label"]) and list(test["speaker"]) == list(rows["speaker"])
    assert list(test["predicted"]) == [LABELS[code] for code in expected.argmax(axis=1)]
    assert record.status == "ok" and record.sizes["weights"] == 20 and record.audit == {"verdict": "x"}
    assert record.params["members"] == members_created(ensemble, tmp_path) == {one.id: "made 1", two.id: "made 50"}


def test_weights_can_be_chosen_on_the_validation_part(tmp_path):
    rows = [row("svm"), row("cnn", "logmel")]
    (found,) = ensemble_rows(both("svm@mfcc", "cnn@logmel", weights="validation"), rows)
    assert found.model_name == "both(weights=validation)"
    cell = dataclasses.replace(found, fold="2")
    assert cell.id != dataclasses.replace(ensemble_rows(both("svm@mfcc", "cnn@logmel"), rows)[0], fold="2").id
    one, two = member_cells(cell)
    write_member(tmp_path, one, 1)
    write_member(tmp_path, two, 50)
    record, predictions = average_members(cell, tmp_path, {})
    validation = table("validation")
    truth = np.array([LABELS.index(label) for label in validation["label"]])
    predicted = [probabilities_of(seed, validation["label"], 1.0) for seed in (2, 51)]
    temperatures = [fit_temperature(truth, member) for member in predicted]
    weights = chosen_weights(
        truth, np.stack([at_temperature(*pair) for pair in zip(predicted, temperatures, strict=True)])
    )
    assert list(record.params["weights"].values()) == pytest.approx(weights, abs=1e-4) and 0 < weights[0] < 1
    expected = sum(
        weight * at_temperature(probabilities_of(seed, table("test")["label"], 1.0), temperature)
        for weight, seed, temperature in zip(weights, (1, 50), temperatures, strict=True)
    )
    test = predictions[predictions["role"] == "test"]
    np.testing.assert_allclose(test[[f"p:{label}" for label in LABELS]], expected, atol=1e-9)


def test_weights_go_to_the_members_that_lower_the_loss():
    truth = np.array([0, 0, 1, 1])
    right = np.array([[0.9, 0.1], [0.9, 0.1], [0.1, 0.9], [0.1, 0.9]])
    even, wrong = np.full((4, 2), 0.5), right[:, ::-1]
    assert chosen_weights(truth, np.stack([wrong, right, even])).tolist() == [0, 1, 0]
    # Each knows one class and errs on the other: together they lose least, each taken half of the times.
    first = np.array([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [0.6, 0.4]])
    weights = chosen_weights(truth, np.stack([first, first[::-1, ::-1]]))
    assert weights.sum() == pytest.approx(1) and weights[0] == pytest.approx(0.5, abs=1 / ROUNDS)
    assert chosen_weights(truth, np.stack([1.0 - np.eye(2)[truth], even])).tolist() == [0, 1]


def test_the_test_labels_do_not_matter(ensemble, tmp_path):
    for number, member in enumerate(member_cells(ensemble)):
        write_member(tmp_path, member, 10 * number)
    _, before = average_members(ensemble, tmp_path, {})
    for member in member_cells(ensemble):
        record, frame = read_cell(cell_path(tmp_path, member.id))
        frame.loc[frame["role"] == "test", "truth"] = "sad"
        write_cell(tmp_path, record, frame)
    _, after = average_members(ensemble, tmp_path, {})
    columns = [f"p:{label}" for label in LABELS]
    np.testing.assert_array_equal(before[columns], after[columns])


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (None, "was not run"),
        ({"status": "failed", "reason": "no luck"}, "no luck"),
        ({"roles": ("test",)}, "no validation part"),
        ({"roles": ("validation", "other")}, "answered no test part"),
    ],
)
def test_members_that_cannot_be_averaged_are_named(ensemble, tmp_path, fields, message):
    one, two = member_cells(ensemble)
    write_member(tmp_path, one, 1)
    if fields is not None:
        write_member(tmp_path, two, 2, **fields)
    with pytest.raises(ModelError, match=message):
        average_members(ensemble, tmp_path, {})


def test_a_member_run_again_is_noticed(ensemble, tmp_path):
    one, two = member_cells(ensemble)
    write_member(tmp_path, one, 1)
    assert members_created(ensemble, tmp_path) is None
    write_member(tmp_path, two, 2)
    before = members_created(ensemble, tmp_path)
    write_member(tmp_path, two, 3)
    assert members_created(ensemble, tmp_path) != before
