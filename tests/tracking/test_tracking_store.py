import subprocess
import sys
from pathlib import Path

import pytest

from serbench.errors import UsageError
from serbench.tracking.store import artifact_root, lock_file, open_client, tracking_uri


def test_without_an_address_the_store_is_a_file_in_the_results_folder(tmp_path):
    assert tracking_uri(None, tmp_path) == f"sqlite:///{tmp_path}/mlflow.db"
    assert tracking_uri("", tmp_path) == f"sqlite:///{tmp_path}/mlflow.db"


def test_a_relative_sqlite_address_is_made_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert tracking_uri("sqlite:///runs.db", Path("results")) == f"sqlite:///{tmp_path}/runs.db"


@pytest.mark.parametrize(
    "given",
    [
        "http://127.0.0.1:5000",
        "https://tracker.example",
        "https://user:word@tracker.example/prefix",
        "postgresql://user@host/runs",
        "postgresql+psycopg2://user:word@host:5432/runs",
    ],
)
def test_servers_and_databases_are_taken_as_they_are(given, tmp_path):
    assert tracking_uri(given, tmp_path) == given


@pytest.mark.parametrize(
    "given",
    [
        "tracker", "./mlruns", "file:///tmp/mlruns", "http://", "http:///runs", "http://host:port", "http://host:99999",
        "http://a b", "htp://host", "sqlite://runs.db", "sqlite:///", "sqlite:///folder/", "postgresql://", "://x",
    ],
)  # fmt: skip
def test_a_malformed_address_is_refused_with_advice(given, tmp_path):
    with pytest.raises(UsageError) as caught:
        tracking_uri(given, tmp_path)
    assert given in str(caught.value)
    assert "sqlite:///" in caught.value.hint


def test_a_folder_is_no_sqlite_file(tmp_path):
    with pytest.raises(UsageError, match="folder"):
        tracking_uri(f"sqlite:///{tmp_path}", tmp_path)


def test_artifacts_lie_beside_a_file_and_where_a_server_wants_them(tmp_path):
    assert artifact_root(f"sqlite:///{tmp_path}/mlflow.db", "toy") == f"file://{tmp_path}/mlartifacts/toy"
    assert artifact_root("http://host", "toy") is None


def test_the_lock_is_the_same_for_every_run_that_writes_into_a_store(tmp_path):
    assert lock_file(f"sqlite:///{tmp_path}/a.db", tmp_path / "results") == tmp_path / "a.db.lock"
    assert lock_file("http://host", tmp_path / "results") == tmp_path / "results" / "mlflow.db.lock"


def test_checking_an_address_imports_neither_mlflow_nor_matplotlib():
    code = (
        "import sys, serbench.tracking.store, serbench.tracking.observer, serbench.cli.track, serbench.cli.ui;"
        "print([name for name in ('mlflow', 'matplotlib', 'sqlalchemy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_store_that_was_not_made_whole_is_not_there(tmp_path, monkeypatch):
    from mlflow.store.db import utils

    def killed(engine):
        raise KeyboardInterrupt

    whole = utils._initialize_tables
    monkeypatch.setattr(utils, "_initialize_tables", killed)
    with pytest.raises(KeyboardInterrupt):
        open_client(f"sqlite:///{tmp_path}/runs.db")
    assert not (tmp_path / "runs.db").exists()
    monkeypatch.setattr(utils, "_initialize_tables", whole)
    assert open_client(f"sqlite:///{tmp_path}/runs.db").search_experiments()
