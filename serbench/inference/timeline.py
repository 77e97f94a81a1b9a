"""Answers along a long recording: a window slid over it, with silence told apart from speech."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from serbench.corpora.audio import read_blocks
from serbench.errors import SerbenchError, UsageError
from serbench.inference.answers import SILENCE, Answer, Respondent, in_batches
from serbench.inference.clips import FULL_SCALE, Clip

WINDOW, STEP = 3.0, 1.0
SHORTEST = 0.5
FRAME = 0.016
# A frame is speech if it is not that much softer than the loud ones of the recording, nor below the floor (dB).
BELOW_LOUD, FLOOR = 30.0, -60.0
LOUD = 0.95
# A window with a smaller share of such frames is silence.
SPOKEN = 0.1


@dataclass(frozen=True)
class Windows:
    """How a window is slid over a recording, in seconds.

    Raises
    ------
    UsageError
        If it is shorter than half a second or does not move.
    """

    length: float = WINDOW
    step: float = STEP

    def __post_init__(self) -> None:
        if not SHORTEST <= self.length <= 60:
            raise UsageError(f"a window of {self.length:g} s", where="--window", hint=f"{SHORTEST} to 60 s")
        if not 0.05 <= self.step <= self.length:
            raise UsageError(f"a step of {self.step:g} s", where="--step", hint="0.05 s up to the window's length")


def timeline(respondent: Respondent, source: str | bytes | Clip, name: str, windows: Windows) -> Iterator[Answer]:
    """Answer for every window of a recording of any length; memory holds a few windows of it.

    Speech is told from silence by energy: a frame of 16 ms is speech if it lies at most 30 dB below the loud frames of
    the recording (their 95 % quantile) and above -60 dB of full scale; a window with less than a tenth of such frames
    is silence.

    Parameters
    ----------
    source : path, bytes of a file, or Clip
    name : str
        Of the recording, for the answers.

    Raises
    ------
    AudioError
        If it cannot be decoded.
    """
    quiet = _threshold(source, name)
    for batch in in_batches(_cut(source, name, windows)):
        spoken = [is_spoken(clip, quiet) for clip in batch]
        answers = iter(respondent.ask([clip for clip, talks in zip(batch, spoken, strict=True) if talks]))
        for clip, talks in zip(batch, spoken, strict=True):
            span = {"start": clip.start, "end": clip.start + clip.seconds}
            if not talks:
                yield Answer(name, SILENCE, **span)
                continue
            answer = next(answers)
            if isinstance(answer, SerbenchError):
                raise answer
            # Windows are cut anyway: what their length says of the input is no news.
            warnings = tuple(item for item in answer.warnings if not item.startswith(("short", "long")))
            yield replace(answer, name=name, warnings=warnings, **span)


class _Window(Clip):
    start = 0.0


def _cut(source: str | bytes | Clip, name: str, windows: Windows) -> Iterator[_Window]:
    held, start, position = np.zeros(0, dtype=np.float32), 0, 0
    rate = 0
    for block, rate in _blocks(source, windows.step, name):
        length, step = round(windows.length * rate), round(windows.step * rate)
        held = np.concatenate([held, block])
        while len(held) >= length:
            yield _window(held[:length], rate, name, start)
            held, start = held[step:], start + step
        position += len(block)
    # What is left at the end is a window of its own where it is new, and long enough to say something.
    if start == 0 or len(held) - (round(windows.length * rate) - round(windows.step * rate)) >= SHORTEST * rate:
        yield _window(held, rate, name, start)


def _blocks(source: str | bytes | Clip, seconds: float, name: str) -> Iterator[tuple[np.ndarray, int]]:
    if not isinstance(source, Clip):
        yield from read_blocks(source, seconds, name=name)
        return
    size = round(seconds * source.rate)
    for start in range(0, len(source.signal), size):
        yield source.signal[start : start + size], source.rate


def _window(signal: np.ndarray, rate: int, name: str, start: int) -> _Window:
    window = _Window(signal, rate, name, clipped=float((np.abs(signal) >= FULL_SCALE).mean()))
    window.start = start / rate
    return window


def _threshold(source: str | bytes | Clip, name: str) -> float:
    return speech_level(np.concatenate([levels(*block) for block in _blocks(source, 10.0, name)]))


def speech_level(heard: np.ndarray) -> float:
    """From which level (dB) on a frame is speech, given the levels of all frames of a recording."""
    return max(float(np.quantile(heard, LOUD)) - BELOW_LOUD, FLOOR)


def is_spoken(clip: Clip, quiet: float) -> bool:
    """Whether enough frames of a window are louder than `quiet` (dB)."""
    return float((levels(clip.signal, clip.rate) > quiet).mean()) >= SPOKEN


def levels(signal: np.ndarray, rate: int) -> np.ndarray:
    """Level of each frame in dB of full scale."""
    size = max(1, round(FRAME * rate))
    frames = signal[: len(signal) // size * size].reshape(-1, size) if len(signal) >= size else signal[None]
    return 10 * np.log10(np.square(frames, dtype=np.float64).mean(axis=1) + 1e-12)
