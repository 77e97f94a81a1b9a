"""Audio files: decoding to mono at one rate, and saying plainly what is wrong with a file."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import numpy as np

from serbench.errors import AudioError

SUFFIXES = frozenset({".wav", ".flac", ".mp3", ".ogg"})
RATE = 16_000
MOST_BYTES = 2 * 2**30

POINTER = "a Git LFS pointer, not audio"
_POINTER_START = b"version https://git-lfs"
_POINTER_HINT = "fetch the audio itself: run `git lfs pull` where the corpus was cloned"
_DAMAGED_HINT = "fetch the file again or leave it out"
_UNKNOWN_LENGTH = 2**62  # libsndfile announces at least this for FLAC written to a pipe, and cannot read it
# Sizes that a writer puts into a WAV header when it cannot know the length (streams).
_UNKNOWN_SIZES = (0, 0x7FFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF - 36)


def read_native(path: str | os.PathLike) -> tuple[np.ndarray, int]:
    """Read a file as it is stored.

    Parameters
    ----------
    path : path
        WAV, FLAC, MP3 or OGG; any sample format, rate and number of channels.

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
    import soundfile

    path = Path(path)
    _refuse_empty_or_pointer(path)
    try:
        with soundfile.SoundFile(path) as stream:
            announced, rate, container = stream.frames, stream.samplerate, stream.format
            if announced >= _UNKNOWN_LENGTH:
                raise AudioError(
                    "a FLAC stream of unknown length", where=str(path), hint="write the file anew with flac"
                )
            _refuse_huge(announced, stream.channels, path)
            samples = stream.read(dtype="float32", always_2d=True)
    except (soundfile.SoundFileError, RuntimeError) as error:
        raise AudioError(f"cannot be decoded: {error}", where=str(path), hint=_DAMAGED_HINT) from error
    if len(samples) < announced or (container in ("WAV", "WAVEX") and _wav_is_cut(path)):
        raise AudioError("cut short: the file ends before its announced length", where=str(path), hint=_DAMAGED_HINT)
    if not len(samples):
        raise AudioError("holds no samples", where=str(path), hint=_DAMAGED_HINT)
    if not np.isfinite(samples).all():
        raise AudioError("holds samples that are not finite numbers", where=str(path), hint=_DAMAGED_HINT)
    return samples, rate


def decode(path: str | os.PathLike, rate: int = RATE) -> np.ndarray:
    """Decode a file to mono at `rate` Hz.

    Channels are averaged; the rate is converted by soxr at high quality.

    Returns
    -------
    ndarray of shape (n,), float32

    Raises
    ------
    AudioError
        As `read_native`; also for a file too short to hold one sample at `rate`.
    """
    samples, native = read_native(path)
    return to_rate(to_mono(samples), native, rate, where=str(path))


def _refuse_huge(frames: int, channels: int, path: Path | None) -> None:
    # A header is believed before the samples are there: memory is taken for what it announces.
    if (size := frames * channels * np.dtype(np.float32).itemsize) > MOST_BYTES:
        raise AudioError(
            f"announces {size / 2**30:.1f} GiB of samples, more than an utterance has",
            where=str(path) if path else None,
            hint="cut it into utterances, or leave it out",
        )


def to_mono(samples: np.ndarray) -> np.ndarray:
    """Average the channels of (n, channels) samples."""
    return samples[:, 0] if samples.shape[1] == 1 else samples.mean(axis=1, dtype=np.float32)


def to_rate(signal: np.ndarray, native: int, rate: int, *, where: str | None = None) -> np.ndarray:
    """Convert a mono signal from `native` to `rate` Hz, float32, contiguous."""
    if native != rate:
        import soxr

        _refuse_huge(-(-len(signal) * rate // native), 1, Path(where) if where else None)

        signal = soxr.resample(signal, native, rate, quality="HQ")
    if not len(signal):
        raise AudioError(f"too short to hold one sample at {rate} Hz", where=where, hint="leave it out")
    return np.ascontiguousarray(signal, dtype=np.float32)


def _refuse_empty_or_pointer(path: Path) -> None:
    if path.exists() and not path.is_file():
        # Opening a pipe would wait for a writer for ever.
        raise AudioError("no regular file (a folder, pipe or device)", where=str(path), hint="remove it")
    try:
        with path.open("rb") as stream:
            start = stream.read(len(_POINTER_START))
    except OSError as error:
        raise AudioError(f"cannot be read: {error.strerror}", where=str(path)) from error
    if not start:
        raise AudioError("an empty file (zero bytes)", where=str(path), hint=_DAMAGED_HINT)
    if start == _POINTER_START:
        raise AudioError(POINTER, where=str(path), hint=_POINTER_HINT)


def _wav_is_cut(path: Path) -> bool:
    # libsndfile silently reads what is left of a cut WAV, so the chunk sizes are compared with the file's.
    size = path.stat().st_size
    with path.open("rb") as stream:
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
