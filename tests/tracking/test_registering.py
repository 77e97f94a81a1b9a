"""Trained models in MLflow's registry: audio in, answers out."""

import base64
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import requests

from serbench.errors import SerbenchError
from serbench.inference.folder import read_manifest
from serbench.inference.model import load_model
from serbench.tracking.registering import register, save_pyfunc
from serbench.tracking.store import open_client


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


@pytest.fixture(scope="module")
def server(trained, tmp_path_factory):
    """`mlflow models serve` in a process of its own; nothing but the model's folder is given to it."""
    path = tmp_path_factory.mktemp("served") / "model"
    save_pyfunc(trained, path)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [
        "models",
        "serve",
        "-m",
        str(path),
        "--env-manager",
        "local",
        "-h",
        "127.0.0.1",
        "-p",
        str(port),
        "-w",
        "1",
    ]
    with (path.parent / "log").open("w+") as log:
        # MLflow starts uvicorn by name: the environment's own comes first. A group of its own, to end all of it.
        around = os.environ | {"PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])}
        command = [sys.executable, "-m", "mlflow", *words]
        process = subprocess.Popen(command, stdout=log, stderr=log, env=around, start_new_session=True)
        try:
            address, end = f"http://127.0.0.1:{port}", time.monotonic() + 300
            while not _alive(address):
                assert process.poll() is None and time.monotonic() < end, (path.parent / "log").read_text()
                time.sleep(0.5)
            yield address
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(30)


def _alive(address):
    try:
        return requests.get(f"{address}/ping", timeout=5).ok
    except requests.ConnectionError:
        return False


def test_mlflows_own_server_answers_for_bytes_and_for_paths(server, trained, files):
    def ask(column, data):
        body = {"dataframe_split": {"columns": [column], "data": [[item] for item in data]}}
        return requests.post(f"{server}/invocations", json=body, timeout=120)

    model = load_model(trained)
    contents = [base64.b64encode(path.read_bytes()).decode() for path in files]
    for column, data in (("audio", contents), ("path", [str(path) for path in files])):
        rows = ask(column, data).json()["predictions"]
        assert [row["label"] for row in rows] == ["low", "high"]
        found = [[row[label] for label in model.classes_] for row in rows]
        np.testing.assert_allclose(found, [model.predict_proba(path) for path in files], atol=1e-9)
    refused = ask("audio", [base64.b64encode(b"no audio").decode()])
    assert refused.status_code >= 400 and "cannot be decoded" in refused.text
    assert ask("path", [str(files[0])]).ok
