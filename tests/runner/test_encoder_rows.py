"""Rows on the set `ssl`: end to end, killed and resumed, searched by layer, absent, and from another machine."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from dataclasses import replace

import numpy as np
import pytest
from in_one_process import Recording, carried_out
from tiny_encoders import LAYERS, save_encoder

import serbench
from serbench.circumstances import Circumstances
from serbench.cli.main import build_app
from serbench.corpora.files import find_audio
from serbench.errors import FeatureError, ModelError
from serbench.features.encoders import running
from serbench.features.portable import unpack
from serbench.records import read_cell
from serbench.reporting.leaderboard import leaderboard
from serbench.reporting.loading import load_records
from serbench.runner.cell.inputs import open_registry
from serbench.runner.executors import at_most
from serbench.runner.executors.at_most import AtMost, workers_for
from serbench.runner.planning import packages
from serbench.runner.planning.plan import make_plan
from serbench.runner.planning.selection import Filters
from serbench.runner.suite.file import load_suite

pytest.importorskip("torch", reason="the extra `encoders` is not installed")
pytest.importorskip("transformers", reason="the extra `encoders` is not installed")
PLAIN = "{name: ssl, params: {model: hubert-base-ls960, layer: 2}}"


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    root = tmp_path_factory.mktemp("weights")
    save_encoder(root / "facebook" / "hubert-base-ls960", "hubert")
    return root


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """One for the whole module: what is encoded once serves all."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def around(tiny_data, cache, tmp_path, weights):
    where = {"data": tiny_data, "cache": cache, "results": tmp_path / "results"}
    return Circumstances(**where, jobs=1, weights=weights, device="cpu")


@pytest.fixture
def write_suite(tiny_suite):
    """Write the suite `tiny` with other features, models and further lines."""

    def write(features: str = PLAIN, models: str = "lda", extra: str = "") -> str:
        text = tiny_suite.read_text().partition("grid:")[0]
        protocol = "{name: speaker_kfold, params: {k: 3}}"
        block = f"  - {{features: [{features}], models: [{models}], protocols: [{protocol}]}}"
        tiny_suite.write_text(f"{text}grid:\n{block}\n{extra}")
        return str(tiny_suite)

    return write


def planned(suite, around):
    return make_plan(load_suite(suite), open_registry(around), around)


def test_rows_of_vectors_and_frames_come_from_one_pass(write_suite, around, monkeypatch, tmp_path):
    around, encoded = replace(around, cache=tmp_path / "cache"), []
    encode = running.Encoder.encode
    monkeypatch.setattr(running.Encoder, "encode", lambda self, signals: encoded.append(1) or encode(self, signals))
    frames = "{name: ssl, params: {model: hubert-base-ls960, pool: none, hop: 40}}"
    plan = planned(write_suite(f"{PLAIN}, {frames}", "lda, knn, cnn"), around)
    assert {(item.cell.model["name"], "none" in item.cell.feature_name) for item in plan.cells} == {
        ("lda", False), ("knn", False), ("cnn", True),
    }  # fmt: skip
    run_classical = replace(plan, cells=tuple(item for item in plan.cells if item.cell.model["name"] != "cnn"))
    done = carried_out(run_classical, around)
    assert {record.status for record, _ in done.values()} == {"ok"}
    assert len(encoded) == 54
    # Three more sets of the same encoder: nothing is heard again.
    more = PLAIN.replace("layer: 2", "layer: 3, pool: mean_std")
    carried_out(planned(write_suite(f"{more}, {PLAIN.replace('2', 'weighted')}"), around), around)
    assert len(encoded) == 54
    board = leaderboard(load_records(around.results, "tiny"))
    assert set(board["pretrained"]) == {"speech"} and set(board["pretraining_overlap"]) == {"unknown"}


def test_a_cell_is_named_by_the_weights_and_not_by_their_place(write_suite, around, weights, tmp_path):
    (first,) = {item.cell.features[0]["version"] for item in planned(write_suite(), around).cells}
    shutil.copytree(weights / "facebook" / "hubert-base-ls960", tmp_path / "w" / "hubert-base-ls960")
    moved = replace(around, weights=tmp_path / "w")
    assert [item.cell.id for item in planned(write_suite(), moved).cells] == [
        item.cell.id for item in planned(write_suite(), around).cells
    ]
    save_encoder(tmp_path / "w" / "hubert-base-ls960", "hubert", seed=1)
    (other,) = {item.cell.features[0]["version"] for item in planned(write_suite(), moved).cells}
    assert first.startswith("1-") and other.startswith("1-") and other != first


def test_a_row_without_weights_is_skipped_until_they_are_there(write_suite, around, tmp_path):
    (tmp_path / "empty").mkdir()
    without = replace(around, weights=tmp_path / "empty")
    plan = planned(write_suite(), without)
    assert not plan.cells
    (row,) = plan.skipped
    assert "put config.json, preprocessor_config.json and model.safetensors" in row.reason
    assert str(tmp_path / "empty" / "facebook" / "hubert-base-ls960") in row.reason
    carried_out(plan, without)
    (shown,) = leaderboard(load_records(around.results, "tiny")).to_dict("records")
    assert shown["folds_planned"] == 0 and shown["reason"] == row.reason and shown["pretrained"] == "speech"
    carried_out(planned(write_suite(), around), around)
    (shown,) = leaderboard(load_records(around.results, "tiny")).to_dict("records")
    assert shown["complete"] and shown["folds_done"] == 3


def test_a_row_without_the_packages_is_skipped(write_suite, around, monkeypatch):
    monkeypatch.setattr(packages, "installed", lambda package: package != "torch")
    (row,) = planned(write_suite(), around).skipped
    assert row.reason == "not installed: torch; pip install 'serbench[encoders]'"


def test_a_layer_that_there_is_not_ends_the_plan(write_suite, around):
    with pytest.raises(FeatureError, match=f"no layer 99(.|\n)*0 to {LAYERS}"):
        planned(write_suite(PLAIN.replace("2", "99")), around)


def test_a_search_chooses_the_layer_inside_training(write_suite, around):
    layers = ", ".join(PLAIN.replace("2", str(layer)) for layer in (0, 1, 3))
    suite = write_suite(extra=f"tuning: {{trials: 6, inner: 1, features: [{layers}]}}\n")
    done = carried_out(planned(suite, around), around)
    tuned = [record for record, _ in done.values() if record.cell.tuning]
    assert len(tuned) == 3 and {record.status for record in tuned} == {"ok"}
    for record in tuned:
        assert len(record.cell.tuning["features"]) == 3
        tried = {trial["params"].get("features") for trial in record.tuning["trials"]}
        assert len(tried) > 1 and all(name.startswith("ssl{") for name in tried)


def test_features_travel_to_a_machine_without_weights(write_suite, around, tmp_path, capsys):
    suite, archive = write_suite(), tmp_path / "features.tar"
    here = carried_out(planned(suite, around), around)
    app = build_app()
    common = ["--data", str(around.data), "--cache", str(around.cache), "--weights", str(around.weights)]
    app(["features", "export", suite, str(archive), *common], standalone_mode=False)
    app(["features", "import", str(archive), "--cache", str(tmp_path / "there")], standalone_mode=False)
    added, total = re.search(r"(\d+) of (\d+) files added", capsys.readouterr().out).groups()
    assert added == total and int(total) >= 4
    app(["features", "import", str(archive), "--cache", str(tmp_path / "there")], standalone_mode=False)
    assert f"0 of {total} files added" in capsys.readouterr().out
    (tmp_path / "empty").mkdir()
    where = {"cache": tmp_path / "there", "results": tmp_path / "other", "weights": tmp_path / "empty"}
    there = replace(around, **where)
    found = carried_out(planned(suite, there), there)
    assert found.keys() == here.keys()
    for name, (_, predictions) in here.items():
        np.testing.assert_array_equal(predictions.filter(like="p:"), found[name][1].filter(like="p:"))
    # Another layer is made there from what came along.
    other = carried_out(planned(write_suite(PLAIN.replace("2", "1")), there), there)
    assert {record.status for record, _ in other.values()} == {"ok"}


def test_a_saved_model_hears_with_its_encoder(write_suite, around, weights, monkeypatch):
    frames = "{name: ssl, params: {model: hubert-base-ls960, layer: 1, pool: mean_std}}"
    suite = load_suite(write_suite(frames, "logistic_regression"))
    plan = make_plan(suite, open_registry(around), around, Filters(fold=("1",)), save_models=True)
    ((record, predictions),) = carried_out(plan, around).values()
    folder = around.results / "tiny" / "models" / record.cell.id
    first = predictions.iloc[0]
    path = around.data / "tiny" / f"{first['utterance']}.wav"
    monkeypatch.setenv("SERBENCH_WEIGHTS", str(weights))
    monkeypatch.setenv("SERBENCH_DEVICE", "cpu")
    model = serbench.load_model(folder)
    recorded = first[[f"p:{label}" for label in model.classes_]].to_numpy(dtype=float)
    np.testing.assert_allclose(model.predict_proba(path), recorded, atol=1e-4)
    monkeypatch.setenv("SERBENCH_WEIGHTS", str(around.results))
    with pytest.raises(ModelError, match=r"here it is of version 1\b"):
        serbench.load_model(folder)


def test_an_archive_that_is_none_is_refused(tmp_path):
    (tmp_path / "plain").write_text("no archive")
    (tmp_path / "evil.txt").write_text("x")
    with tarfile.open(tmp_path / "evil.tar", "w") as archive:
        archive.add(tmp_path / "evil.txt", arcname="../../evil.txt")
    with tarfile.open(tmp_path / "damaged.tar", "w") as archive:
        archive.add(tmp_path / "evil.txt", arcname="mfcc-0000000000000000/0000000000000000.shard")
    for name, said in (("plain", "no archive"), ("evil.tar", "which is no features"), ("damaged.tar", "is damaged")):
        with pytest.raises(FeatureError, match=said):
            unpack(tmp_path / name, tmp_path / "store")
    assert not list((tmp_path / "store").rglob("*.shard"))


def test_weights_that_cannot_be_loaded_fail_their_cells_and_no_other(write_suite, around, tmp_path):
    root = tmp_path / "w"
    shutil.copytree(around.weights, root)
    config = root / "facebook" / "hubert-base-ls960" / "config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "num_hidden_layers": 9}))
    broken = replace(around, weights=root)
    done = carried_out(planned(write_suite(f"{PLAIN}, mfcc"), broken), broken)
    status = {(record.cell.features[0]["name"], record.status) for record, _ in done.values()}
    assert status == {("ssl", "failed"), ("mfcc", "ok")}


def test_encoders_have_as_many_workers_as_memory_has_room_for(around, monkeypatch):
    monkeypatch.setattr(at_most, "_free_memory", lambda: 8_000_000_000)
    four = replace(around, jobs=4)
    assert [workers_for(need, four)[0] for need in (500_000_000, 2_000_000_000, 9_000_000_000)] == [4, 2, 1]
    monkeypatch.setattr(at_most, "_gpus", lambda: 2)
    assert [workers_for(1, replace(four, device=device))[0] for device in ("auto", "cuda", "cuda:1", "cpu")] == [
        2,
        2,
        1,
        4,
    ]
    recording = Recording()
    assert AtMost(recording, 1).has_room and AtMost(recording, 1).running == recording.running


def start(words, **more) -> subprocess.Popen:
    command = [sys.executable, "-m", "serbench", *map(str, words)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True, **more
    )


def kill_once_begun(process, cache) -> int:
    """Kill the whole process group once frames of some utterances are stored; how many shards there are then."""
    until = time.monotonic() + 240
    while not (shards := list(cache.glob("features/ssl_frames-*/*.shard"))):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return len(shards)


def carry_on(words) -> str:
    process = start(words)
    said, _ = process.communicate(timeout=600)
    assert process.returncode == 0, said
    return said


@pytest.mark.real
def test_a_run_on_real_audio_killed_while_it_extracts_goes_on(real_data, tmp_path, weights):
    spoken = [path for path in find_audio(real_data / "emodb") if path.name[:2] in ("03", "08", "09")]
    for path in spoken:
        link = tmp_path / "data" / "emodb" / path.name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(path)
    suite = tmp_path / "emodb.yaml"
    block = f"features: [{PLAIN}], models: [lda], protocols: [loso]"
    suite.write_text(f"title: EMO-DB\ncorpora: [emodb]\ngrid:\n  - {{{block}}}\n")

    def words(name: str, *how: str) -> list:
        where = ["--data", tmp_path / "data", "--cache", tmp_path / name / "cache", "--results", tmp_path / name]
        return ["run", suite, *where, "--weights", weights, "--device", "cpu", "--no-tracking", *how]

    shards = kill_once_begun(start(words("killed", "--jobs", "2")), tmp_path / "killed" / "cache")
    # Each further worker would import torch and transformers once more.
    said = carry_on(words("killed", "--executor", "in_process"))
    assert "3 cells (3 new)" in said
    # The last line of the extraction: the others come every ten seconds, and so not at all on a fast machine.
    left = int(re.search(r"features of (\d+) files extracted", said).group(1))
    assert shards and 0 < left < len(spoken) > 100
    carry_on(words("whole", "--executor", "in_process"))
    cells = sorted((tmp_path / "whole" / "emodb" / "cells").glob("*.parquet"))
    assert len(cells) == 3
    for path in cells:
        record, expected = read_cell(path)
        again, found = read_cell(tmp_path / "killed" / "emodb" / "cells" / path.name)
        assert record.status == again.status == "ok"
        np.testing.assert_array_equal(found.filter(like="p:"), expected.filter(like="p:"))


FINE_TUNED = "{name: fine_tuned, params: {model: hubert-base-ls960, epochs: 1, learning_rate: 0.003}}"


def test_a_fine_tuned_row_from_the_run_to_the_saved_model(write_suite, around, tmp_path, capsys):
    suite = write_suite("waveform", FINE_TUNED)
    where = ["--data", around.data, "--cache", around.cache, "--results", around.results, "--weights", around.weights]
    words = ["run", suite, *where, "--device", "cpu", "--jobs", "1", "--no-tracking", "--save-models"]
    build_app()([str(word) for word in words], standalone_mode=False)
    records = load_records(around.results, "tiny")
    assert records["status"].tolist() == ["ok"] * 3
    assert {record.history.keys() >= {"loss", "val_uar"} for record in records["record"]} == {True}
    board = leaderboard(records)
    assert set(board["pretrained"]) == {"speech"} and set(board["pretraining_overlap"]) == {"unknown"}
    (folder, *_) = sorted(path.parent for path in around.results.rglob("model.safetensors"))
    assert {path.name for path in folder.iterdir()} >= {"meta.json", "config.json", "preprocessor_config.json"}


def test_a_fine_tuned_row_without_weights_is_skipped_with_the_reason(write_suite, around, tmp_path):
    suite = write_suite("waveform", FINE_TUNED)
    (tmp_path / "none").mkdir()
    plan = planned(suite, replace(around, weights=tmp_path / "none"))
    assert plan.cells == ()
    (row,) = plan.skipped
    assert "no weights of 'hubert-base-ls960'" in row.reason and "serbench weights get" in row.reason
    assert {item.cell.model["version"].partition("-")[0] for item in planned(suite, around).cells} == {
        row.cell.model["version"]
    }
