"""The application: `/predict`, `/model`, `/stream`, `/health`, the page, and OpenAPI's description of them."""

from __future__ import annotations

from importlib.resources import files
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import Depends, FastAPI, HTTPException, Query, Request, WebSocket
from fastapi.responses import Response
from fastapi_offline import FastAPIOffline
from pydantic import BaseModel
from starlette.requests import ClientDisconnect

import serbench
from serbench.errors import AudioError, SerbenchError
from serbench.inference.answers import Answer, Respondent
from serbench.inference.clips import read_clip, samples_clip
from serbench.inference.timeline import Windows, timeline
from serbench.server.limits import Admission, BodyLimit, Limits, allowed
from serbench.server.stream import follow

NOTE = "acted speech, not what you feel"
PAGE = {"": "text/html", "page.js": "text/javascript", "recorder.js": "text/javascript", "page.css": "text/css"}
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
TYPES = {"pcm16": "<i2", "float32": "<f4"}


class AnswerBody(BaseModel):
    """What a model says of a recording or a window of it; see `serbench.inference.answers.Answer`."""

    file: str
    label: str
    likeliest: str
    probability: float | None
    probabilities: dict[str, float]
    worth: str
    warnings: list[str]
    start: float | None = None
    end: float | None = None


class PredictBody(AnswerBody):
    """The answer for a whole recording, with its timeline if asked for."""

    note: str = NOTE
    windows: list[AnswerBody] = []


class ModelBody(BaseModel):
    """The model and its error sheet."""

    name: str
    labels: list[str]
    serbench: str
    note: str = NOTE
    sheet: dict[str, Any] | None


def make_app(respondent: Respondent, limits: Limits | None = None, *, token: str | None = None) -> FastAPI:
    """Put a model behind HTTP.

    Parameters
    ----------
    token : str, optional
        Then every request for an answer, and for what is known of the model, has to carry it; the page, `/health`, and
        the description of the interface do not.
    """
    limits = limits or Limits()
    admission = Admission(limits)
    model = respondent.model
    app = FastAPIOffline(
        # Its own files in place of those of a content network; nor are others asked whether the description is valid.
        static_url="/docs-assets",
        redoc_url=None,
        swagger_ui_parameters={"validatorUrl": None},
        title="serbench",
        version=serbench.__version__,
        description=f"{model.name}: {NOTE}",
    )
    app.add_middleware(BodyLimit, most=limits.body)

    def check_token(request: Request) -> None:
        if not allowed(token, request.headers, request.query_params):
            raise HTTPException(401, "a token is needed: Authorization: Bearer …", {"WWW-Authenticate": "Bearer"})

    guarded = [Depends(check_token)]

    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/model", dependencies=guarded)
    async def describe() -> ModelBody:
        sheet = model.sheet.model_dump(mode="json") if model.sheet else None
        return ModelBody(name=model.name, labels=respondent.labels, serbench=serbench.__version__, sheet=sheet)

    @app.post("/predict", dependencies=guarded, openapi_extra=_BODY)
    async def predict(
        request: Request,
        rate: Annotated[int | None, Query(description="Hz; the body is then raw samples.")] = None,
        samples: Annotated[Literal["pcm16", "float32"], Query(description="Type of raw samples.")] = "pcm16",
        windows: Annotated[bool, Query(description="Answer for 3 s windows too.")] = False,
    ) -> PredictBody:
        async with admission.request():
            name, content = await _content(request)
            try:
                return await admission.compute(_answer, respondent, limits, name, content, rate, samples, windows)
            except SerbenchError as error:
                raise HTTPException(422, error.what) from error

    @app.websocket("/stream")
    async def stream(socket: WebSocket, rate: int = 16_000) -> None:
        await socket.accept()
        # Programs send no origin; pages always do, and "null" where they hide it.
        origin = socket.headers.get("origin")
        own_page = origin is None or origin.partition("://")[2] == socket.headers.get("host")
        if not (own_page and allowed(token, socket.headers, socket.query_params)):
            await socket.close(1008, "a token is needed, and no page of another site")
        elif admission.streams >= limits.streams:
            await socket.close(1013, "too many streams at once")
        else:
            admission.streams += 1
            try:
                await follow(socket, respondent, admission, rate, 10 * limits.duration)
            finally:
                admission.streams -= 1

    @app.exception_handler(ClientDisconnect)
    async def gone(*_: Any) -> Response:
        # Nobody is there to read it, but a body that ends early is no fault of the server.
        return Response(status_code=400)

    for name, kind in PAGE.items():
        app.add_api_route(f"/{name}", _page_file(name or "index.html", kind), include_in_schema=False)
    return app


_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            },
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
        },
    }
}


async def _content(request: Request) -> tuple[str, bytes]:
    """Name and bytes of what was sent: the field `file` of a form, or the body itself."""
    if not request.headers.get("content-type", "").startswith("multipart/"):
        return "body", await request.body()
    try:
        async with request.form(max_files=1, max_fields=4) as form:
            field = form.get("file")
            if field is None or isinstance(field, str):
                raise HTTPException(422, "no file: send a multipart field `file`")
            return str(field.filename or "file"), await field.read()
    except (ValueError, LookupError, UnicodeError, RuntimeError, AssertionError) as error:
        # What a form parser raises besides its own exception depends on where the bytes stop making sense.
        raise HTTPException(422, f"not a form: {error}") from error


def _answer(
    respondent: Respondent, limits: Limits, name: str, content: bytes, rate: int | None, samples: str, windows: bool
) -> PredictBody:
    if rate is None:
        clip = read_clip(content, name, longest=limits.duration)
    else:
        kind = np.dtype(TYPES[samples])
        if not content or len(content) % kind.itemsize:
            raise AudioError(f"{len(content)} bytes are no {samples} samples", where=name)
        values = np.frombuffer(content, dtype=kind).astype(np.float32)
        clip = samples_clip(values / 32768 if samples == "pcm16" else values, rate, name)
        if clip.seconds > limits.duration:
            raise AudioError(f"lasts {clip.seconds:.0f} s, at most {limits.duration:g} s are taken", where=name)
    (answer,) = respondent.ask([clip])
    if isinstance(answer, SerbenchError):
        raise answer
    along = timeline(respondent, content if rate is None else clip, name, Windows()) if windows else ()
    return PredictBody(**_plain(answer), windows=[AnswerBody(**_plain(item)) for item in along])


def _plain(answer: Answer) -> dict[str, Any]:
    return answer.to_json()


def _page_file(name: str, kind: str):
    content = (files("serbench.server") / "page" / name).read_bytes()

    async def page() -> Response:
        return Response(content, media_type=kind, headers=HEADERS)

    return page
