import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from protocol_tables import make_table, tables

from serbench.errors import ProtocolError
from serbench.protocols.inner import inner_folds, validation_split

PROMISES = st.sampled_from([frozenset(), frozenset({"speaker"}), frozenset({"text"}), frozenset({"speaker", "corpus"})])
HOW = settings(max_examples=15, deadline=None)


def assert_apart(table, level, left, right):
    if level != "stratified":
        assert not set(table[level].iloc[left]) & set(table[level].iloc[right])


@given(table=tables(), promise=PROMISES, seed=st.integers(0, 3), shuffle=st.integers(0, 99))
@HOW
def test_validation_partitions_training_and_keeps_the_level(table, promise, seed, shuffle):
    table = table.sample(frac=1, random_state=shuffle)
    fit, validation, level = validation_split(table, promise, seed=seed)
    assert sorted([*fit, *validation]) == list(range(len(table)))
    assert len(fit) and len(validation)
    assert set(table["label"].iloc[fit]) == set(table["label"])
    assert_apart(table, level, fit, validation)


@given(table=tables(), promise=PROMISES, k=st.integers(2, 5), seed=st.integers(0, 3))
@HOW
def test_inner_folds_test_every_row_once_and_keep_the_level(table, promise, k, seed):
    folds, level = inner_folds(table, promise, k=k, seed=seed)
    assert sorted(position for _, test in folds for position in test) == list(range(len(table)))
    for train, test in folds:
        assert len(train) and len(test)
        assert sorted([*train, *test]) == list(range(len(table)))
        assert_apart(table, level, train, test)


@given(table=tables(), promise=PROMISES, shuffle=st.integers(0, 99))
@HOW
def test_the_same_utterances_are_drawn_in_any_row_order(table, promise, shuffle):
    shuffled = table.sample(frac=1, random_state=shuffle)
    drawn = [set(rows["id"].iloc[validation_split(rows, promise, seed=1)[1]]) for rows in (table, shuffled)]
    assert drawn[0] == drawn[1]


@pytest.mark.parametrize(
    ("speakers", "texts", "promise", "level"),
    [
        (6, 4, {"speaker"}, "speaker"),
        (3, 4, {"speaker", "corpus"}, "speaker"),
        (2, 4, {"speaker"}, "text"),
        (1, 4, {"speaker"}, "text"),
        (1, 2, {"speaker"}, "stratified"),
        (6, 4, {"text"}, "text"),
        (6, 2, {"text"}, "stratified"),
        (6, 4, set(), "stratified"),
    ],
)
def test_validation_falls_back_where_units_are_too_few(speakers, texts, promise, level):
    assert validation_split(make_table(speakers, texts=texts), promise, seed=0)[2] == level


@pytest.mark.parametrize(
    ("speakers", "texts", "promise", "level", "count"),
    [
        (6, 4, {"speaker"}, "speaker", 4),
        (3, 4, {"speaker"}, "speaker", 3),
        (1, 3, {"speaker"}, "text", 3),
        (1, 1, {"speaker"}, "stratified", 4),
        (6, 4, set(), "stratified", 4),
    ],
)
def test_inner_folds_fall_back_where_units_are_too_few(speakers, texts, promise, level, count):
    folds, reached = inner_folds(make_table(speakers, texts=texts, takes=4), promise, k=4, seed=0)
    assert (reached, len(folds)) == (level, count)


@pytest.mark.parametrize("seed", range(5))
def test_a_speaker_disjoint_validation_part_is_near_its_share_and_of_both_genders(seed):
    table = make_table(speakers=20, takes=1)
    _, validation, _ = validation_split(table, {"speaker"}, seed=seed, fraction=0.2)
    genders = table.iloc[validation].groupby("speaker")["gender"].first().value_counts()
    assert genders.to_dict() == {"f": 2, "m": 2}


def test_unknown_speakers_fall_back_to_sentences():
    table = make_table(6)
    table.loc[0, "speaker"] = ""
    assert validation_split(table, {"speaker"}, seed=0)[2] == "text"


def test_a_class_of_one_speaker_stays_in_the_fit_part():
    table = make_table(speakers=4)
    table = table[(table["label"] != "joy") | (table["speaker"] == "demo/02")]
    for seed in range(10):
        _, validation, level = validation_split(table, {"speaker"}, seed=seed)
        assert level == "speaker"
        assert "demo/02" not in set(table["speaker"].iloc[validation])


def test_a_class_of_one_utterance_stays_in_the_fit_part():
    table = make_table(2)
    table = table[(table["label"] != "joy") | (table["id"] == "demo/s00-joy-t0-0")]
    _, validation, _ = validation_split(table, set(), seed=0)
    assert "joy" not in set(table["label"].iloc[validation])
    assert len(validation) == pytest.approx(0.15 * len(table), abs=1)


def test_seeds_draw_different_validation_speakers():
    table = make_table(speakers=12)
    drawn = {tuple(validation_split(table, {"speaker"}, seed=seed)[1]) for seed in range(6)}
    assert len(drawn) > 1


def test_too_little_to_cut_is_an_error():
    table = make_table(1, texts=1, takes=1)
    with pytest.raises(ProtocolError, match="no validation part"):
        validation_split(table, {"speaker"}, seed=0)
    with pytest.raises(ProtocolError, match="2 inner folds of 1"):
        inner_folds(table.head(1), set(), k=2, seed=0)


def test_positions_are_integers_in_order():
    fit, validation, _ = validation_split(make_table(), {"speaker"}, seed=0)
    for positions in (fit, validation):
        assert positions.dtype.kind == "i"
        assert np.all(np.diff(positions) > 0)
