"""Start a server: take the port first, so that what is wrong with it is told before anything else."""

from __future__ import annotations

import errno
import ipaddress
import secrets
import socket

from serbench.errors import UsageError
from serbench.inference.answers import Respondent
from serbench.server.limits import Limits

LOOPBACK_NAMES = ("localhost",)


def open_port(host: str, port: int) -> socket.socket:
    """Bind a port.

    Raises
    ------
    UsageError
        If it is taken, not allowed, or the host is none of this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(128)
    except (OSError, OverflowError) as error:
        listener.close()
        number = getattr(error, "errno", None)
        if number == errno.EADDRINUSE:
            raise UsageError(f"port {port} is taken", where="--port", hint="choose another port: --port") from error
        if number == errno.EACCES:
            raise UsageError(
                f"no permission to open port {port}", where="--port", hint="choose one from 1024 up"
            ) from error
        raise UsageError(f"cannot listen at {host}, port {port}: {error}", where="--host") from error
    return listener


def token_for(host: str, given: str | None) -> str | None:
    """The token that a server at this host needs: the one given, or a new one where others can reach it."""
    return given or (None if is_loopback(host) else secrets.token_urlsafe(24))


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a host."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host in LOOPBACK_NAMES


def make_server(respondent: Respondent, limits: Limits, token: str | None):
    """A uvicorn server, to be run with ``server.run(sockets=[open_port(...)])``."""
    import uvicorn

    from serbench.server.app import make_app

    config = uvicorn.Config(
        make_app(respondent, limits, token=token),
        log_level="warning",
        access_log=False,
        ws="wsproto",
        ws_max_size=1 << 20,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=5,
        server_header=False,
    )
    return uvicorn.Server(config)
