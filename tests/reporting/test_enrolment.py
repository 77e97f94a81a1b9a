"""The curve of an enrolment: of one comparison, its gain on n = 0, as a figure and as a table."""

import numpy as np
import pytest
from made_suites import make_cell, make_table, one_hot, save

from serbench.errors import ResultsError
from serbench.records import make_predictions
from serbench.records.enrolling import enrol_settings
from serbench.reporting.enrolment import enrolment_curves
from serbench.reporting.figures.catalogue import draw
from serbench.reporting.figures.kind import SuiteView
from serbench.reporting.leaderboard import leaderboard
from serbench.reporting.loading import load_records
from serbench.reporting.papers.make import enrolment_paper

# Of four utterances a class, as many are wrong.
WRONG = {"0": 2, "5": 1, "all": 0, "{'sad': 2}": 1}


@pytest.fixture
def records(tmp_path):
    table = make_table(12)
    save_all(tmp_path, table, [0, 5, "all", {"sad": 2}])
    save(tmp_path / "toy", make_cell(), predictions(table, 0))
    return load_records(tmp_path, "toy")


def predictions(table, wrong):
    take = table["utterance"].str[-1].astype(int)
    said = np.where(
        take < wrong, table["label"].map({"angry": "happy", "happy": "sad", "sad": "angry"}), table["label"]
    )
    return make_predictions(table, ["angry", "happy", "sad"], one_hot(list(said)))


def save_all(folder, table, listed):
    for item, setting in zip(listed, enrol_settings(listed), strict=True):
        for seed in range(2):
            cell = make_cell(enrol=setting, seed=seed)
            save(folder / "toy", cell, predictions(table, WRONG[str(item)]))


def test_rows_of_one_comparison_are_a_curve_in_the_order_of_n(records):
    curves = {curve.name: curve for curve in enrolment_curves(records, leaderboard(records))}
    assert curves["svm · mfcc"].numbers == ["0", "5", "all"]
    np.testing.assert_allclose(curves["svm · mfcc"].uar, [0.5, 0.75, 1.0])
    np.testing.assert_allclose(curves["svm · mfcc"].gain, [0, 0.25, 0.5])
    assert curves["svm · mfcc (sad only)"].numbers == ["0", "2"]


def test_rows_that_scored_other_utterances_are_no_part_of_it(records, tmp_path):
    save_all(tmp_path, make_table(12), [0, 5])
    again = load_records(tmp_path, "toy")
    assert sorted(len(curve.numbers) for curve in enrolment_curves(again, leaderboard(again))) == [2, 2, 3]


def test_the_figure_and_the_table_say_what_was_heard(records):
    board = leaderboard(records)
    figure = draw("enrolment", SuiteView(records, board))
    (axes,) = figure.axes
    assert [text.get_text() for text in axes.get_xticklabels()] == ["0", "2", "5", "all"]
    table = enrolment_paper(records, board, "md")
    assert "| n = 0 | n = 2 | n = 5 | n = all |" in table
    assert "(+25.0)" in table and "(+50.0)" in table


def test_a_suite_that_does_not_enrol_says_so(records):
    plain = records[[not cell.enrol for cell in records["cell"]]]
    with pytest.raises(ResultsError, match="no rows of different enrolment"):
        draw("enrolment", SuiteView(plain, leaderboard(plain)))
