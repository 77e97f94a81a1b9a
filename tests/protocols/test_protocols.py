import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from protocol_tables import make_table, only, tables

from serbench.errors import ProtocolError
from serbench.protocols.cross_corpus import CROSS_CORPUS
from serbench.protocols.loso import LOSO
from serbench.protocols.official import OFFICIAL
from serbench.protocols.promises import check_split
from serbench.protocols.speaker_kfold import SPEAKER_KFOLD
from serbench.protocols.stratified_holdout import STRATIFIED_HOLDOUT
from serbench.protocols.stratified_kfold import STRATIFIED_KFOLD
from serbench.protocols.text_disjoint import TEXT_DISJOINT

ALL = (CROSS_CORPUS, LOSO, OFFICIAL, SPEAKER_KFOLD, STRATIFIED_HOLDOUT, STRATIFIED_KFOLD, TEXT_DISJOINT)
EXHAUSTIVE = [(LOSO, {}), (SPEAKER_KFOLD, {"k": 2}), (SPEAKER_KFOLD, {"k": 3}), (STRATIFIED_KFOLD, {"k": 5})]
EXHAUSTIVE += [(TEXT_DISJOINT, {"k": 2})]
HOW = settings(max_examples=12, deadline=None)


@pytest.mark.parametrize(("protocol", "params"), EXHAUSTIVE)
@given(table=tables(least_speakers=3), seed=st.integers(0, 5))
@HOW
def test_every_utterance_is_tested_once_and_no_promise_is_broken(protocol, params, table, seed):
    folds = protocol.split(table, seed, **params)
    tested = [name for fold in folds for name in fold.test]
    assert sorted(tested) == sorted(table["id"])
    for fold in folds:
        assert set(fold.train) | set(fold.test) == set(table["id"])
        check_split(table, fold, protocol.independence, protocol=protocol.name)


@pytest.mark.parametrize(("protocol", "params"), [*EXHAUSTIVE, (STRATIFIED_HOLDOUT, {}), (OFFICIAL, {})])
@given(table=tables(least_speakers=3), seed=st.integers(0, 5), shuffle=st.integers(0, 1000))
@HOW
def test_row_order_changes_nothing(protocol, params, table, seed, shuffle):
    shuffled = table.sample(frac=1, random_state=shuffle)
    assert protocol.split(shuffled, seed, **params) == protocol.split(table, seed, **params)


@pytest.mark.parametrize("protocol", [STRATIFIED_HOLDOUT, STRATIFIED_KFOLD])
def test_another_seed_gives_other_random_folds(protocol):
    table = make_table()
    assert protocol.split(table, 0) != protocol.split(table, 1)


def test_another_seed_gives_other_groups_of_speakers():
    table = make_table(speakers=10)
    groups = [{frozenset(only(table, fold)["speaker"]) for fold in SPEAKER_KFOLD.split(table, seed)} for seed in (0, 1)]
    assert groups[0] != groups[1]


@given(table=tables(), k=st.integers(2, 6), seed=st.integers(0, 3))
@HOW
def test_stratified_folds_are_as_even_as_scikit_learns(table, k, seed):
    from sklearn.model_selection import StratifiedKFold

    ours = [only(table, fold)["label"] for fold in STRATIFIED_KFOLD.split(table, seed, k=k)]
    theirs = StratifiedKFold(k, shuffle=True, random_state=seed).split(table, table["label"])
    spread = [_spread(ours), _spread([table["label"].iloc[test] for _, test in theirs])]
    assert spread[0] <= spread[1]
    assert _spread(ours) <= 1
    sizes = [len(labels) for labels in ours]
    assert max(sizes) - min(sizes) <= 1


def _spread(folds):
    """The largest difference between two folds in the count of any class."""
    counts = pd.DataFrame([labels.value_counts() for labels in folds]).fillna(0)
    return (counts.max() - counts.min()).max()


@given(table=tables(least_speakers=5), seed=st.integers(0, 3))
@HOW
def test_speaker_folds_are_balanced_like_a_group_kfold(table, seed):
    from sklearn.model_selection import GroupKFold

    k = 3
    ours = [only(table, fold) for fold in SPEAKER_KFOLD.split(table, seed, k=k)]
    groups = GroupKFold(k).split(table, groups=table["speaker"])
    theirs = [table.iloc[test] for _, test in groups]
    assert {name for part in ours for name in part["speaker"]} == {name for part in theirs for name in part["speaker"]}
    # GroupKFold balances sizes alone; ours, which also balances labels and gender, may lag by one speaker at most.
    largest_speaker = table["speaker"].value_counts().max()
    assert max(map(len, ours)) <= max(map(len, theirs)) + largest_speaker


@pytest.mark.parametrize("seed", range(5))
def test_speaker_folds_hold_both_genders_in_equal_number(seed):
    table = make_table(speakers=12, takes=1)
    for fold in SPEAKER_KFOLD.split(table, seed, k=3):
        genders = only(table, fold).groupby("speaker")["gender"].first()
        assert genders.value_counts().to_dict() == {"f": 2, "m": 2}


@pytest.mark.parametrize("seed", range(5))
def test_a_label_that_few_speakers_have_is_spread_over_the_folds(seed):
    table = make_table(speakers=9, takes=1)
    rare = {"demo/00", "demo/03", "demo/07"}
    table = table[(table["label"] != "joy") | table["speaker"].isin(rare)]
    for fold in SPEAKER_KFOLD.split(table, seed, k=3):
        assert len(set(only(table, fold)["speaker"]) & rare) == 1


def test_speakers_filed_with_equal_audio_stay_together():
    table = make_table(speakers=4)
    table.loc[table["speaker"] == "demo/02", "content"] = table.loc[table["speaker"] == "demo/01", "content"].to_numpy()
    for seed in range(5):
        for fold in SPEAKER_KFOLD.split(table, seed, k=2):
            assert len({"demo/01", "demo/02"} & set(only(table, fold)["speaker"])) != 1


def test_loso_folds_are_named_by_speaker():
    table = make_table(speakers=3)
    assert [fold.fold for fold in LOSO.split(table, 0)] == ["00", "01", "02"]
    both = pd.concat([table, make_table(speakers=2, project="other", corpus="other")])
    assert [fold.fold for fold in LOSO.split(both, 0)] == ["demo/00", "demo/01", "demo/02", "other/00", "other/01"]


def test_holdout_draws_its_share_of_each_class():
    table = make_table(speakers=5, texts=2, takes=2)
    (fold,) = STRATIFIED_HOLDOUT.split(table, 0, test_size=0.25)
    assert only(table, fold)["label"].value_counts().to_dict() == {"anger": 5, "joy": 5, "neutral": 5}
    assert sorted(fold.train + fold.test) == sorted(table["id"])


@pytest.mark.parametrize("classes", [2, 3])
def test_holdout_keeps_the_whole_at_its_fraction(classes):
    # 192 utterances a class and 0.2: each class' share is 38.4, the whole is 38.4 times the classes.
    table = make_table(speakers=24, labels=("anger", "joy", "neutral")[:classes], texts=2, takes=4)
    (fold,) = STRATIFIED_HOLDOUT.split(table, 0)
    assert len(fold.test) == round(0.2 * len(table))


def test_official_folds_follow_the_column_and_sort_by_number():
    table = make_table(speakers=22)
    folds = OFFICIAL.split(table, 0)
    assert [fold.fold for fold in folds] == [str(number) for number in range(1, 12)]
    assert set(only(table, folds[1])["speaker"]) == {"demo/02", "demo/03"}


def test_official_utterances_marked_train_are_never_tested():
    table = make_table(speakers=4)
    table.loc[table["official_fold"] == "1", "official_fold"] = "train"
    (fold,) = OFFICIAL.split(table, 0)
    assert fold.fold == "2"
    assert set(only(table, fold, "train")["speaker"]) == {"demo/00", "demo/01"}


def test_cross_corpus_holds_out_whole_projects():
    table = pd.concat(
        [
            make_table(project="ravdess", corpus="ravdess_speech"),
            make_table(project="ravdess", corpus="ravdess_song"),
            make_table(project="emodb", corpus="emodb"),
        ]
    )
    folds = CROSS_CORPUS.split(table, 0)
    assert [fold.fold for fold in folds] == ["emodb", "ravdess"]
    assert set(only(table, folds[1])["corpus"]) == {"ravdess_speech", "ravdess_song"}
    for fold in folds:
        check_split(table, fold, CROSS_CORPUS.independence, protocol="cross_corpus")


def _without(column):
    table = make_table()
    table.loc[3, column] = ""
    return table


ERRORS = [
    (STRATIFIED_KFOLD, {}, make_table().head(0), "no utterance"),
    (STRATIFIED_KFOLD, {"k": 1}, make_table(), "k is 1"),
    (STRATIFIED_KFOLD, {"k": 2.5}, make_table(), "k is 2.5"),
    (STRATIFIED_KFOLD, {"k": 7}, make_table(1), "'anger' has 6 utterances, fewer than the 7 folds"),
    (STRATIFIED_HOLDOUT, {"test_size": 1.5}, make_table(), "test_size is 1.5"),
    (STRATIFIED_HOLDOUT, {}, make_table(1, texts=1, takes=1), "'anger' has 1 utterance"),
    (SPEAKER_KFOLD, {}, make_table(3), "3 speakers, 5 needed"),
    (SPEAKER_KFOLD, {"k": 2}, make_table(1), "1 speaker, 2 needed"),
    (SPEAKER_KFOLD, {"k": 2}, _without("speaker"), "1 of 72 utterances have no speaker"),
    (LOSO, {}, make_table(1), "1 speaker, 2 needed"),
    (LOSO, {}, _without("speaker"), "s00-anger-t1-1"),
    (TEXT_DISJOINT, {}, make_table(), "3 sentences, 5 needed"),
    (TEXT_DISJOINT, {"k": 2}, _without("text"), "have no text"),
    (CROSS_CORPUS, {}, make_table(), "1 recording project, 2 needed"),
    (CROSS_CORPUS, {}, _without("speaker"), "have no speaker"),
    (OFFICIAL, {}, make_table().assign(official_fold=""), "demo has no official folds"),
    (OFFICIAL, {}, _without("official_fold"), "have no official_fold"),
    (OFFICIAL, {}, make_table().assign(official_fold="1"), "fold 1 has an empty training part"),
    (OFFICIAL, {}, make_table().assign(official_fold="train"), "no utterance is in a test fold"),
]


@pytest.mark.parametrize(("protocol", "params", "table", "message"), ERRORS)
def test_what_cannot_be_split_is_a_clear_error(protocol, params, table, message):
    with pytest.raises(ProtocolError) as caught:
        protocol.split(table, 0, **params)
    assert message in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize("protocol", ALL)
def test_one_class_and_doubled_ids_are_refused_by_every_protocol(protocol):
    with pytest.raises(ProtocolError, match="the label 'joy'"):
        protocol.split(make_table(labels=("joy",)), 0)
    with pytest.raises(ProtocolError, match="appear twice"):
        protocol.split(pd.concat([make_table(), make_table()]), 0)


@pytest.mark.parametrize("protocol", ALL)
def test_the_table_is_left_as_it_was(protocol):
    table = pd.concat([make_table(8, texts=5), make_table(8, texts=5, project="other", corpus="other")])
    table = table.sample(frac=1, random_state=0)
    before = table.copy()
    protocol.split(table, 0)
    pd.testing.assert_frame_equal(table, before)


@pytest.mark.real
def test_real_actors_are_dealt_evenly(real_data):
    from serbench.protocols.splitting import split

    names = sorted({path.stem for path in (real_data / "ravdess_speech").rglob("*.flac")})
    actor = [name[-2:] for name in names]
    table = pd.DataFrame(
        {
            "id": [f"ravdess_speech/{name}" for name in names],
            "label": [name[6:8] for name in names],
            "speaker": [f"ravdess/{number}" for number in actor],
            "gender": ["fm"[int(number) % 2] for number in actor],
        }
    )
    sizes = [len(fold.test) for fold in split(table, "speaker_kfold")]
    assert sorted(sizes) == [240, 300, 300, 300, 300]
    assert np.array_equal([len(fold.test) for fold in split(table, "loso")], np.full(24, 60))
