"""A microphone followed live: 16-bit samples in, an answer for the last three seconds out every second."""

from __future__ import annotations

import asyncio
from collections import deque

import numpy as np
from fastapi import WebSocket, WebSocketDisconnect

from serbench.errors import SerbenchError
from serbench.inference.answers import SILENCE, Answer, Respondent
from serbench.inference.clips import HIGHEST_RATE, LOWEST_RATE, samples_clip
from serbench.inference.timeline import STEP, WINDOW, is_spoken, levels, speech_level
from serbench.server.limits import Admission

# Levels of the last minute tell what is loud here.
REMEMBERED = 60
IDLE = 30.0


async def follow(socket: WebSocket, respondent: Respondent, admission: Admission, rate: int, longest: float) -> None:
    """Answer a stream until it ends, lasts too long, is idle for half a minute, or sends what is no audio."""
    if not LOWEST_RATE <= rate <= HIGHEST_RATE:
        await socket.close(1008, f"a sampling rate of {rate} Hz")
        return
    try:
        # By the clock as well: a trickle of bytes is never idle and never much audio.
        async with asyncio.timeout(longest + IDLE):
            await _answer_each(socket, respondent, admission, rate, longest)
    except TimeoutError:
        await socket.close(1000, _lasts(longest))
    except WebSocketDisconnect:
        return


async def _answer_each(
    socket: WebSocket, respondent: Respondent, admission: Admission, rate: int, longest: float
) -> None:
    held, heard = np.zeros(0, dtype=np.float32), deque(maxlen=REMEMBERED)
    pending, position, step = b"", 0, round(STEP * rate)
    while position < longest * rate:
        try:
            message = await asyncio.wait_for(socket.receive(), IDLE)
        except TimeoutError:
            await socket.close(1001, "nothing arrived for half a minute")
            return
        if message["type"] == "websocket.disconnect":
            return
        if not message.get("bytes"):
            await socket.close(1003, "send 16-bit samples as binary messages")
            return
        pending += message["bytes"]
        while len(pending) >= 2 * step:
            fresh = np.frombuffer(pending[: 2 * step], dtype="<i2").astype(np.float32) / 32768
            pending, position = pending[2 * step :], position + step
            held = np.concatenate([held, fresh])[-round(WINDOW * rate) :]
            heard.append(levels(fresh, rate))
            answer = await admission.compute(_answer, respondent, held, rate, np.concatenate(heard), position / rate)
            await socket.send_json(answer)
    await socket.close(1000, _lasts(longest))


def _lasts(longest: float) -> str:
    return f"a stream lasts {longest:g} s at most"


def _answer(respondent: Respondent, held: np.ndarray, rate: int, heard: np.ndarray, now: float) -> dict:
    clip = samples_clip(held, rate, "stream")
    span = {"start": now - clip.seconds, "end": now}
    if not is_spoken(clip, speech_level(heard)):
        return {**Answer("stream", SILENCE).to_json(), **span}
    (answer,) = respondent.ask([clip])
    if isinstance(answer, SerbenchError):
        return {"error": answer.what, **span}
    return {**answer.to_json(), **span}
