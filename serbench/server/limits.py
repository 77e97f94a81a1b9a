"""What a server takes at most, and who may ask it."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from fastapi import HTTPException
from fastapi.responses import JSONResponse


@dataclass(frozen=True)
class Limits:
    """Bounds of one server.

    Attributes
    ----------
    body : int
        Bytes of a request.
    duration : float
        Seconds of audio of a request; a stream may last ten times as long.
    requests : int
        At once, those that wait included; further ones are told to come again.
    running : int
        Of them, computed at once.
    streams : int
        WebSockets at once.
    seconds : float
        From the first byte to the answer.
    """

    body: int = 32 << 20
    duration: float = 120.0
    requests: int = 32
    running: int = 2
    streams: int = 8
    seconds: float = 20.0


class BodyLimit:
    """ASGI middleware: a body of more bytes than allowed is refused, whatever its headers say."""

    def __init__(self, app: Any, most: int):
        self.app, self.most = app, most

    async def __call__(self, scope, receive, send):
        """Count what arrives."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        if announced.isdigit() and int(announced) > self.most:
            await self._refuse(scope, receive, send)
            return
        arrived, begun = 0, False

        async def counted():
            nonlocal arrived
            message = await receive()
            arrived += len(message.get("body", b""))
            if arrived > self.most:
                raise _TooMuch
            return message

        async def watched(message):
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self.app(scope, counted, watched)
        except _TooMuch:
            if not begun:
                await self._refuse(scope, receive, send)

    async def _refuse(self, scope, receive, send):
        answer = JSONResponse({"detail": f"a body of more than {self.most} bytes"}, status_code=413)
        await answer(scope, receive, send)


class _TooMuch(Exception):
    """A body that goes on beyond the limit."""


class Admission:
    """Lets only so many requests in, and only so many of them compute at once."""

    def __init__(self, limits: Limits):
        self._limits = limits
        self._inside = self.streams = 0
        # Threads of its own, always the same: more of them, or ever new ones, would each keep memory for themselves.
        self._threads = ThreadPoolExecutor(limits.running, thread_name_prefix="answer")

    @asynccontextmanager
    async def request(self) -> AsyncIterator[None]:
        """Hold a place among the requests, for as long as one may take.

        Raises
        ------
        HTTPException
            503 where there is no place, 504 where it takes too long.
        """
        if self._inside >= self._limits.requests:
            raise HTTPException(503, "too many requests at once", headers={"Retry-After": "1"})
        self._inside += 1
        try:
            async with asyncio.timeout(self._limits.seconds):
                yield
        except TimeoutError as error:
            raise HTTPException(504, f"not answered within {self._limits.seconds:g} s") from error
        finally:
            self._inside -= 1

    async def compute(self, function, *given):
        """Run a function in one of the threads when it is its turn; whoever has no time left gives up the turn."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, function, *given)


def allowed(token: str | None, headers: Any, query: Any) -> bool:
    """Whether a request carries the token (``Authorization: Bearer …``, or ``?token=`` from the page)."""
    if token is None:
        return True
    given = headers.get("authorization", "").removeprefix("Bearer ") or query.get("token", "")
    return hmac.compare_digest(given.encode("utf-8", "replace"), token.encode())
