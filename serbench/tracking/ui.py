"""Serve MLflow's own pages over a tracking store, on this machine alone."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from typing import IO

from serbench.errors import TrackingError, UsageError
from serbench.tracking.store import ENVIRONMENT, artifact_root, database_file, open_client
from serbench.tracking.views import NAMES, TAG, UNSEEN, view_address

HOST = "127.0.0.1"
PORT = 5000
START_SECONDS = 120
# The pages need neither MLflow's job queue nor more than one process.
SERVER_ENVIRONMENT = {**ENVIRONMENT, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}


def start_server(uri: str, port: int = PORT) -> subprocess.Popen:
    """Start MLflow's server on loopback and wait until it answers.

    Raises
    ------
    UsageError
        If the store is a server already, holds nothing yet, or the port is taken.
    TrackingError
        If the server does not start.
    """
    file = database_file(uri)
    if uri.startswith("http"):
        raise UsageError(f"{uri} is a server with pages of its own", hint="open that address in a browser")
    if file and not file.is_file():
        hint = "`serbench run` tracks as it runs, `serbench track SUITE` writes what is there already"
        raise UsageError("nothing has been tracked yet", where=str(file), hint=hint)
    if port_taken(port):
        hint = f"a `serbench ui` may be running there: http://{HOST}:{port}; or choose another with --port"
        raise UsageError(f"port {port} is taken", where="serbench ui", hint=hint)
    command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", uri, "--host", HOST]
    command += ["--port", str(port), "--workers", "1"]
    if root := artifact_root(uri, ""):
        command += ["--default-artifact-root", root]
    with tempfile.TemporaryFile("w+") as said:
        environment = {**os.environ, **SERVER_ENVIRONMENT}
        # A group of its own, since the server has children that must end with it.
        server = subprocess.Popen(command, env=environment, stdout=said, stderr=said, start_new_session=True)
        try:
            _wait(server, port, said)
        except BaseException:
            stop_server(server)
            raise
    return server


def stop_server(server: subprocess.Popen) -> None:
    """End the server with all its children."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGTERM)
    server.wait()


def addresses(uri: str, port: int = PORT) -> dict[str, dict[str, str]]:
    """Addresses of the views of each experiment that a suite has: suite -> name of the view -> address.

    The suite that was written last comes first, and of its views the one of unseen speakers.
    """
    client = open_client(uri)
    found = {item.name: item for item in client.search_experiments(order_by=["last_update_time DESC"])}
    return {
        suite: {
            name: view_address(f"http://{HOST}:{port}/#/experiments/{experiment.experiment_id}/runs", key)
            for key, name in NAMES.items()
            if f"{TAG}{key}" in experiment.tags
        }
        for suite, experiment in found.items()
        if f"{TAG}{UNSEEN}" in experiment.tags
    }


def port_taken(port: int) -> bool:
    """Whether something listens on a port of this machine."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return True
    return False


def _wait(server: subprocess.Popen, port: int, said: IO[str]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            said.seek(0)
            lines = said.read().strip().splitlines()
            raise TrackingError("MLflow's server did not start", hint=lines[-1] if lines else "no reason given")
        try:
            with urllib.request.urlopen(f"http://{HOST}:{port}/health", timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise TrackingError(f"MLflow's server does not answer after {START_SECONDS} s", where=f"port {port}")
