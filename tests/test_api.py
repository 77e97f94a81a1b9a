"""The functions of `import serbench`, on the corpus `tiny`."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pandas as pd
import pytest
import soundfile

import serbench
from serbench.errors import FeatureError, ModelError, ProtocolError
from serbench.models.saving import META
from serbench.runner.observers import Observer


@pytest.fixture(scope="module")
def run_once(tiny_data, shared_cache, tmp_path_factory):
    """Leaderboard and results folder of a run that kept its models."""
    folder = tmp_path_factory.mktemp("api")
    suite = folder / "tiny.yaml"
    suite.write_text(
        "title: Tiny\n"
        'corpora: [{name: tiny, adapter: folder, speaker: "/(s[0-9])_"}]\n'
        "grid:\n"
        "  - {features: [mfcc], models: [lda, xgboost], protocols: [{name: speaker_kfold, params: {k: 3}}]}\n"
        "  - {features: [[mfcc, handcrafted]], models: [svm], protocols: [{name: speaker_kfold, params: {k: 3}}]}\n"
        "  - features: [mfcc_sequence]\n"
        "    models: [{name: cnn, params: {epochs: 2}}]\n"
        "    protocols: [{name: speaker_kfold, params: {k: 3}}]\n"
        "  - {features: [{name: mfcc, normalise: speaker}], models: [knn], protocols: [{name: speaker_kfold}]}\n"
    )
    where = {"data": tiny_data, "cache": shared_cache, "results": folder / "results", "executor": "in_process"}
    board = serbench.run(suite, filters={"fold": ["1"]}, save_models=True, **where)
    return board, folder / "results"


def test_run_gives_the_leaderboard(run_once):
    board, results = run_once
    assert set(board["model"]) == {"lda", "xgboost", "svm", "cnn(epochs=2)", "knn"}
    again = serbench.leaderboard(serbench.load_records(results, "tiny"))
    pd.testing.assert_frame_equal(again, board)


class Listener(Observer):
    """Remembers what it was told."""

    def __init__(self):
        self.told = []

    def planned(self, plan):
        self.told.append(len(plan.todo))

    def finished(self, record, uar):
        self.told.append(record.status)


def test_run_tells_its_observers_and_how_it_ended(tmp_path):
    ran = []
    for options in ({}, {}, {"force": True}, {"filters": {"model": ["majority"], "fold": ["1"]}, "force": True}):
        listener = Listener()
        given = {"filters": {"model": ["majority"], "protocol": ["speaker_kfold"]}, "observers": [listener], **options}
        board = serbench.run("demo", results=tmp_path, executor="in_process", **given)
        assert listener.told == [board.attrs["planned"], *["ok"] * board.attrs["ran"]]
        assert (board.attrs["failed"], board.attrs["stopped"]) == (0, False)
        ran.append(board.attrs["ran"])
    assert ran == [3, 0, 3, 2]


def test_run_refuses_rows_of_another_verdict_and_leaves_nothing(tmp_path):
    with pytest.raises(ProtocolError, match="speakers shared"):
        serbench.run("demo", filters={"model": ["majority"]}, require="speaker-independent", results=tmp_path, jobs=1)
    assert not list(tmp_path.rglob("*.parquet"))


def test_a_saved_model_answers_for_a_file_and_for_samples_as_the_record_says(run_once, tiny_data):
    _, results = run_once
    records = serbench.load_records(results, "tiny")
    checked = set()
    for row in records[records["status"] == "ok"].itertuples():
        if row.cell.normalise != "none":
            continue
        model = serbench.load_model(results / "tiny" / "models" / row.id)
        predictions = pd.read_parquet(results / "tiny" / "cells" / f"{row.id}.parquet")
        first = predictions[predictions["role"] == "test"].iloc[0]
        path = tiny_data / "tiny" / f"{first['utterance']}.wav"
        recorded = first[[f"p:{label}" for label in model.classes_]].to_numpy(dtype=float)
        from_file = model.predict_proba(path)
        samples, rate = soundfile.read(path, dtype="float32")
        np.testing.assert_allclose(from_file, recorded, atol=1e-5)
        np.testing.assert_allclose(model.predict_proba(samples, rate=rate), from_file, atol=1e-9)
        assert model.predict(path) == first["predicted"]
        checked.add(row.model)
    assert checked == {"lda", "xgboost", "svm", "cnn(epochs=2)"}


def test_a_model_of_speaker_normalised_features_says_why_it_cannot_answer(run_once, tiny_data):
    _, results = run_once
    records = serbench.load_records(results, "tiny")
    (cell_id,) = records.loc[records["model"] == "knn", "id"]
    with pytest.raises(FeatureError, match="speaker-normalised"):
        serbench.load_model(results / "tiny" / "models" / cell_id).predict_proba(np.zeros(16_000))


@pytest.mark.parametrize("older", [False, True])
def test_a_model_of_features_of_another_version_is_refused(run_once, tmp_path, older):
    _, results = run_once
    records = serbench.load_records(results, "tiny")
    (cell_id,) = records.loc[(records["model"] == "lda") & (records["status"] == "ok"), "id"].iloc[:1]
    folder = shutil.copytree(results / "tiny" / "models" / cell_id, tmp_path / "model")
    assert serbench.load_model(folder)
    meta = json.loads((folder / META).read_text())
    (entry,) = meta["features"]
    assert meta["feature_versions"] == {entry["name"]: entry["version"]}
    # Models saved before name the version in their features alone.
    entry["version"] = "0"
    meta["feature_versions"] = {entry["name"]: "0"}
    if older:
        del meta["feature_versions"]
    (folder / META).write_text(json.dumps(meta))
    with pytest.raises(ModelError, match=f"trained on '{entry['name']}' of version 0, here it is of version"):
        serbench.load_model(folder)


def test_a_folder_without_a_model_is_named(tmp_path):
    with pytest.raises(ModelError, match="no saved model"):
        serbench.load_model(tmp_path)


def test_load_corpus_takes_a_place_labels_and_options(make_wav, tmp_path, shared_cache):
    for name in ("03a01Fa", "03a01Wa", "08a02Na", "08a02La"):
        make_wav(tmp_path / "somewhere" / f"{name}.wav")
    table = serbench.load_corpus("emodb", path=tmp_path / "somewhere", cache=shared_cache)
    assert table["speaker"].unique().tolist() == ["emodb/03", "emodb/08"]
    common = serbench.load_corpus("emodb", path=tmp_path / "somewhere", cache=shared_cache, labels="common7")
    assert set(common["label"]) == {"happy", "angry", "neutral"}


def test_unknown_attributes_are_named():
    with pytest.raises(AttributeError, match="no attribute 'runn'"):
        _ = serbench.runn
    assert "run" in dir(serbench)
