"""Audio files: decoding to mono at one rate, and saying plainly what is wrong with a file."""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from serbench.errors import AudioError, TooLong

SUFFIXES = frozenset({".wav", ".flac", ".mp3", ".ogg"})
RATE = 16_000
MOST_BYTES = 2 * 2**30

POINTER = "a Git LFS pointer, not audio"
_POINTER_START = b"version https://git-lfs"
_POINTER_HINT = "fetch the audio itself: run `git lfs pull` where the corpus was cloned"
_DAMAGED_HINT = "fetch the file again or leave it out"
MOST_SAMPLES = 400_000  # a second: stereo at 192 kHz
_UNKNOWN_LENGTH = 2**62  # libsndfile announces at least this for FLAC written to a pipe, and cannot read it
# Sizes that a writer puts into a WAV header when it cannot know the length (streams).
_UNKNOWN_SIZES = (0, 0x7FFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF - 36)


def read_native(
    source: str | os.PathLike | bytes, *, name: str | None = None, longest: float | None = None
) -> tuple[np.ndarray, int]:
    """Read a file as it is stored.

    Parameters
    ----------
    source : path or bytes
        WAV, FLAC, MP3 or OGG; any sample format, rate and number of channels. Bytes are the content of such a file.
    name : str, optional
        For messages; the path unless told.
    longest : float, optional
        Seconds; what announces more is refused before it is decoded.

    Returns
    -------
    samples : ndarray of shape (n, channels), float32
        Full scale is 1; finite, at least one sample.
    rate : int
        Hz.

    Raises
    ------
    AudioError
        For a file that is absent, undecodable, cut short, empty, a Git LFS pointer, or holds NaN or infinity.
        (A cut OGG stream decodes to a shorter one without a sign of the cut.)
    """
    where = name or _named(source)
    with _opened(source, where) as file:
        announced, rate, wav = file.frames, file.samplerate, file.format in ("WAV", "WAVEX")
        if longest is not None:
            _refuse_long(announced, file.channels, rate, longest, where)
        _refuse_huge(announced, file.channels, where)
        samples = file.read(dtype="float32", always_2d=True)
    if len(samples) < announced or (wav and _wav_is_cut(source)):
        raise AudioError("cut short: the file ends before its announced length", where=where, hint=_DAMAGED_HINT)
    if not len(samples):
        raise AudioError("holds no samples", where=where, hint=_DAMAGED_HINT)
    if not np.isfinite(samples).all():
        raise AudioError("holds samples that are not finite numbers", where=where, hint=_DAMAGED_HINT)
    return samples, rate


def read_blocks(
    source: str | os.PathLike | bytes, seconds: float, *, name: str | None = None
) -> Iterator[tuple[np.ndarray, int]]:
    """Read a file of any length block by block, so that little of it is in memory at once.

    Yields
    ------
    block : ndarray of shape (n,), float32
        Channels averaged; as long as asked for, but for the last one.
    rate : int
        Hz.

    Raises
    ------
    AudioError
        As `read_native`.
    """
    where = name or _named(source)
    found = 0
    with _opened(source, where) as file:
        if file.format in ("WAV", "WAVEX") and _wav_is_cut(source):
            raise AudioError("cut short: the file ends before its announced length", where=where, hint=_DAMAGED_HINT)
        while len(block := file.read(max(1, round(seconds * file.samplerate)), dtype="float32", always_2d=True)):
            if not np.isfinite(block).all():
                raise AudioError("holds samples that are not finite numbers", where=where, hint=_DAMAGED_HINT)
            found += len(block)
            yield to_mono(block), file.samplerate
        announced = file.frames
    if found < announced or not found:
        problem = "cut short: the file ends before its announced length" if found else "holds no samples"
        raise AudioError(problem, where=where, hint=_DAMAGED_HINT)


def decode(path: str | os.PathLike, rate: int = RATE, *, quality: str = "HQ") -> np.ndarray:
    """Decode a file to mono at `rate` Hz.

    Channels are averaged; the rate is converted by soxr at high quality unless another of its qualities is named.

    Returns
    -------
    ndarray of shape (n,), float32

    Raises
    ------
    AudioError
        As `read_native`; also for a file too short to hold one sample at `rate`.
    """
    samples, native = read_native(path)
    return to_rate(to_mono(samples), native, rate, where=str(path), quality=quality)


def decode_at_own_rate(path: str | os.PathLike) -> tuple[np.ndarray, int]:
    """Decode a file to mono and tell its rate; raises as `read_native` does."""
    samples, rate = read_native(path)
    return np.ascontiguousarray(to_mono(samples)), rate


def _refuse_huge(frames: int, channels: int, where: str | None) -> None:
    # A header is believed before the samples are there: memory is taken for what it announces.
    if (size := frames * channels * np.dtype(np.float32).itemsize) > MOST_BYTES:
        raise AudioError(
            f"announces {size / 2**30:.1f} GiB of samples, more than an utterance has",
            where=where,
            hint="cut it into utterances, or leave it out",
        )


def to_mono(samples: np.ndarray) -> np.ndarray:
    """Average the channels of (n, channels) samples."""
    return samples[:, 0] if samples.shape[1] == 1 else samples.mean(axis=1, dtype=np.float32)


def to_rate(signal: np.ndarray, native: int, rate: int, *, where: str | None = None, quality: str = "HQ") -> np.ndarray:
    """Convert a mono signal from `native` to `rate` Hz, float32, contiguous."""
    if native != rate:
        import soxr

        _refuse_huge(-(-len(signal) * rate // native), 1, where)
        signal = soxr.resample(signal, native, rate, quality=quality)
    if not len(signal):
        raise AudioError(f"too short to hold one sample at {rate} Hz", where=where, hint="leave it out")
    return np.ascontiguousarray(signal, dtype=np.float32)


def has_content(path: Path) -> bool:
    """Whether a file is neither empty nor a Git LFS pointer; what it holds is not decoded."""
    with path.open("rb") as stream:
        return stream.read(len(_POINTER_START)) not in (b"", _POINTER_START)


@contextmanager
def _opened(source: str | os.PathLike | bytes, where: str) -> Iterator[Any]:
    import soundfile

    if isinstance(source, bytes):
        _refuse_empty_or_pointer(source[: len(_POINTER_START)], where)
    else:
        _refuse_empty_or_pointer(_start_of(Path(source), where), where)
    try:
        with soundfile.SoundFile(io.BytesIO(source) if isinstance(source, bytes) else Path(source)) as file:
            if file.frames >= _UNKNOWN_LENGTH:
                raise AudioError("a FLAC stream of unknown length", where=where, hint="write the file anew with flac")
            yield file
    except (soundfile.SoundFileError, RuntimeError) as error:
        raise AudioError(f"cannot be decoded: {error}", where=where, hint=_DAMAGED_HINT) from error


def _named(source: str | os.PathLike | bytes) -> str:
    return "the bytes given" if isinstance(source, bytes) else str(source)


def _start_of(path: Path, where: str) -> bytes:
    if path.exists() and not path.is_file():
        # Opening a pipe would wait for a writer for ever.
        raise AudioError("no regular file (a folder, pipe or device)", where=where, hint="remove it")
    try:
        with path.open("rb") as stream:
            return stream.read(len(_POINTER_START))
    except OSError as error:
        raise AudioError(f"cannot be read: {error.strerror}", where=where) from error


def _refuse_empty_or_pointer(start: bytes, where: str) -> None:
    if not start:
        raise AudioError("an empty file (zero bytes)", where=where, hint=_DAMAGED_HINT)
    if start == _POINTER_START:
        raise AudioError(POINTER, where=where, hint=_POINTER_HINT)


def _refuse_long(frames: int, channels: int, rate: int, longest: float, where: str) -> None:
    seconds = frames / max(rate, 1)
    # Many channels, or a rate that no microphone has, would fill the memory within the seconds allowed.
    if seconds > longest or frames * channels > longest * MOST_SAMPLES:
        raise TooLong(
            f"lasts {seconds:.0f} s in {channels} channels at {rate} Hz; {longest:g} s at most are taken whole",
            where=where, hint="cut it into utterances, or slide a window over it: serbench predict --timeline",
        )  # fmt: skip


def _wav_is_cut(source: str | os.PathLike | bytes) -> bool:
    # libsndfile silently reads what is left of a cut WAV, so the chunk sizes are compared with the file's.
    with io.BytesIO(source) if isinstance(source, bytes) else Path(source).open("rb") as stream:
        size = stream.seek(0, os.SEEK_END)
        stream.seek(0)
        if stream.read(4) != b"RIFF":
            return False
        position = 12
        while position + 8 <= size:
            stream.seek(position)
            name, length = struct.unpack("<4sI", stream.read(8))
            if name == b"data":
                return length not in _UNKNOWN_SIZES and position + 8 + length > size
            position += 8 + length + length % 2
    return False
