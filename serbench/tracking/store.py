"""Where runs are tracked: the address of the store, checked before anything trains, and a client for it."""

from __future__ import annotations

import os
import re
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from serbench.errors import UsageError
from serbench.records import atomic_path

if TYPE_CHECKING:
    from mlflow import MlflowClient

DATABASE = "mlflow.db"
ARTIFACTS = "mlartifacts"
SQLITE = "sqlite:///"
DATABASES = ("postgresql", "mysql", "mssql")
WEB = ("http", "https")
OPTION = "--tracking-uri or MLFLOW_TRACKING_URI"
ADVICE = "write sqlite:////path/to/file.db, http://HOST:PORT, https://HOST or postgresql://USER@HOST/NAME"
# Read when mlflow is imported; what the user has set stays. MLflow's own defaults retry for minutes.
ENVIRONMENT = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "5",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}


def tracking_uri(given: str | None, results: Path) -> str:
    """Return the address of the tracking store.

    Parameters
    ----------
    given : str or None
        What the user asked for; None or empty means an SQLite file in the results folder.
    results : Path

    Raises
    ------
    UsageError
        If the address is malformed, or of a kind that MLflow no longer writes to.

    Examples
    --------
    >>> tracking_uri("http://tracker.example:5000/", Path("results"))
    'http://tracker.example:5000'
    """
    if not given:
        return f"{SQLITE}{(Path(results) / DATABASE).resolve()}"
    scheme = urlsplit(given).scheme.partition("+")[0] if "://" in given or given.startswith("file:") else ""
    if scheme == "sqlite":
        return _checked_sqlite(given)
    if scheme in WEB:
        return _checked_web(given)
    if scheme in DATABASES and re.fullmatch(r"[a-z0-9+]+://[^/\s]+/[^\s/]+", given):
        return given
    if scheme in ("", "file"):
        raise UsageError(
            f"'{given}' is no tracking store (MLflow has given up its file store)", where=OPTION, hint=ADVICE
        )
    raise UsageError(f"'{given}' is no address of a tracking store", where=OPTION, hint=ADVICE)


def database_file(uri: str) -> Path | None:
    """The file behind an SQLite address; None for a server."""
    return Path(uri.removeprefix(SQLITE)) if uri.startswith(SQLITE) else None


def lock_file(uri: str, results: Path) -> Path:
    """The lock that one writer at a time holds: beside the SQLite file, or in the results folder for a server."""
    file = database_file(uri) or Path(results) / DATABASE
    return file.with_name(f"{file.name}.lock")


def artifact_root(uri: str, experiment: str) -> str | None:
    """Where artifacts of an experiment go: beside an SQLite file; a server decides itself."""
    file = database_file(uri)
    return (file.parent / ARTIFACTS / experiment).resolve().as_uri() if file else None


def open_client(uri: str) -> MlflowClient:
    """Connect to a store, making it if it is an SQLite file that is not there yet.

    The import takes seconds; whoever calls this has something to write or to read.
    """
    import logging

    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    from mlflow import MlflowClient

    # MLflow and its migrations say at length what goes well; their own set-up, at import, would say it again.
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)
    file = database_file(uri)
    if file and not file.exists():
        _make_database(file)
    return MlflowClient(tracking_uri=uri)


def _make_database(file: Path) -> None:
    # Aside, and renamed: MLflow makes its tables in hundreds of steps, and never mends what a kill has left of them.
    from mlflow.store.db.utils import _initialize_tables, create_sqlalchemy_engine

    with atomic_path(file) as draft:
        # In write-ahead mode a commit costs one flush to disk instead of three, and the UI reads while a run writes.
        connection = sqlite3.connect(draft)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.close()
        engine = create_sqlalchemy_engine(f"{SQLITE}{draft}")
        _initialize_tables(engine)
        engine.dispose()


def _checked_sqlite(uri: str) -> str:
    path = uri.removeprefix(SQLITE)
    if not uri.startswith(SQLITE) or not path or path.endswith("/"):
        raise UsageError(
            f"'{uri}' names no SQLite file", where=OPTION, hint="three slashes and a path: sqlite:///results/mlflow.db"
        )
    file = Path(path).resolve()
    if file.is_dir():
        raise UsageError(f"'{uri}' is a folder", where=OPTION, hint="name a file in it: sqlite:///…/mlflow.db")
    return f"{SQLITE}{file}"


def _checked_web(uri: str) -> str:
    try:
        parts = urlsplit(uri)
        usable = bool(parts.hostname) and parts.port != 0 and not re.search(r"\s", uri)
    except ValueError:
        usable = False
    if not usable:
        raise UsageError(f"'{uri}' is no address of a tracking server", where=OPTION, hint=ADVICE)
    return uri.rstrip("/")
