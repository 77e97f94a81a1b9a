import io

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from serbench.errors import ResultsError
from serbench.records import Cell, Record, make_predictions, write_cell
from serbench.reporting.figures.catalogue import draw
from serbench.reporting.figures.kind import RowView
from serbench.reporting.figures.tuning import pooled_study
from serbench.reporting.leaderboard import leaderboard
from serbench.reporting.loading import load_records
from serbench.reporting.searches import describe_searches, search_tables, tuning_note

LABELS = ["angry", "sad"]
SPACE = {
    "C": {"name": "FloatDistribution", "attributes": {"step": None, "low": 0.1, "high": 100.0, "log": True}},
    "kernel": {"name": "CategoricalDistribution", "attributes": {"choices": ["rbf", "linear"]}},
    "gamma": {"name": "FloatDistribution", "attributes": {"step": None, "low": 1e-5, "high": 0.1, "log": True}},
}
TRIALS = [
    {"number": 0, "params": {"C": 10.0, "kernel": "rbf", "gamma": "scale"}, "value": 0.50, "state": "complete"},
    {"number": 1, "params": {"C": 1.0, "kernel": "linear"}, "value": 0.40, "state": "pruned"},
    {"number": 2, "params": {"C": 0.5, "kernel": "rbf", "gamma": 0.01}, "value": 0.61, "state": "complete"},
    {"number": 3, "params": {"C": 90.0, "kernel": "linear"}, "value": None, "state": "fail", "reason": "no luck"},
    {"number": 4, "params": {"C": 5.0, "kernel": "linear"}, "value": 0.55, "state": "complete"},
]
TUNING = {
    "trials": [{**trial, "seconds": 0.25} for trial in TRIALS],
    "best": 2, "value": 0.61, "seconds": 1.25, "inner": "speaker", "folds": 3, "reproducible": True, "space": SPACE,
}  # fmt: skip


def write(folder, fold: str, wrong: int, settings: dict, seed: int = 0, **record) -> None:
    """One cell with 10 test utterances of its own speaker, the first of them answered wrongly."""
    cell = Cell(
        corpus="tiny",
        labels={"name": "native", "labels": LABELS, "map": {}},
        features=({"name": "mfcc", "version": "1", "params": {}},),
        model={"name": "svm", "version": "1", "params": {}},
        protocol={"name": "loso", "version": "1", "params": {}},
        fold=fold,
        seed=seed,
        tuning=settings,
    )
    truth = np.arange(10) % 2
    table = pd.DataFrame({"utterance": [f"{fold}_{n}" for n in range(10)], "label": np.array(LABELS)[truth]})
    table = table.assign(corpus="tiny", speaker=f"tiny/{fold}", gender="", text="", intensity="")
    answered = np.where(np.arange(10) < wrong, 1 - truth, truth)
    audit = {"verdict": "speaker-independent", "speaker_independent": True}
    write_cell(folder, Record(cell, "ok", audit=audit, **record), make_predictions(table, LABELS, np.eye(2)[answered]))


@pytest.fixture
def results(tmp_path):
    folder = tmp_path / "suite"
    for fold in ("1", "2"):
        write(folder, fold, 4, {})
        write(folder, fold, 2, {"trials": 5}, tuning=TUNING_OF[fold])
    return tmp_path


TUNING_OF = {"1": TUNING, "2": {**TUNING, "reproducible": False, "best": 4, "value": 0.55}}


def tuned_cells(results):
    records = load_records(results, "suite")
    return records[records["cell"].map(lambda cell: bool(cell.tuning))]


def test_the_gain_is_the_difference_of_pooled_uars(results):
    board = leaderboard(load_records(results, "suite")).set_index("trials")
    # 16 of 20 right against 12 of 20, and classes are balanced.
    assert board.loc[5, "gain"] == pytest.approx(0.8 - 0.6)
    assert np.isnan(board.loc[0, "gain"])


def test_without_the_same_folds_there_is_no_gain(results):
    write(results / "suite", "3", 0, {})
    board = leaderboard(load_records(results, "suite")).set_index("trials")
    assert not board.loc[5, "complete"] and np.isnan(board.loc[5, "gain"])


def test_an_untuned_row_with_fewer_folds_is_not_compared(results):
    write(results / "suite", "3", 0, {"trials": 5}, tuning=TUNING)
    board = leaderboard(load_records(results, "suite")).set_index("trials")
    assert board.loc[5, "complete"] and np.isnan(board.loc[5, "gain"])


def test_seeds_that_one_row_has_alone_do_not_count(results):
    for fold in ("1", "2"):
        write(results / "suite", fold, 0, {}, seed=1)
    board = leaderboard(load_records(results, "suite")).set_index("trials")
    assert board.loc[0, "uar"] == pytest.approx((0.6 + 1.0) / 2)
    assert board.loc[5, "gain"] == pytest.approx(0.8 - 0.6)


def test_other_seeds_are_not_compared(results):
    for fold in ("1", "2"):
        write(results / "suite", fold, 0, {"trials": 5}, seed=1, tuning=TUNING)
    board = leaderboard(load_records(results, "suite")).set_index("trials")
    assert np.isnan(board.loc[5, "gain"])


def test_a_search_is_described_by_its_defaults_and_its_winner(results):
    first, second = describe_searches(tuned_cells(results))
    assert first["states"] == {"complete": 3, "pruned": 1, "fail": 1}
    assert (first["default"], first["value"], first["best"]) == (0.50, 0.61, 2)
    assert first["params"] == {"C": 0.5, "kernel": "rbf", "gamma": 0.01}
    assert second["params"] == {"C": 5.0, "kernel": "linear"} and not second["reproducible"]
    records = load_records(results, "suite")
    assert describe_searches(records[records["cell"].map(lambda cell: not cell.tuning)]) == []


def printed(tables) -> str:
    stream = io.StringIO()
    console = Console(file=stream, width=200)
    for table in tables:
        console.print(table)
    return stream.getvalue()


def test_a_row_shows_winners_and_a_cell_all_its_trials(results):
    searches = describe_searches(tuned_cells(results))
    row = printed(search_tables(searches))
    assert "3 speaker" in row and "61.0" in row and "timeout: not reproducible" in row and "no luck" not in row
    cell = printed(search_tables(searches[:1]))
    assert "(no luck)" in cell and "2 *" in cell and "gamma=scale" in cell
    assert printed(search_tables([])) == ""


def test_the_trials_of_all_folds_are_pooled_around_the_mean_of_each():
    study = pooled_study({"fold 1": TUNING, "fold 2": TUNING})
    complete = [trial for trial in TUNING["trials"] if trial["state"] == "complete"]
    centre = np.mean([trial["value"] for trial in complete])
    assert [trial.value for trial in study.trials] == pytest.approx(2 * [one["value"] - centre for one in complete])
    # The default width lies outside its range of numbers: the trial is there without it.
    assert study.trials[0].params == {"C": 10.0, "kernel": "rbf"}
    assert study.trials[1].params == {"C": 0.5, "kernel": "rbf", "gamma": 0.01}


def test_searches_without_differing_trials_have_nothing_to_judge():
    (first, *_) = TUNING["trials"]
    assert pooled_study({"fold 1": {**TUNING, "trials": [first, first]}}) is None


def test_history_and_importances_are_drawn(results):
    figure = draw("tuning", RowView(results, tuned_cells(results)))
    history, importances = figure.axes
    assert "best so far" in history.get_title("left") and "C" in {
        label.get_text() for label in importances.get_yticklabels()
    }


def test_a_row_without_a_search_is_said(results):
    records = load_records(results, "suite")
    with pytest.raises(ResultsError, match="no finished search"):
        draw("tuning", RowView(results, records[records["cell"].map(lambda cell: not cell.tuning)]))


def test_how_a_row_was_tuned_is_named_where_it_differs_from_the_default():
    def note(**tuning):
        return tuning_note(Cell("c", {}, (), {}, {}, "1", tuning=tuning))

    assert note(trials=5) == note() == ""
    assert note(trials=5, timeout=60.0, inner=1) == "inner=1, timeout=60 (not reproducible)"
    assert note(trials=5, features=[[], []], choices={"C": [1]}) == "3 feature choices, choices of C"
