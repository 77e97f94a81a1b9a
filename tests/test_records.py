import numpy as np
import pandas as pd
import pytest

from serbench.errors import ResultsError
from serbench.records import Cell, Record, make_predictions, read_cell, read_record, write_cell

LABELS = ["a", "b"]


def make_cell(**changes) -> Cell:
    entry = {"name": "svm", "version": "1", "params": {}}
    values = {
        "corpus": "tiny",
        "labels": {"name": "native", "labels": LABELS, "map": {"tiny": {"a": "a", "b": "b"}}},
        "features": ({"name": "mfcc", "version": "1", "params": {}},),
        "model": entry,
        "protocol": {"name": "loso", "version": "1", "params": {}},
        "fold": "1",
    }
    return Cell(**{**values, **changes})


def make_table(n: int = 4) -> pd.DataFrame:
    columns = ("corpus", "utterance", "speaker", "gender", "text", "intensity")
    table = pd.DataFrame({name: [f"{name}{row}" for row in range(n)] for name in columns})
    table["label"] = [LABELS[row % 2] for row in range(n)]
    return table


def test_fields_at_their_default_are_left_out_of_the_id():
    assert make_cell().id == make_cell(seed=0, normalise="none", tuning={}, excluded=()).id
    assert set(make_cell().to_json()) == {"corpus", "labels", "features", "model", "protocol", "fold"}


@pytest.mark.parametrize(
    "change",
    [{"seed": 1}, {"fold": "2"}, {"normalise": "speaker"}, {"excluded": ("tiny/x",)}, {"tuning": {"trials": 3}},
     {"corpus_options": {"tiny": {"defects": "keep"}}}, {"labels": {"name": "native", "labels": ["a"], "map": {}}}],
)  # fmt: skip
def test_what_changes_a_score_changes_the_id(change):
    assert make_cell(**change).id != make_cell().id


def test_a_cell_survives_json():
    cell = make_cell(seed=2, excluded=("tiny/x",))
    assert Cell.from_json(cell.to_json()) == cell


def test_names_show_what_differs_from_the_defaults():
    cell = make_cell(model={"name": "svm", "version": "1", "params": {"C": 2}}, normalise="speaker")
    assert cell.model_name == "svm(C=2)"
    assert cell.feature_name == "mfcc (speaker-normalised)"


def test_a_cell_file_gives_back_record_and_predictions(tmp_path):
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7], [0.5, 0.5]])
    predictions = make_predictions(make_table(), LABELS, probabilities)
    record = Record(make_cell(), "ok", seconds={"fit": 0.5}, sizes={"test": 4}, history={"loss": [1.0, 0.5]})
    path = write_cell(tmp_path, record, predictions)
    read, frame = read_cell(path)
    assert read == record
    assert frame["predicted"].tolist() == ["a", "b", "b", "a"]
    np.testing.assert_array_equal(frame[["p:a", "p:b"]].to_numpy(), probabilities)
    assert [item.name for item in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("keep", [0, 10, 0.5, 0.99])
def test_a_cell_file_cut_short_is_named(tmp_path, keep):
    path = write_cell(tmp_path, Record(make_cell(), "ok"), make_predictions(make_table(), LABELS, np.full((4, 2), 0.5)))
    whole = path.read_bytes()
    path.write_bytes(whole[: int(keep if keep > 1 or keep == 0 else keep * len(whole))])
    with pytest.raises(ResultsError, match="damaged") as caught:
        read_record(path)
    assert str(path) in str(caught.value)


def test_a_record_of_a_newer_schema_is_refused():
    data = Record(make_cell(), "ok").to_json()
    with pytest.raises(ResultsError, match="schema 99"):
        Record.from_json({**data, "schema": 99})


def test_an_unwritable_folder_is_an_error_that_says_what_to_do(tmp_path):
    (tmp_path / "suite").write_text("in the way")
    with pytest.raises(ResultsError, match="cannot write") as caught:
        write_cell(
            tmp_path / "suite", Record(make_cell(), "ok"), make_predictions(make_table(), LABELS, np.full((4, 2), 0.5))
        )
    assert "--results" in caught.value.hint


def test_an_older_name_of_a_leak_is_read_as_todays():
    audit = {"verdict": "leaky: speakers shared, take twins", "leaks": [{"kind": "take twins", "count": 3}]}
    old = {**Record(make_cell(), "ok").to_json(), "audit": audit}
    read = Record.from_json(old).audit
    assert read == {
        "verdict": "leaky: speakers shared, repetitions shared",
        "leaks": [{"kind": "repetitions shared", "count": 3}],
    }
