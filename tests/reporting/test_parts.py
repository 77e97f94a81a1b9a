"""UAR by fold, by sentence and by intensity: each part scored by itself."""

import json

import numpy as np
import pytest
from made_suites import LABELS, make_cell, make_table, predict, save

from serbench.records import make_predictions
from serbench.reporting.loading import load_predictions, load_records
from serbench.reporting.parts import part_tables, uar_by_part
from serbench.scoring import interval, uar


def row_of(tmp_path, table, *, seeds=(0,), folds=2):
    for seed in seeds:
        for fold in range(folds):
            test = table[np.arange(len(table)) % folds == fold]
            probabilities = predict(test, skill=1.0, seed=10 * seed + fold)
            save(tmp_path / "toy", make_cell(fold=str(fold), seed=seed), make_predictions(test, LABELS, probabilities))
    cells = load_records(tmp_path, "toy")
    return cells, load_predictions(tmp_path, cells)


def spoken(**columns):
    return make_table(8).assign(text=lambda table: np.where(np.arange(len(table)) % 3, "dogs", "kids"), **columns)


def test_each_part_is_scored_by_itself(tmp_path):
    cells, frames = row_of(tmp_path, spoken())
    found = {(entry["by"], entry["part"]): entry for entry in uar_by_part(cells, frames)}
    assert set(found) == {("fold", "0"), ("fold", "1"), ("sentence", "dogs"), ("sentence", "kids")}
    every = [frame[frame["role"] == "test"] for frame in frames.values()]
    dogs = np.concatenate(
        [frame[frame["text"] == "dogs"][["truth", "predicted", "speaker"]].to_numpy() for frame in every]
    )
    entry = found["sentence", "dogs"]
    assert entry["uar"] == pytest.approx(uar(list(dogs[:, 0]), list(dogs[:, 1]), labels=LABELS))
    bounds = interval(list(dogs[:, 0]), list(dogs[:, 1]), labels=LABELS, groups=list(dogs[:, 2]))
    assert (entry["low"], entry["high"]) == pytest.approx((bounds.low, bounds.high))
    assert (entry["utterances"], entry["classes"]) == (len(dogs), "3/3")


def test_seeds_count_an_utterance_once(tmp_path):
    cells, frames = row_of(tmp_path, spoken(), seeds=(0, 1))
    entry = next(entry for entry in uar_by_part(cells, frames) if entry["part"] == "kids")
    assert entry["utterances"] == 32 and entry["interval"].endswith("over speakers and 2 seeds")


def test_what_the_corpus_does_not_tell_is_left_out(tmp_path):
    cells, frames = row_of(tmp_path, make_table(8))
    assert {entry["by"] for entry in uar_by_part(cells, frames)} == {"fold"}
    assert part_tables(uar_by_part(cells, frames)) == []


def test_show_prints_them_and_gives_json(tmp_path, capsys):
    from serbench.cli.show import show

    row_of(tmp_path, spoken(intensity="normal"))
    row = load_records(tmp_path, "toy")["row"].iloc[0]
    show(row, "toy", reliability=False, temperature=False, style="table", results=tmp_path)
    shown = capsys.readouterr().out
    assert "UAR by sentence" in shown and "UAR by intensity" not in shown
    show(row, "toy", reliability=False, temperature=False, style="json", results=tmp_path)
    report = json.loads(capsys.readouterr().out)
    assert {entry["by"] for entry in report["parts"]} == {"fold", "sentence"} and len(report["confusion"]) == 3
