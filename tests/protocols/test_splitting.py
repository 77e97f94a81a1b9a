import pandas as pd
import pytest
from protocol_tables import make_table

from serbench.errors import BrokenPromise, ProtocolError, UnknownName
from serbench.protocols.splitting import SPLIT_COLUMNS, complete, split, splits_table
from serbench.protocols.stratified_kfold import STRATIFIED_KFOLD
from serbench.specs import ProtocolSpec, Split


def test_a_name_and_its_spec_give_the_same_folds():
    table = make_table()
    assert split(table, "stratified_kfold", seed=3, k=4) == split(table, STRATIFIED_KFOLD, seed=3, k=4)


def test_a_table_of_id_label_and_speaker_is_enough():
    table = make_table()[["id", "label", "speaker"]]
    assert [fold.fold for fold in split(table, "loso")] == ["00", "01", "02", "03"]
    assert complete(table)["corpus"].unique().tolist() == ["demo"]
    assert complete(table)["utterance"].iloc[0] == "s00-anger-t0-0"


def test_missing_values_count_as_unknown():
    table = make_table()
    table.loc[0, "speaker"] = None
    with pytest.raises(ProtocolError, match="1 of 72 utterances have no speaker"):
        split(table, "loso")


def test_unknown_names_are_met_with_the_nearest():
    with pytest.raises(UnknownName, match="did you mean 'loso'"):
        split(make_table(), "losso")
    with pytest.raises(UnknownName, match="unknown parameter of protocol speaker_kfold 'folds'"):
        split(make_table(), "speaker_kfold", folds=3)
    with pytest.raises(ProtocolError, match="no column label"):
        split(make_table().drop(columns="label"), "loso")


def test_a_protocol_that_breaks_its_promise_raises():
    def torn(table, seed):
        return [Split("1", tuple(table["id"][::2]), tuple(table["id"][1::2]))]

    broken = ProtocolSpec("torn", "1", torn, independence=frozenset({"speaker"}))
    with pytest.raises(BrokenPromise, match="torn, fold 1"):
        split(make_table(), broken)


def test_splits_as_a_table_come_back_as_they_were():
    table = make_table()
    folds = split(table, "speaker_kfold", k=2)
    frame = splits_table("demo", "speaker_kfold", 0, folds, table)
    assert tuple(frame.columns) == SPLIT_COLUMNS
    assert len(frame) == 2 * len(table)
    again = [
        Split(name, *(tuple(rows.loc[rows["role"] == role, "utterance"]) for role in ("train", "test")))
        for name, rows in frame.groupby("fold")
    ]
    assert again == folds
    speakers = dict(zip(table["id"], table["speaker"], strict=True))
    assert (frame["speaker"] == frame["utterance"].map(speakers)).all()


def test_no_splits_give_an_empty_table_with_its_columns():
    frame = splits_table("demo", "loso", 0, [], make_table())
    assert isinstance(frame, pd.DataFrame)
    assert tuple(frame.columns) == SPLIT_COLUMNS
    assert frame.empty
