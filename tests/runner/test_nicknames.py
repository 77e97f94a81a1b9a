"""What a user calls a corpus, and which adapter reads it, changes no fold, no seed and no answer."""

from __future__ import annotations

import dataclasses

import pandas as pd
import pytest

from serbench.circumstances import Circumstances
from serbench.corpora.loading import merge
from serbench.errors import CorpusError
from serbench.protocols.inner import inner_folds, validation_split
from serbench.protocols.splitting import split
from serbench.records import read_cell
from serbench.registry import build_registry
from serbench.runner.cell.inputs import open_registry
from serbench.runner.cell.jobs import cell_seed
from serbench.runner.engine import run_plan
from serbench.runner.planning.plan import make_plan
from serbench.runner.planning.task import build_task
from serbench.runner.suite.file import load_suite

FOLDER = '{name: %s, adapter: folder, speaker: "/(s[0-9])_"}'
NAMES = ("alpha", "my-corpus", "zulu", "listed")
SUITE = f"""\
title: One corpus, four names
corpora: [{", ".join(FOLDER % name for name in NAMES[:3])}, {{name: listed, adapter: manifest}}]
grid:
  - features: [mfcc]
    models: [{{name: random_forest, params: {{n_estimators: 5}}}}, {{name: xgboost, params: {{n_estimators: 20}}}}]
    protocols: [{{name: speaker_kfold, params: {{k: 3}}}}, {{name: stratified_kfold, params: {{k: 3}}}}]
  - features: [mfcc]
    models: [knn]
    protocols: [{{name: speaker_kfold, params: {{k: 3}}}}]
    tuning: {{trials: 3}}
"""


def write_manifest(folder, audio, rename=lambda path: path.relative_to(path.parents[1]).with_suffix("").as_posix()):
    """A manifest of the corpus `tiny`, in a folder beside it."""
    rows = [
        {"path": path, "utterance": rename(path), "label": path.parent.name, "speaker": path.name[:2]}
        for path in sorted(audio.rglob("*.wav"))
    ]
    folder.mkdir()
    pd.DataFrame(rows).to_csv(folder / "manifest.csv", index=False)
    return folder


@pytest.fixture
def around(tiny_data, shared_cache, tmp_path) -> Circumstances:
    paths = dict.fromkeys(NAMES[:3], tiny_data / "tiny")
    paths["listed"] = write_manifest(tmp_path / "listed", tiny_data / "tiny")
    where = {"data": tmp_path, "cache": shared_cache, "results": tmp_path / "results", "corpus_paths": paths}
    return Circumstances(**where, executor="in_process")


@pytest.fixture
def suite(tmp_path):
    path = tmp_path / "names.yaml"
    path.write_text(SUITE)
    return load_suite(str(path))


def tasks(suite, around):
    return [build_task(suite, entry, build_registry(), around) for entry in suite.corpora]


def bare(ids, names=None) -> set[str]:
    """Utterances without the corpus' name before them."""
    found = (name.partition("/")[2] for name in ids)
    return {names[name] for name in found} if names else set(found)


@pytest.mark.parametrize("protocol", ["loso", "speaker_kfold", "stratified_kfold", "stratified_holdout"])
def test_folds_and_validation_parts_are_equal(suite, around, protocol):
    found = []
    for task in tasks(suite, around):
        parts = []
        for fold in split(task.table, protocol):
            parts.append((fold.fold, bare(fold.train), bare(fold.test)))
            rows = task.table[task.table["id"].isin(fold.train)].reset_index(drop=True)
            for independence in ((), ("speaker",)):
                _, held, level = validation_split(rows, independence, seed=1)
                folds, _ = inner_folds(rows, independence, k=3, seed=1)
                parts.append((level, bare(rows["id"].iloc[held]), [bare(rows["id"].iloc[test]) for _, test in folds]))
        found.append(parts)
    assert len(found) == 4
    assert all(parts == found[0] for parts in found)


@pytest.mark.parametrize("protocol", ["speaker_kfold", "stratified_kfold", "stratified_holdout"])
def test_names_of_utterances_in_a_manifest_change_no_fold(suite, around, tmp_path, tiny_data, protocol):
    audio = sorted((tiny_data / "tiny").rglob("*.wav"), reverse=True)
    numbers = {path: f"u{number:03d}" for number, path in enumerate(audio)}
    paths = {**around.corpus_paths, "listed": write_manifest(tmp_path / "renamed", tiny_data / "tiny", numbers.get)}
    first, *_, last = tasks(suite, dataclasses.replace(around, corpus_paths=paths))
    old = {number: path.relative_to(tiny_data / "tiny").with_suffix("").as_posix() for path, number in numbers.items()}
    for mine, theirs in zip(split(first.table, protocol, 2), split(last.table, protocol, 2), strict=True):
        assert (bare(mine.train), bare(mine.test)) == (bare(theirs.train, old), bare(theirs.test, old))


def test_two_corpora_of_the_users_are_told_apart_by_their_audio(suite, around, make_wav, tmp_path):
    # The same speakers' names in both: who is assigned first must not hang on which corpus is called what.
    for name in ("ours", "theirs"):
        for label in ("low", "high"):
            for speaker in range(5):
                make_wav(tmp_path / name / label / f"s{speaker}_{label}.wav")
    paths = {"a": tmp_path / "ours", "b": tmp_path / "theirs", "c": tmp_path / "ours"}
    around = dataclasses.replace(around, corpus_paths=paths)
    path = tmp_path / "two.yaml"
    path.write_text(
        f"title: Two\ncorpora: [{', '.join(FOLDER % name for name in 'abc')}]\n{SUITE[SUITE.index('grid') :]}"
    )
    ours, theirs, again = (task.corpora[0] for task in tasks(load_suite(str(path)), around))
    content = {row.id: row.content for one in (ours, theirs, again) for row in one.table.itertuples()}
    first, second = (
        [{content[name] for name in fold.test} for fold in split(merge(pair), "speaker_kfold", k=3)]
        for pair in ((ours, theirs), (theirs, again))
    )
    assert first == second


def test_answers_are_equal(suite, around):
    registry = open_registry(around)
    plan = make_plan(suite, registry, around)
    outcome = run_plan(plan, registry, around)
    assert (outcome.ran, outcome.failed) == (4 * 3 * (2 + 2 + 2), 0)
    answers: dict[tuple, list] = {}
    for item in plan.cells:
        record, predictions = read_cell(plan.folder / "cells" / f"{item.cell.id}.parquet")
        trials = [(trial["params"], trial["value"]) for trial in record.tuning.get("trials", [])]
        answered = predictions.drop(columns=["corpus", "speaker"]).astype(str).to_numpy().tolist()
        key = (item.cell.model_name, item.cell.protocol_name, item.cell.fold, bool(item.cell.tuning))
        answers.setdefault(key, []).append((record.params, trials, answered))
    assert len(answers) == 18
    for same in answers.values():
        assert len(same) == 4 and all(one == same[0] for one in same)


def test_seeds_know_packaged_corpora_by_name_and_no_others(suite, around):
    cell = make_plan(suite, build_registry(), around).cells[0].cell
    packaged = dataclasses.replace(cell, corpus="emodb", fold="03")
    assert cell_seed(packaged, (), "svm") == cell_seed(packaged, ("other",), "svm")
    assert cell_seed(packaged, (), "svm") != cell_seed(dataclasses.replace(packaged, corpus="tess"), (), "svm")
    merged = dataclasses.replace(cell, corpus="emodb+mine", fold="mine/03")
    other = dataclasses.replace(cell, corpus="emodb+yours", fold="yours/03")
    assert cell_seed(merged, ("mine",), "svm") == cell_seed(other, ("yours",), "svm")
    assert cell_seed(merged, ("mine",), "svm") != cell_seed(
        dataclasses.replace(merged, fold="mine/04"), ("mine",), "svm"
    )


def test_the_name_of_a_packaged_corpus_is_refused_for_other_audio(tmp_path, around):
    path = tmp_path / "false.yaml"
    path.write_text(SUITE.replace("alpha", "savee"))
    with pytest.raises(CorpusError, match="'savee' is the name of a corpus that serbench knows") as caught:
        make_plan(load_suite(str(path)), build_registry(), around)
    assert "another name" in str(caught.value)
