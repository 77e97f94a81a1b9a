"""What is heard of a new speaker, what is scored, and the leak where both are the same."""

import dataclasses

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from protocol_tables import make_table

from serbench.errors import EnrolmentError
from serbench.protocols.audit import COPIES, ENROLLED_SCORED, audit_split
from serbench.protocols.enrolment import Enrolment, draw_enrolment, draw_for_fold
from serbench.records.enrolling import enrol_settings
from serbench.specs import Split

TABLE = make_table()
TEST = TABLE[TABLE["speaker"].isin(["demo/02", "demo/03"])]
FOLD = Split("1", tuple(TABLE["id"][~TABLE.index.isin(TEST.index)]), tuple(TEST["id"]))
LISTED = [0, 1, 5, "all", {"neutral": 2}]


def with_copies():
    """The table with one altered copy of everything."""
    copies = TABLE.assign(id=TABLE["id"] + "#1", content=TABLE["content"] + "#1", parent=TABLE["id"])
    return pd.concat([TABLE.assign(parent=TABLE["id"]), copies], ignore_index=True)


@settings(deadline=None)
@given(st.integers(0, 10_000))
def test_all_n_score_the_same_utterances_and_hear_more_and_more(seed):
    draws = [draw_enrolment(TEST, setting, seed=seed) for setting in enrol_settings(LISTED)]
    assert len({drawn.scored for drawn in draws}) == 1
    for drawn in draws:
        assert not set(drawn.enrolled) & set(drawn.scored)
    nothing, one, five, every, neutral = draws
    for speaker in ("demo/02", "demo/03"):
        own = set(TEST.loc[TEST["speaker"] == speaker, "id"])
        assert not nothing.heard[speaker]
        assert set(one.heard[speaker]) < set(five.heard[speaker]) < own == set(every.heard[speaker])
        assert len(five.heard[speaker]) == 5
        assert len(neutral.heard[speaker]) == 2 and all("-neutral-" in name for name in neutral.heard[speaker])
    assert every.others and not five.others


def test_the_draw_follows_the_seed():
    setting = enrol_settings([5])[0]
    first, again, other = (draw_enrolment(TEST, setting, seed=seed) for seed in (3, 3, 4))
    assert first == again and first.heard != other.heard


def test_the_audit_finds_nothing_in_a_drawn_enrolment():
    drawn = draw_for_fold(TABLE, FOLD, enrol_settings([5])[0], seed=0)
    found = audit_split(TABLE, FOLD, enrolment=drawn, heard="5 unlabelled utterances")
    assert found["verdict"] == "enrolled: 5 unlabelled utterances" and found["speaker_independent"]


@pytest.mark.parametrize("planted", ["the utterance itself", "its audio under another name"])
def test_an_enrolled_utterance_in_a_scored_part_is_a_leak(planted):
    drawn = draw_for_fold(TABLE, FOLD, enrol_settings([5])[0], seed=0)
    table, heard = TABLE.copy(), drawn.enrolled[0]
    if planted == "the utterance itself":
        drawn = dataclasses.replace(drawn, scored=(*drawn.scored, heard))
    else:
        table.loc[table["id"] == drawn.scored[0], "content"] = table.loc[table["id"] == heard, "content"].item()
    found = audit_split(table, FOLD, enrolment=drawn, heard="5 unlabelled utterances")
    assert [(leak["kind"], leak["count"]) for leak in found["leaks"]] == [(ENROLLED_SCORED, 1)]
    assert found["verdict"] == f"leaky: {ENROLLED_SCORED}; enrolled: 5 unlabelled utterances"
    assert not found["speaker_independent"]


def test_a_copy_of_an_enrolled_utterance_that_is_scored_is_a_leak():
    table = with_copies()
    drawn = draw_for_fold(table, FOLD, enrol_settings([5])[0], seed=0)
    assert not any("#" in name for name in drawn.enrolled + drawn.scored)
    drawn = dataclasses.replace(drawn, scored=(*drawn.scored, f"{drawn.enrolled[0]}#1"))
    found = audit_split(table, FOLD, enrolment=drawn, heard="5 unlabelled utterances")
    assert found["leaks"] == [{"kind": ENROLLED_SCORED, "count": 1, "examples": [drawn.enrolled[0]]}]
    assert found["verdict"].startswith(f"leaky: {ENROLLED_SCORED}") and not found["speaker_independent"]


def test_a_copy_of_a_test_utterance_that_trains_is_a_leak_of_an_enrolled_row_too():
    table = with_copies()
    drawn = draw_for_fold(table, FOLD, enrol_settings([5])[0], seed=0)
    own = dataclasses.replace(FOLD, train=(*FOLD.train, *(f"{name}#1" for name in FOLD.train)))
    assert audit_split(table, own, enrolment=drawn)["leaks"] == []
    planted = dataclasses.replace(own, train=(*own.train, f"{drawn.enrolled[0]}#1", f"{drawn.scored[0]}#1"))
    found = {leak["kind"]: leak["count"] for leak in audit_split(table, planted, enrolment=drawn)["leaks"]}
    assert found[COPIES] == 2


def test_an_utterance_answered_by_the_others_alone_is_no_leak():
    every = draw_enrolment(TEST, enrol_settings(["all"])[0], seed=0)
    assert every.enrolled == () and set(every.scored) == set(TEST["id"])
    assert audit_split(TABLE, FOLD, enrolment=every)["leaks"] == []


def refused(table, listed, fold=FOLD):
    for setting in enrol_settings(listed):
        draw_for_fold(table, fold, setting, seed=0)


def test_more_than_a_speaker_has():
    with pytest.raises(EnrolmentError, match="speaker demo/02 has 18 utterances, fewer than the 19 to enrol"):
        refused(TABLE, [19])
    with pytest.raises(EnrolmentError, match="18 utterances: none is left to be scored"):
        refused(TABLE, [18])
    with pytest.raises(EnrolmentError, match="demo/02 has 6 neutral utterances, fewer than the 7"):
        refused(TABLE, [{"neutral": 7}])
    with pytest.raises(EnrolmentError, match="demo/02 has no two bored utterances"):
        refused(TABLE, [{"bored": "all"}])


def test_unknown_speakers():
    unknown = TABLE.assign(speaker=TABLE["speaker"].replace("demo/03", ""))
    with pytest.raises(EnrolmentError, match="the speaker of 18 test utterances is unknown"):
        refused(unknown, [5])


def test_speakers_who_are_in_training_are_not_new():
    mixed = Split("1", FOLD.train + FOLD.test[:3], FOLD.test[3:])
    with pytest.raises(EnrolmentError, match="1 test speakers are in training too, such as demo/02"):
        refused(TABLE, [5], mixed)


def test_one_training_speaker():
    alone = Split("1", tuple(TABLE.loc[TABLE["speaker"] == "demo/00", "id"]), FOLD.test)
    with pytest.raises(EnrolmentError, match="one training speaker"):
        refused(TABLE, [5], alone)


def test_speakers_with_too_few_can_be_left_out_but_not_all_of_them():
    setting = enrol_settings([5])[0]
    few = TEST.drop(TEST.index[TEST["speaker"] == "demo/03"][4:])
    assert list(draw_enrolment(few, setting, seed=0, short="leave out").heard) == ["demo/02"]
    with pytest.raises(EnrolmentError, match="no speaker has utterances enough"):
        draw_enrolment(few[few["speaker"] == "demo/03"], setting, seed=0, short="leave out")
    assert isinstance(draw_enrolment(few, enrol_settings([0])[0], seed=0), Enrolment)
