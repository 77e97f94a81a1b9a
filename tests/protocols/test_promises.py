import pytest
from protocol_tables import make_table

from serbench.errors import BrokenPromise
from serbench.protocols.promises import check_split
from serbench.protocols.stratified_kfold import STRATIFIED_KFOLD
from serbench.specs import Split


def parts(table, mask):
    """A split whose test part is where the mask holds."""
    return Split("1", tuple(table["id"][~mask]), tuple(table["id"][mask]))


def test_a_split_by_speaker_keeps_the_speaker_promise_but_no_other():
    table = make_table()
    split = parts(table, table["speaker"] == "demo/01")
    check_split(table, split, {"speaker"}, protocol="loso")
    with pytest.raises(BrokenPromise, match="3 text values on both sides: text 0, text 1, text 2"):
        check_split(table, split, {"text"}, protocol="text_disjoint")
    with pytest.raises(BrokenPromise, match="1 corpus values on both sides: demo"):
        check_split(table, split, {"corpus"}, protocol="cross_corpus")


def test_a_shared_speaker_is_named_with_protocol_and_fold():
    table = make_table()
    split = parts(table, table["text"] == "text 0")
    with pytest.raises(BrokenPromise) as caught:
        check_split(table, split, {"speaker"}, protocol="wrong")
    assert "wrong, fold 1" in str(caught.value)
    assert "demo/00, demo/01, demo/02, demo/03" in str(caught.value)


def test_two_corpora_of_one_project_may_not_be_torn_apart():
    speech = make_table(project="ravdess", corpus="speech")
    song = make_table(project="ravdess", corpus="song").assign(speaker="ravdess/99")
    import pandas as pd

    table = pd.concat([speech, song])
    with pytest.raises(BrokenPromise, match="recording project"):
        check_split(table, parts(table, table["corpus"] == "song"), {"corpus"}, protocol="cross_corpus")


@pytest.mark.parametrize("level", ["speaker", "text"])
def test_the_unknown_cannot_be_promised(level):
    table = make_table()
    table.loc[0, level] = ""
    with pytest.raises(BrokenPromise, match=f"1 utterances have no known {level}"):
        check_split(table, parts(table, table["speaker"] == "demo/01"), {level}, protocol="p")


def test_equal_audio_breaks_any_promise_but_a_random_protocol_makes_none():
    table = make_table()
    table.loc[table.index[-1], "content"] = table.loc[0, "content"]
    split = parts(table, table["speaker"] == "demo/00")
    with pytest.raises(BrokenPromise, match="1 recordings are on both sides"):
        check_split(table, split, {"speaker"}, protocol="loso")
    check_split(table, split, set(), protocol="stratified_kfold")


def test_unknown_audio_content_is_no_duplicate():
    table = make_table().assign(content="")
    check_split(table, parts(table, table["speaker"] == "demo/00"), {"speaker"}, protocol="loso")


IDS = tuple(make_table()["id"])
UNSOUND = [
    (Split("1", (), IDS), "the training part is empty"),
    (Split("1", IDS, ()), "the test part is empty"),
    (Split("1", IDS[:5], IDS[4:]), "1 utterances on both sides: demo/s00-anger-t2-0"),
    (Split("1", IDS[:5], (*IDS[5:], IDS[5])), "the test part repeats demo/s00-anger-t2-1"),
    (Split("1", (*IDS[:5], "demo/none"), IDS[5:]), "the training part names unknown demo/none"),
]


@pytest.mark.parametrize(("split", "message"), UNSOUND)
def test_unsound_splits_are_refused_even_without_a_promise(split, message):
    with pytest.raises(BrokenPromise, match=message):
        check_split(make_table(), split, set(), protocol="p")


def test_random_folds_pass_without_and_fail_with_a_speaker_promise():
    table = make_table()
    for fold in STRATIFIED_KFOLD.split(table, 0):
        check_split(table, fold, set(), protocol="stratified_kfold")
        with pytest.raises(BrokenPromise):
            check_split(table, fold, {"speaker"}, protocol="stratified_kfold")
