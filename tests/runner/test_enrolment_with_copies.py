"""Rows that hear a new speaker and train on altered copies: copies follow their parents, and nobody hears one."""

import dataclasses
from collections import defaultdict

import numpy as np
import pytest
from in_one_process import carried_out

from serbench.circumstances import Circumstances
from serbench.protocols.audit import ENROLLED_SCORED
from serbench.reporting.enrolment import enrolment_curves
from serbench.reporting.leaderboard import leaderboard
from serbench.reporting.loading import load_records
from serbench.runner.cell import enrolment, recipe
from serbench.runner.cell.inputs import open_registry, read_matrix
from serbench.runner.planning.audits import Audits
from serbench.runner.planning.plan import make_plan
from serbench.runner.planning.plan_files import write_task_table
from serbench.runner.planning.selection import Filters
from serbench.runner.suite.file import load_suite

COPIED = "{vtlp: {semitones: [-3, 3]}, copies: 2}"
BLOCK = """\
  - features: [mfcc]
    models: [lda]
    protocols: [{name: speaker_kfold, params: {k: 3}}]
    enrol: [0, 2, all]
"""


@pytest.fixture
def around(tiny_data, tmp_path):
    return Circumstances(data=tiny_data, cache=tmp_path / "cache", results=tmp_path / "results", jobs=1)


@pytest.fixture
def planned(tiny_suite, around):
    def plan(block=BLOCK, *, augment=f"[none, {COPIED}]", above="", **filters):
        head = tiny_suite.read_text().partition("grid:")[0]
        own = f"    augment: {augment}\n" if augment else ""
        tiny_suite.write_text(f"{head}{above}grid:\n{block}{own}")
        return make_plan(load_suite(str(tiny_suite)), open_registry(around), around, Filters(**filters))

    return plan


def test_rows_with_copies_stand_beside_those_without_whose_ids_stay(planned):
    plain = planned(augment="")
    both = planned()
    assert {item.cell.id for item in plain.cells} < {item.cell.id for item in both.cells}
    assert len(both.cells) == 2 * len(plain.cells)
    # A suite's copies are for rows that hear nobody: its enrolled rows stay what they were.
    assert {item.cell.id for item in planned(augment="", above=f"augment: {COPIED}\n").cells} == {
        item.cell.id for item in plain.cells
    }


def test_they_score_the_same_utterances_and_are_a_curve_of_their_own(planned, around):
    plan = planned(seed=[0])
    done = carried_out(plan, around)
    answered = defaultdict(set)
    for item in plan.cells:
        record, predictions = done[item.cell.id]
        assert record.status == "ok", record.reason
        assert record.audit["leaks"] == [] and record.audit["speaker_independent"]
        names = tuple(predictions["corpus"] + "/" + predictions["utterance"])
        assert set(names) == set(item.enrolment.scored) and not any("#" in name for name in names)
        answered[item.cell.fold].add(names)
        assert bool(record.enrolment) == bool(item.cell.enrol["utterances"])
    assert all(len(names) == 1 for names in answered.values())
    records = load_records(around.results, "tiny")
    board = leaderboard(records)
    assert set(board.loc[board["enrol"] == 2, "verdict"]) == {"enrolled: 2 unlabelled utterances"}
    # Ranked beside each other.
    assert sorted(board.loc[board["enrol"] == 2, "rank"]) == [1, 2]
    curves = enrolment_curves(records, board)
    assert [curve.numbers for curve in curves] == [["0", "2", "all"]] * 2
    assert sum("augmented" in curve.name for curve in curves) == 1


@pytest.mark.parametrize("features", ["mfcc", "mfcc_sequence"])
def test_fits_hold_copies_of_their_own_part_normalised_by_what_was_spoken(planned, around, monkeypatch, features):
    fits, heard = [], []
    real_fit, real_draw = recipe.fit_model, enrolment.draw_enrolment

    def fit(spec, params, matrix, table, labels, training, **settings):
        fits.append((matrix, table, training))
        return real_fit(spec, params, matrix, table, labels, training, **settings)

    def draw(table, *given, **settings):
        heard.append(table)
        return real_draw(table, *given, **settings)

    for module in (recipe, enrolment):
        monkeypatch.setattr(module, "fit_model", fit)
    monkeypatch.setattr(enrolment, "draw_enrolment", draw)
    block = BLOCK.replace("[mfcc]", f"[{features}]").replace("[0, 2, all]", "[2]")
    block = block.replace("[lda]", "[{name: cnn, params: {epochs: 1, pool: 1}}]") if "seq" in features else block
    plan = planned(block, augment=COPIED, seed=[0], fold=["1"])
    ((record, _),) = carried_out(plan, around).values()
    assert record.status == "ok", record.reason
    (item,) = plan.cells
    # Who is treated as new inside training speaks as he spoke.
    assert heard and all(not rows["id"].str.contains("#").any() for rows in heard)
    inner = [rows for _, rows, _ in fits]
    assert len(fits) > 1 and all(rows is inner[0] for rows in inner)
    table, raw = inner[0], read_matrix(write_task_table(plan, item.task), item.cell, around)
    new = set(table.loc[table["id"].isin(item.split.test), "speaker"])
    method = record.enrolment["method"]
    for _, _, training in fits:
        fitted = table.iloc[training.fit]
        originals = fitted.loc[fitted["id"] == fitted["parent"], "id"]
        assert sorted(fitted["id"]) == sorted(name + mark for name in originals for mark in ("", "#1", "#2"))
        assert not new & set(fitted["speaker"])
        assert not set(fitted["parent"]) & set(table.iloc[training.validation]["parent"])
        assert not table.iloc[training.validation]["id"].str.contains("#").any()
    matrix, _, training = fits[-1]
    speaker = table.iloc[training.fit]["speaker"].iloc[0]
    said = np.flatnonzero((table["speaker"] == speaker) & (table["id"] == table["parent"]))
    frames = np.vstack([np.atleast_2d(x) for x in raw.take(said)]).astype(np.float64)
    deviation = frames.std(axis=0) if method == "mean_std" else 1.0
    for row in np.flatnonzero(table["speaker"] == speaker):
        expected = (raw.take([row])[0] - frames.mean(axis=0)) / deviation
        np.testing.assert_allclose(matrix.take([row])[0], expected, rtol=2e-3, atol=2e-3)


def test_an_ensemble_takes_the_members_with_copies_together(planned, around):
    above = "ensembles: {both: [lda@mfcc, knn@mfcc]}\n"
    plan = planned(BLOCK.replace("[lda]", "[lda, knn]"), above=above, seed=[0], fold=["1"])
    done = carried_out(plan, around)
    averaged = [item for item in plan.cells if item.cell.members]
    assert len(averaged) == 2 * 3
    for item in averaged:
        record, predictions = done[item.cell.id]
        assert record.status == "ok", record.reason
        assert {bool(member.get("augment")) for member in item.cell.members} == {bool(item.cell.augment)}
        tested = predictions[predictions["role"] == "test"]
        assert set(tested["corpus"] + "/" + tested["utterance"]) == set(item.enrolment.scored)
        assert not predictions["utterance"].str.contains("#").any()


def test_a_copy_of_what_was_heard_is_found_where_it_is_scored(planned, around):
    (item,) = planned(BLOCK.replace("[0, 2, all]", "[2]"), augment=COPIED, seed=[0], fold=["1"]).cells
    assert Audits(around.cache).of(item)["leaks"] == []
    drawn = item.enrolment
    planted = dataclasses.replace(item, enrolment=dataclasses.replace(drawn, scored=(f"{drawn.enrolled[0]}#2",)))
    assert [leak["kind"] for leak in Audits(around.cache).of(planted)["leaks"]] == [ENROLLED_SCORED]
