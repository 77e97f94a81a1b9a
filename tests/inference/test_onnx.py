import dataclasses
import json
import shutil
import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("onnxruntime", reason="the extra `onnx` is not installed")
pytest.importorskip("skl2onnx", reason="the extra `onnx` is not installed")

from serbench.cli.main import build_app
from serbench.errors import ModelError, UsageError
from serbench.features.enrolment import Adaptation, Population
from serbench.inference import onnx_example, onnx_export
from serbench.inference.folder import MANIFEST, Manifest, write_manifest
from serbench.inference.known import read_examples, write_known
from serbench.inference.model import load_model
from serbench.inference.onnx_export import export_onnx
from serbench.inference.onnx_networks import convert_network
from serbench.inference.training import train
from serbench.models.saving import save_model
from serbench.registry import build_registry
from serbench.scoring import at_temperature


def export(*words):
    return build_app()(["export", *map(str, words)], standalone_mode=False)


def test_the_example_answers_without_serbench_as_the_model_does(trained, tmp_path, capsys):
    out = tmp_path / "onnx"
    export(trained, "--onnx", "-o", out)
    assert "probabilities agree to" in capsys.readouterr().out
    model = load_model(trained)
    saved = model.members[0].saved
    expected = at_temperature(saved.predict_proba(read_examples(trained / "member-0")[:5]), model.temperature)
    with np.load(out / "examples.npz") as features:
        np.testing.assert_allclose(onnx_example.answer(out, features), expected, atol=1e-4)
    told = subprocess.run(
        [sys.executable, "example.py"], cwd=out, capture_output=True, text=True, check=True, env={"PYTHONPATH": ""}
    ).stdout.splitlines()
    assert [line.split()[0] for line in told] == [model.classes_[row.argmax()] for row in expected]
    assert json.loads((out / "model.json").read_text())["error_sheet"]["row"] == model.sheet.row


def test_every_kind_of_estimator_agrees_or_is_refused(spoken, trained_pair, tmp_path):
    file, around = spoken
    path = train("spoken/tiny/speaker_kfold*/mfcc/logistic_regression", tmp_path / "lr", around, suite=str(file))
    assert export_onnx(load_model(path), path, tmp_path / "onnx") < 1e-4
    model = load_model(trained_pair)
    try:
        assert export_onnx(model, trained_pair, tmp_path / "pair") < 1e-4
    except ModelError as error:
        assert "answers otherwise" in str(error) and not (tmp_path / "pair").exists()


def test_what_answers_otherwise_is_not_written(trained, tmp_path, monkeypatch):
    monkeypatch.setattr(onnx_export, "TOLERANCE", -1.0)
    with pytest.raises(ModelError, match="answers otherwise"):
        export_onnx(load_model(trained), trained, tmp_path / "onnx")
    assert not (tmp_path / "onnx").exists()


def test_what_has_no_converter_says_so(trained, tmp_path):
    from sklearn.base import BaseEstimator

    model = load_model(trained)
    member = model.members[0]
    saved = dataclasses.replace(member.saved, estimator=BaseEstimator())
    foreign = dataclasses.replace(model, members=(dataclasses.replace(member, saved=saved),))
    with pytest.raises(ModelError, match="'lda' cannot be exported"):
        export_onnx(foreign, trained, tmp_path / "onnx")


def test_no_form_and_a_full_folder_are_refused(trained, tmp_path):
    with pytest.raises(UsageError, match="--onnx"):
        export(trained, "-o", tmp_path / "x")
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(ModelError, match="something already"):
        export(trained, "--onnx", "-o", tmp_path)


@pytest.fixture(scope="module")
def network(trained, tmp_path_factory):
    """A model folder with a network on sequences of 26 to 70 frames, of which 50 are kept, three by three."""
    tensorflow = pytest.importorskip("tensorflow", reason="the extra `deep` is not installed")
    assert tensorflow and pytest.importorskip("tf2onnx", reason="the extra `onnx` is not installed")
    folder = shutil.copytree(trained, tmp_path_factory.mktemp("network") / "cnn")
    spec = build_registry().get("model", "cnn_lstm")
    params = {**spec.params, "epochs": 1, "pool": 3, "max_frames": 50, "filters": 4, "units": 4}
    generator = np.random.default_rng(0)
    X = [generator.standard_normal((length, 5)).astype(np.float32) for length in range(26, 71)]
    estimator = spec.build(params, n_classes=3, seed=0)
    estimator.fit(X, np.arange(45) % 3, validation=(X[:6], np.arange(6) % 3))
    meta = json.loads((folder / "member-0" / "meta.json").read_text())
    cell = meta["cell"] | {"model": {"name": "cnn_lstm", "version": spec.version, "params": {}}}
    shutil.rmtree(folder / "member-0")
    save_model(estimator, folder / "member-0", meta | {"cell": cell, "params": params})
    write_known(folder / "member-0", X)
    manifest = read_manifest_unchecked(folder)
    write_manifest(folder, manifest.members, manifest.labels, manifest.temperature, manifest.sheet)
    return folder


def read_manifest_unchecked(folder):
    content = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).unlink()
    return Manifest.model_validate(content)


def test_a_network_answers_alike_whatever_is_cropped_and_pooled(network, tmp_path):
    model = load_model(network)
    assert export_onnx(model, network, tmp_path / "onnx") < 1e-5
    examples = read_examples(network / "member-0")
    assert {len(item) % 3 for item in examples} == {0, 1, 2} and max(map(len, examples)) == 70
    with np.load(tmp_path / "onnx" / "examples.npz") as features:
        found = onnx_example.answer(tmp_path / "onnx", features)
    expected = at_temperature(model.members[0].saved.predict_proba(examples[:5]), model.temperature)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_network_on_vectors_answers_alike():
    pytest.importorskip("tensorflow", reason="the extra `deep` is not installed")
    pytest.importorskip("tf2onnx", reason="the extra `onnx` is not installed")
    import onnxruntime

    spec = build_registry().get("model", "conv1d_vector")
    X = np.random.default_rng(0).standard_normal((12, 20)).astype(np.float32)
    params = {**spec.params, "epochs": 1, "filters": 8}
    estimator = spec.build(params, n_classes=3, seed=0)
    estimator.fit(X, np.arange(12) % 3, validation=(X, np.arange(12) % 3))
    session = onnxruntime.InferenceSession(convert_network(estimator, vectors=True).SerializeToString())
    np.testing.assert_allclose(session.run(None, {"features": X})[0], estimator.predict_proba(X), atol=1e-5)


def test_a_model_that_hears_a_speaker_says_that_it_cannot_be_exported(trained, tmp_path):
    model = load_model(trained)
    d = read_examples(trained / "member-0").shape[1]
    adaptation = Adaptation("mean", 1.0, Population(np.zeros(d), np.ones(d), 1.0))
    members = (dataclasses.replace(model.members[0], adaptation=adaptation),)
    with pytest.raises(ModelError, match="hears a speaker before it answers"):
        export_onnx(dataclasses.replace(model, members=members), trained, tmp_path / "onnx")
