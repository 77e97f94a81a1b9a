"""`serbench ui`: MLflow's pages over what has been tracked."""

from __future__ import annotations

import signal
import sys
from typing import Annotated

import typer

from serbench.cli import options


def ui(
    port: Annotated[int, typer.Option("--port", help="Port on this machine.", min=1, max=65535)] = 5000,
    tracking_uri: options.TrackingUri = None,
    results: options.Results = None,
) -> int:
    """Serve MLflow's pages on this machine until Ctrl-C, and print where."""
    from serbench.tracking.store import tracking_uri as checked_uri
    from serbench.tracking.ui import HOST, addresses, start_server, stop_server

    around = options.circumstances(results=results)
    uri = checked_uri(tracking_uri, around.results)
    # Ended by a signal, the server goes too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    server = start_server(uri, port)
    try:
        print(f"MLflow on {uri}: http://{HOST}:{port} (Ctrl-C ends it)")
        for suite, views in addresses(uri, port).items():
            print(f"suite {suite}")
            for name, address in views.items():
                print(f"  {name}: {address}")
        sys.stdout.flush()
        server.wait()
    except KeyboardInterrupt:
        pass
    finally:
        stop_server(server)
    return 0
