"""A served model on a port of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

pytest.importorskip("fastapi", reason="the extra `serve` is not installed")


@pytest.fixture(scope="session")
def served(trained) -> Iterator[str]:
    """Address of a server with the usual limits but for small bodies and short audio."""
    from serbench.server.limits import Limits

    yield from serving(trained, Limits(body=2_000_000, duration=20.0))


@pytest.fixture(scope="session")
def guarded(trained) -> Iterator[str]:
    """Address of a server that wants the token `secret`."""
    yield from serving(trained, None, "secret")


@pytest.fixture
def serve(trained) -> Iterator[Callable]:
    """Start a server with limits of its own: ``serve(limits)`` gives its address."""
    running = []

    def start(limits=None) -> str:
        running.append(serving(trained, limits))
        return next(running[-1])

    yield start
    for server in running:
        next(server, None)


def serving(folder, limits, token=None) -> Iterator[str]:
    from serbench.inference.answers import Respondent
    from serbench.inference.model import load_model
    from serbench.server.limits import Limits
    from serbench.server.run import make_server, open_port

    listener = open_port("127.0.0.1", 0)
    server = make_server(Respondent(load_model(folder)), limits or Limits(), token)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(timeout=20)
