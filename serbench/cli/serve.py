"""`serbench serve`: a trained model behind HTTP, with a page to try it on."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from serbench.cli import options
from serbench.errors import UsageError


def serve(
    model: Annotated[Path, typer.Argument(help="Folder that `serbench train` made.")],
    host: Annotated[str, typer.Option("--host", help="Address; others than loopback need a token.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65_535, help="0: any that is free.")] = 8000,
    token: Annotated[
        str | None,
        typer.Option("--token", help="That requests have to carry [made and printed].", envvar="SERBENCH_TOKEN"),
    ] = None,
    max_mb: Annotated[int, typer.Option("--max-mb", min=1, help="Megabytes of a request.")] = 32,
    max_seconds: Annotated[float, typer.Option("--max-seconds", min=1, help="Seconds of audio of a request.")] = 120,
    max_requests: Annotated[int, typer.Option("--max-requests", min=1, help="Requests at once.")] = 32,
    timeout: Annotated[float, typer.Option("--timeout", min=0.1, help="Seconds until an answer.")] = 20,
    plugin: options.Plugin = None,
) -> None:
    """Serve a model: POST /predict, GET /model, WS /stream, /health, /docs, and a page that records or takes a file."""
    from serbench.runner.cell.environment import thread_variables

    # One thread a request: requests side by side use the processors.
    os.environ.update(thread_variables(1))
    try:
        from serbench.server.limits import Limits
        from serbench.server.run import make_server, open_port, token_for
    except ImportError as error:
        raise UsageError(
            f"serving needs the package '{error.name}'", where="serbench serve", hint='pip install "serbench[serve]"'
        ) from error
    from serbench.inference.answers import Respondent
    from serbench.inference.model import load_model

    listener = open_port(host, port)
    respondent = Respondent(load_model(model, plugins=tuple(plugin or ())))
    token = token_for(host, token)
    limits = Limits(body=max_mb << 20, duration=max_seconds, requests=max_requests, seconds=timeout)
    bound = f"[{host}]" if ":" in host else host
    query = f"?token={token}" if token else ""
    print(f"serbench: {respondent.model.name} at http://{bound}:{listener.getsockname()[1]}/{query}", file=sys.stderr)
    make_server(respondent, limits, token).run(sockets=[listener])
