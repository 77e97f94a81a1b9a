"""Published claims beside our rows, and rows on degraded audio."""

import csv
import io
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from made_suites import LABELS, make_cell, make_table, one_hot, save, write_suite
from scipy import stats

from serbench.errors import ResultsError, UsageError
from serbench.records import make_predictions
from serbench.reporting.claims import claims_table, format_claims
from serbench.reporting.loading import load_records
from serbench.reporting.robustness import robustness_table

CLAIM = {
    "claim": "P9", "model": "SVM & co", "metric": "accuracy", "reported": 0.947, "row": "svm@mfcc",
    "own": "stratified_kfold", "mistake": None, "speaker_independent": "official", "augment": False,
    "corpus": None, "mistake_row": None, "suite": "p9", "source": "a paper", "note": "",
}  # fmt: skip
KEYS = ("claim", "model", "metric", "reported", "own", "mistake", "speaker_independent", "gap", "gap_low", "gap_high")


def write_row(folder, protocol: str, wrong_of_speaker: dict[str, int], *, version="1", **fields) -> None:
    """A row of one fold that errs on so many utterances of each speaker."""
    table = make_table(speakers=12)
    predicted = table["label"].tolist()
    left = dict(wrong_of_speaker)
    for number, (speaker, label) in enumerate(zip(table["speaker"], table["label"], strict=True)):
        if left.get(speaker, 0):
            predicted[number], left[speaker] = LABELS[(LABELS.index(label) + 1) % 3], left[speaker] - 1
    cell = make_cell(protocol=protocol, **fields)
    cell = replace(cell, model={**cell.model, "version": version})
    save(folder, cell, make_predictions(table, LABELS, one_hot(predicted)))


@pytest.fixture
def records(tmp_path) -> pd.DataFrame:
    folder = tmp_path / "p9"
    # 12 speakers of 12 utterances: 1 of each is wrong, and 6 of each.
    write_row(folder, "stratified_kfold", {f"toy/{number:02d}": 1 for number in range(12)})
    write_row(folder, "official", {f"toy/{number:02d}": 6 for number in range(12)})
    return load_records(tmp_path, "p9")


def test_a_claim_is_set_beside_its_rows(records):
    (row,) = claims_table([CLAIM], records)
    assert set(KEYS) <= set(row)
    assert (row["own"], row["speaker_independent"]) == (pytest.approx(11 / 12), pytest.approx(0.5))
    assert row["mistake"] is None and row["gap"] == pytest.approx(5 / 12)
    # All speakers lose alike, so resampling them changes nothing.
    assert row["gap_low"] == pytest.approx(5 / 12) and row["gap_high"] == pytest.approx(5 / 12)


def test_the_interval_of_the_gap_is_the_textbooks_t_interval_over_speakers(tmp_path):
    wrong = {f"toy/{number:02d}": number for number in range(12)}
    write_row(tmp_path / "p9", "stratified_kfold", {})
    write_row(tmp_path / "p9", "official", wrong)
    (row,) = claims_table([CLAIM], load_records(tmp_path, "p9"))
    gaps = np.array(list(wrong.values())) / 12
    reach = stats.t.ppf(0.975, 11) * gaps.std(ddof=1) / np.sqrt(12)
    assert (row["gap_low"], row["gap_high"]) == pytest.approx((gaps.mean() - reach, gaps.mean() + reach))


def test_other_metrics_are_those_of_the_leaderboard(tmp_path):
    from serbench.reporting.leaderboard import leaderboard

    write_suite(tmp_path / "p9", models={"svm": 1.0})
    records = load_records(tmp_path, "p9")
    board = leaderboard(records).set_index("protocol")
    for metric in ("uar", "macro_f1", "weighted_f1", "accuracy"):
        (row,) = claims_table([CLAIM | {"metric": metric}], records)
        assert row["own"] == pytest.approx(board.loc["stratified_kfold", metric])
        assert row["speaker_independent"] == pytest.approx(board.loc["official", metric])


def test_rows_that_are_absent_unfinished_tuned_or_permuted_give_no_number(tmp_path):
    folder = tmp_path / "p9"
    write_row(folder, "official", {}, tuning={"trials": 5})
    write_row(folder, "official", {}, permute_labels=True)
    write_row(folder, "stratified_kfold", {})
    save(folder, make_cell(protocol="stratified_kfold", fold="2"), None, status="failed", reason="no luck")
    (row,) = claims_table([CLAIM], load_records(tmp_path, "p9"))
    assert [row[name] for name in ("own", "speaker_independent", "gap", "gap_low")] == [None] * 4


def test_the_augmented_rows_are_kept_apart(tmp_path):
    folder, augment = tmp_path / "p9", {"noise": {"snr_db": 10}, "copies": 1}
    write_row(folder, "stratified_kfold", {"toy/01": 6})
    write_row(folder, "stratified_kfold", {}, augment=augment)
    write_row(folder, "leaky_augment_before_split", {"toy/01": 3}, augment=augment)
    records = load_records(tmp_path, "p9")
    claim = CLAIM | {"mistake": "leaky_augment_before_split"}
    plain, augmented = claims_table([claim, claim | {"augment": True}], records)
    assert (plain["own"], augmented["own"]) == (pytest.approx(138 / 144), 1.0)
    assert plain["mistake"] == augmented["mistake"] == pytest.approx(141 / 144)


def test_a_claim_on_one_of_several_corpora_takes_its_rows_alone(tmp_path):
    folder = tmp_path / "p9"
    write_row(folder, "stratified_kfold", {"toy/01": 6})
    write_row(folder, "stratified_kfold", {}, corpus="other")
    records = load_records(tmp_path, "p9")
    claims = [CLAIM | {"corpus": name, "reported": None} for name in ("toy", "other", "absent")]
    assert [row["own"] for row in claims_table(claims, records)] == [pytest.approx(138 / 144), 1.0, None]


def test_the_row_with_all_merged_corpora_stands_for_a_claim(tmp_path):
    folder = tmp_path / "p9"
    write_row(folder, "stratified_kfold", {"toy/01": 6}, corpus="one+two")
    write_row(folder, "stratified_kfold", {}, corpus="one+two+three")
    (row,) = claims_table([CLAIM], load_records(tmp_path, "p9"))
    assert row["own"] == 1.0


def test_two_versions_of_a_model_are_never_pooled(tmp_path):
    folder = tmp_path / "p9"
    write_row(folder, "stratified_kfold", {"toy/01": 6})
    write_row(folder, "stratified_kfold", {}, version="2")
    records = load_records(tmp_path, "p9")
    with pytest.raises(ResultsError, match="2 rows are svm@mfcc under stratified_kfold") as caught:
        claims_table([CLAIM], records)
    assert all(row in str(caught.value) for row in set(records["row"]))
    assert "model v1" in str(caught.value) and "model v2" in str(caught.value)


def test_another_model_can_make_the_mistake(tmp_path):
    folder = tmp_path / "p9"
    write_row(folder, "stratified_kfold", {"toy/01": 6})
    write_row(folder, "leaky_select_on_test", {"toy/01": 3}, model="stopped")
    claim = CLAIM | {"mistake": "leaky_select_on_test", "mistake_row": "stopped@mfcc"}
    (row,) = claims_table([claim], load_records(tmp_path, "p9"))
    assert (row["own"], row["mistake"]) == (pytest.approx(138 / 144), pytest.approx(141 / 144))
    assert row["mistake_made"] == "epoch on test" and " 97.9 (epoch on test) |" in format_claims([row], "md")


def test_every_format_holds_the_figures(records):
    rows = claims_table([CLAIM, CLAIM | {"reported": None, "row": "none@mfcc"}], records)
    assert json.loads(format_claims(rows, "json"))[0]["own"] == pytest.approx(11 / 12)
    (first, second) = csv.DictReader(io.StringIO(format_claims(rows, "csv")))
    assert float(first["reported"]) == 0.947 and second["own"] == ""
    told = "91.7 | – | 50.0 | above the one split | none of the three | +41.7 [+41.7, +41.7] | –"
    assert f"| P9 | SVM & co | accuracy | 94.7 | {told} |" in format_claims(rows, "md")
    latex = format_claims(rows, "latex")
    assert rf"P9 & SVM \& co & accuracy & 94.7 & {told.replace('|', '&').replace('–', '--')} \\" in latex
    assert latex.startswith(r"\begin{tabular}{lllrrrrrrrr}") and latex.endswith(r"\end{tabular}")
    table = format_claims(rows, "table").splitlines()
    assert len(table) == 3 and "91.7" in table[1] and table[2].split()[-1] == "–"
    with pytest.raises(UsageError, match="unknown format 'xls'"):
        format_claims(rows, "xls")


def test_the_mistake_is_scored_on_originals_that_the_row_on_unseen_speakers_tested(tmp_path):
    folder = tmp_path / "p9"
    augment = {"noise": {"snr_db": 10}, "copies": 1}
    write_row(folder, "official", {f"toy/{number:02d}": 6 for number in range(12)}, augment=augment)
    table = make_table(speakers=12)
    copies = table.assign(utterance=table["utterance"] + "#1")
    both = pd.concat([table.iloc[::2], copies], ignore_index=True)
    truth = both["label"].tolist()
    # Every copy is wrong, and of the originals every second one.
    wrong = [LABELS[(LABELS.index(label) + 1) % 3] for label in truth]
    predicted = [
        label if number < 72 and number % 2 else other
        for number, (label, other) in enumerate(zip(truth, wrong, strict=True))
    ]
    cell = make_cell(protocol="leaky_augment_before_split", augment=augment)
    save(folder, cell, make_predictions(both, LABELS, one_hot(predicted)), sizes={"train": 90})
    claim = CLAIM | {"mistake": "leaky_augment_before_split", "augment": True}
    (row,) = claims_table([claim], load_records(tmp_path, "p9"))
    assert row["mistake"] == pytest.approx(36 / 72) and row["mistake_gap_utterances"] == 72
    assert (row["mistake_trained"], row["own_trained"]) == (90, None)
    unseen = make_predictions(table, LABELS, one_hot(table["label"].tolist())).iloc[::2]
    assert set(unseen["speaker"]) == set(table["speaker"]) and row["mistake_gap_low"] is not None


def test_the_gap_is_of_the_utterances_that_both_rows_tested(tmp_path):
    folder, table = tmp_path / "p9", make_table(speakers=12)
    # The random split tests the first half of each speaker's utterances, all of them right: the other row errs there.
    kept = table.groupby("speaker").head(6)
    save(folder, make_cell(protocol="stratified_kfold"), make_predictions(kept, LABELS, one_hot(list(kept["label"]))))
    write_row(folder, "official", {f"toy/{number:02d}": 6 for number in range(12)})
    (row,) = claims_table([CLAIM], load_records(tmp_path, "p9"))
    assert (row["own"], row["speaker_independent"]) == (1.0, pytest.approx(0.5))
    assert (row["gap"], row["gap_utterances"]) == (pytest.approx(1.0), 72)


@pytest.mark.parametrize(
    ("validation", "history", "trained"),
    [("speaker", {"loss": [1.0]}, 100), ("test", {"loss": [1.0]}, 80), ("speaker", {}, 80), ("", {}, 80)],
)
def test_a_validation_part_that_a_network_took_from_training_counts(tmp_path, validation, history, trained):
    table = make_table(speakers=3)
    answers = make_predictions(table, LABELS, one_hot(list(table["label"])))
    sizes = {"train": 80, "validation": 20}
    save(tmp_path / "p9", make_cell(), answers, sizes=sizes, validation=validation, history=history)
    (row,) = claims_table([CLAIM], load_records(tmp_path, "p9"))
    assert row["speaker_independent_trained"] == trained


def test_a_row_can_be_named_by_its_id(tmp_path):
    folder = tmp_path / "p9"
    write_row(folder, "stratified_kfold", {"toy/01": 6})
    write_row(folder, "stratified_kfold", {}, version="2")
    records = load_records(tmp_path, "p9")
    ids = {record.cell.model["version"]: row for record, row in zip(records["record"], records["row"], strict=True)}
    scores = [claims_table([CLAIM | {"rows": {"own": ids[version]}}], records)[0]["own"] for version in ("1", "2")]
    assert scores == [pytest.approx(138 / 144), 1.0]


def test_uar_falls_with_the_noise(tmp_path):
    table = make_table(speakers=12)
    truth = table["label"].tolist()
    wrong = [LABELS[(LABELS.index(label) + 1) % 3] if number % 2 else label for number, label in enumerate(truth)]
    frames = [
        make_predictions(table, LABELS, one_hot(truth)),
        make_predictions(table, LABELS, one_hot(wrong), "degraded: noise 0 dB"),
    ]
    save(tmp_path / "r", make_cell(), pd.concat(frames, ignore_index=True), degradations=["noise 0 dB"])
    records = load_records(tmp_path, "r")
    clean, noisy = robustness_table(tmp_path, records)
    assert (clean["condition"], clean["uar"], clean["change"]) == ("clean", 1.0, 0.0)
    assert (
        noisy["condition"] == "noise 0 dB"
        and noisy["uar"] == pytest.approx(0.5)
        and noisy["change"] == pytest.approx(-0.5)
    )
    assert noisy["uar_low"] <= noisy["uar"] <= noisy["uar_high"]


def test_without_degraded_answers_it_is_said_how_to_get_them(records, tmp_path):
    with pytest.raises(ResultsError, match="no row was tested on degraded audio"):
        robustness_table(tmp_path, records)
