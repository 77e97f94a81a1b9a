import json
import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("onnxruntime", reason="the extra `onnx` is not installed")
pytest.importorskip("skl2onnx", reason="the extra `onnx` is not installed")

from serbench.cli.main import build_app
from serbench.errors import ModelError, UsageError
from serbench.inference import onnx_example, onnx_export
from serbench.inference.known import read_examples
from serbench.inference.model import load_model
from serbench.inference.onnx_export import export_onnx
from serbench.inference.training import train
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
    import dataclasses

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
