"""Trained models in MLflow's registry: audio in, answers out."""

import base64
import json

import numpy as np
import pandas as pd
import pytest
import trained_models

from serbench.errors import SerbenchError
from serbench.inference.folder import read_manifest
from serbench.inference.model import load_model
from serbench.tracking.registering import register, save_pyfunc
from serbench.tracking.store import open_client

spoken, trained = trained_models.spoken, trained_models.trained


@pytest.fixture(scope="module")
def files(tiny_data):
    return [next((tiny_data / "tiny" / label).iterdir()) for label in ("low", "high")]


@pytest.fixture(scope="module")
def registered(trained, tmp_path_factory):
    uri = f"sqlite:///{tmp_path_factory.mktemp('store') / 'mlflow.db'}"
    assert register(uri, "tiny emotions", trained) == "1"
    assert register(uri, "tiny emotions", trained) == "2"
    return uri


def test_the_registry_holds_the_error_sheet(registered, trained):
    sheet = read_manifest(trained).sheet
    version = open_client(registered).get_model_version("tiny emotions", "1")
    assert version.tags["serbench.row"] == sheet.row and version.tags["serbench.verdict"] == "speaker-independent"
    assert version.tags["serbench.uar"].startswith(f"{sheet.uar.value:.3f} [")
    assert "says it: right" in version.description


def test_a_registered_model_answers_for_paths_and_for_bytes(registered, trained, files, monkeypatch):
    import mlflow

    monkeypatch.setenv("MLFLOW_TRACKING_URI", registered)
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(registered)
    try:
        model = mlflow.pyfunc.load_model("models:/tiny emotions/2")
    finally:
        mlflow.set_tracking_uri(before)
    expected = np.stack([load_model(trained).predict_proba(path) for path in files])
    for given in ({"path": [str(path) for path in files]}, {"audio": [path.read_bytes() for path in files]}):
        answer = model.predict(pd.DataFrame(given))
        assert list(answer["label"]) == ["low", "high"]
        np.testing.assert_allclose(answer.iloc[:, 1:], expected, atol=1e-9)
    with pytest.raises(SerbenchError, match="cannot be decoded"):
        model.predict(pd.DataFrame({"audio": [b"no audio"]}))


def test_mlflows_own_server_answers(trained, files, tmp_path):
    import mlflow.pyfunc
    from mlflow.pyfunc.scoring_server import invocations

    save_pyfunc(trained, tmp_path / "model")
    model = mlflow.pyfunc.load_model(str(tmp_path / "model"))
    content = base64.b64encode(files[0].read_bytes()).decode()
    body = json.loads(json.dumps({"dataframe_split": {"columns": ["audio"], "data": [[content]]}}))

    done = invocations(json.dumps(body), "application/json", model, model.metadata.get_input_schema())
    assert done.status == 200 and json.loads(done.response)["predictions"][0]["label"] == "low"
