"""`serbench ui`: MLflow's pages over what has been tracked."""

from __future__ import annotations

import signal
import sys
import webbrowser
from typing import Annotated

import typer

from serbench.cli import options


def ui(
    port: Annotated[int, typer.Option("--port", help="Port on this machine.", min=1, max=65535)] = 5000,
    browser: Annotated[
        bool | None, typer.Option("--open/--no-open", help="Open the first view in a browser [on a terminal].")
    ] = None,
    tracking_uri: options.TrackingUri = None,
    results: options.Results = None,
) -> int:
    """Serve MLflow's pages on this machine until Ctrl-C, print where, and open the best rows on unseen speakers."""
    from serbench.tracking.store import tracking_uri as checked_uri
    from serbench.tracking.ui import HOST, addresses, start_server, stop_server

    around = options.circumstances(results=results)
    uri = checked_uri(tracking_uri, around.results)
    # Ended by a signal, the server goes too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    server = start_server(uri, port)
    try:
        views_of = addresses(uri, port)
        first = next((address for views in views_of.values() for address in views.values()), f"http://{HOST}:{port}")
        print(f"open {first}")
        if browser or (browser is None and sys.stdout.isatty()):
            webbrowser.open(first)
        print(f"MLflow on {uri}: http://{HOST}:{port} (Ctrl-C ends it)")
        for suite, views in views_of.items():
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
