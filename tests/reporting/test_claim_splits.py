"""Claims over several split seeds and folds: hand-computed ranges, places and causes."""

import numpy as np
import pytest
from made_suites import LABELS, make_cell, make_table, one_hot, save
from test_claims import CLAIM, write_row

from serbench.records import make_predictions
from serbench.reporting.claim_splits import cause, place, span
from serbench.reporting.claims import claims_table, format_claims
from serbench.reporting.loading import load_records

# Of 12 speakers' 144 utterances so many are wrong, speaker by speaker alike: 12, 24, 36, ... of 144.
EVERY = [f"toy/{number:02d}" for number in range(12)]


def write_splits(folder, protocol: str, wrong_of_each: list[int], **fields) -> None:
    """One split seed for each number: how many utterances of every speaker it gets wrong."""
    for seed, wrong in enumerate(wrong_of_each):
        write_row(folder, protocol, dict.fromkeys(EVERY, wrong), seed=seed, **fields)


def test_split_seeds_give_mean_range_and_the_place_of_the_reported_number(tmp_path):
    write_splits(tmp_path / "p9", "stratified_kfold", [1, 2, 3, 2])
    write_row(tmp_path / "p9", "official", dict.fromkeys(EVERY, 6))
    records = load_records(tmp_path, "p9")
    above, within, below = (claims_table([CLAIM | {"reported": x}], records)[0] for x in (0.947, 0.8, 0.7))
    assert above["splits"] == 4 and above["own"] == above["own_mean"] == pytest.approx(10 / 12)
    assert (above["own_min"], above["own_max"]) == (pytest.approx(9 / 12), pytest.approx(11 / 12))
    assert [row["reported_place"] for row in (above, within, below)] == ["above all 4", "within", "below all 4"]
    assert above["mistake_splits"] is None and above["mistake_min"] is None
    assert "| 94.7 | 83.3 (75.0 to 91.7) | – | 50.0 | above all 4 |" in format_claims([above], "md")


def test_one_split_is_told_as_one(tmp_path):
    write_splits(tmp_path / "p9", "stratified_kfold", [2])
    (row,) = claims_table([CLAIM], load_records(tmp_path, "p9"))
    assert (row["splits"], row["own_min"], row["own_max"]) == (1, row["own"], row["own"])
    assert row["reported_place"] == "above the one split" and row["separated_by"] is None
    assert "| 94.7 | 83.3 | – | – | above the one split | – |" in format_claims([row], "md")


def test_unseen_speakers_are_told_fold_by_fold(tmp_path):
    table = make_table(speakers=12)
    for fold, wrong in enumerate([1, 3, 5]):
        part = table[table["speaker"].isin(EVERY[4 * fold : 4 * fold + 4])]
        position = part.groupby("speaker").cumcount()
        predicted = [
            LABELS[(LABELS.index(label) + (number < wrong)) % 3]
            for label, number in zip(part["label"], position, strict=True)
        ]
        save(tmp_path / "p9", make_cell(fold=str(fold + 1)), make_predictions(part, LABELS, one_hot(predicted)))
    (row,) = claims_table([CLAIM | {"reported": 0.5}], load_records(tmp_path, "p9"))
    assert row["speaker_independent"] == row["speaker_independent_mean"] == pytest.approx(9 / 12)
    assert row["speaker_independent_folds"] == 3 and row["speaker_independent_place"] == "below all 3"
    assert (row["speaker_independent_min"], row["speaker_independent_max"]) == (
        pytest.approx(7 / 12),
        pytest.approx(11 / 12),
    )


def test_the_gap_is_taken_split_by_split(tmp_path):
    folder, table = tmp_path / "p9", make_table(speakers=12)
    # Unseen speakers: the first half of each speaker's utterances is wrong. Split 0 tests that half, split 1 all.
    write_row(folder, "official", dict.fromkeys(EVERY, 6))
    for seed, kept in enumerate([table.groupby("speaker").head(6), table]):
        right = make_predictions(kept, LABELS, one_hot(list(kept["label"])))
        save(folder, make_cell(protocol="stratified_kfold", seed=seed), right)
    (row,) = claims_table([CLAIM], load_records(tmp_path, "p9"))
    # 1 - 0 on the first split, 1 - 1/2 on the second.
    assert row["gap"] == pytest.approx(0.75) and row["gap_utterances"] == 144
    assert row["gap_low"] < 0.75 < row["gap_high"]


def test_the_span_is_the_range_of_five_splits_or_the_interval_over_speakers(tmp_path):
    folder = tmp_path / "p9"
    write_splits(folder, "stratified_kfold", [1, 2, 3, 4, 5])
    write_row(folder, "official", {name: number % 3 for number, name in enumerate(EVERY)})
    records = load_records(tmp_path, "p9")
    random, unseen = (records[records["protocol"] == name] for name in ("stratified_kfold", "official"))
    assert span(random, "accuracy", drawn=True) == (pytest.approx(7 / 12), pytest.approx(11 / 12))
    # Textbook t interval over the 12 speakers, a third of whom err 0, 1 and 2 times of 12.
    reach = 2.200985 * np.std([0, 1, 2] * 4, ddof=1) / 12 / np.sqrt(12)
    assert span(unseen, "accuracy", drawn=False) == pytest.approx((11 / 12 - reach, 11 / 12 + reach), abs=1e-6)


def test_more_seeds_on_the_same_unseen_speakers_tell_nothing_of_others(tmp_path):
    errors = {name: number % 3 for number, name in enumerate(EVERY)}
    for seed in range(5):
        write_row(tmp_path / "p9", "official", errors, seed=seed)
    (row,) = claims_table([CLAIM | {"reported": 0.94}], load_records(tmp_path, "p9"))
    # Each seed gives 11/12; the interval over the speakers reaches .96.
    assert row["separated_by"] == "sampling"


@pytest.mark.parametrize(
    ("reported", "separates"),
    [
        (0.45, "lower than ours"),
        (0.5, "sampling"),
        (0.6, "speakers"),
        (11 / 12, "speakers"),
        (0.95, "mistake"),
        (1.0, "mistake"),
    ],
)
def test_the_first_step_that_reaches_a_number_is_its_cause(tmp_path, reported, separates):
    folder = tmp_path / "p9"
    write_splits(folder, "stratified_kfold", [1, 2, 3, 2, 2])
    write_splits(folder, "leaky_select_on_test", [0, 1, 1, 1, 1])
    # All speakers alike: the interval over them is a point.
    write_row(folder, "official", dict.fromkeys(EVERY, 6))
    claim = CLAIM | {"mistake": "leaky_select_on_test", "reported": reported}
    (row,) = claims_table([claim], load_records(tmp_path, "p9"))
    assert row["separated_by"] == separates
    assert (row["mistake_splits"], row["mistake_min"], row["mistake_max"]) == (5, pytest.approx(11 / 12), 1.0)


def test_a_cause_is_named_only_where_the_steps_before_it_were_run():
    unseen, own, mistake = (0.4, 0.5), (0.6, 0.7), (0.7, 0.8)
    assert cause(0.9, [unseen, own, mistake]) == cause(0.9, [unseen, own]) == "none of the three"
    assert cause(0.55, [unseen, own, None]) == "speakers"
    assert cause(0.75, [unseen, own, None]) is cause(0.55, [None, own]) is cause(None, [unseen, own]) is None


def test_a_claim_that_cannot_be_run_says_what_it_needs(tmp_path):
    write_row(tmp_path / "p9", "official", dict.fromkeys(EVERY, 6))
    claim = CLAIM | {"row": None, "needs": "pre-trained weights", "reported": 0.8182}
    (row,) = claims_table([claim], load_records(tmp_path, "p9"))
    assert row["own"] is row["speaker_independent"] is row["separated_by"] is None
    assert "| 81.8 | – | – | – | – | needs pre-trained weights |" in format_claims([row], "md")


def test_places():
    assert place(0.6, [0.6]) == "within" and place(0.5, [0.6, 0.7]) == "below all 2"
    assert place(None, [0.6]) == place(0.6, []) == ""
