"""A shard: one file that holds the features of some audio contents, each with its checksum.

Layout: magic, length and CRC-32 of the header, the header (JSON), zeros up to a multiple of 64 bytes, then the
values of all entries, float32 or float16 (`half`), in little-endian order. A shard appears whole or not at all, and
never changes.
Not safetensors: that has no checksums, by which one damaged entry is found and computed anew, and its
reader copies arrays instead of mapping them.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from serbench.identity import content_id
from serbench.records import atomic_path

SUFFIX = ".shard"
MAGIC = b"SERSHRD1"
PREFIX = struct.Struct("<8sII")
ALIGNMENT = 64
DTYPE, HALF = np.dtype("<f4"), np.dtype("<f2")


@dataclass(frozen=True, eq=False)
class Shard:
    """An open shard.

    Attributes
    ----------
    contents : tuple of str
        Hashes of the audio whose features it holds, in the order of the file.
    offsets : ndarray of int64, shape (n + 1,)
        Entry i owns the rows ``offsets[i]:offsets[i + 1]``.
    checksums : tuple of int
        CRC-32 of each entry's bytes.
    values : memmap of float32 or float16, shape (rows, d), read-only
    sequence : bool
        Whether an entry is a run of frames; else it is one row.
    """

    path: Path
    contents: tuple[str, ...]
    offsets: np.ndarray
    checksums: tuple[int, ...]
    values: np.ndarray
    sequence: bool

    @cached_property
    def positions(self) -> dict[str, int]:
        """Where each content lies."""
        return {content: position for position, content in enumerate(self.contents)}

    def rows(self, content: str) -> np.ndarray:
        """The (rows, d) of one content."""
        position = self.positions[content]
        return self.values[self.offsets[position] : self.offsets[position + 1]]

    def intact(self, content: str) -> bool:
        """Whether an entry is still what was written."""
        return zlib.crc32(self.rows(content)) == self.checksums[self.positions[content]]


def write_shard(folder: Path, contents: Sequence[str], arrays: Sequence[np.ndarray]) -> Path:
    """Write the features of `contents` into a shard of their own and return its path; float16 stays what it is.

    Parameters
    ----------
    folder : Path
        Made where it does not exist.
    contents : sequence of str
        Hashes of the audio.
    arrays : sequence of ndarray
        One (d,) or (frames, d) for each, all of one kind and one d.

    Raises
    ------
    ResultsError
        If the folder cannot be written or the disk is full; nothing is left behind then.
    """
    sequence = arrays[0].ndim == 2
    half = all(array.dtype == HALF for array in arrays)
    dtype = HALF if half else DTYPE
    blocks = [np.ascontiguousarray(array if sequence else array[None, :], dtype=dtype) for array in arrays]
    entries = [[content, len(block), zlib.crc32(block)] for content, block in zip(contents, blocks, strict=True)]
    header = {
        "sequence": sequence,
        "dimensions": blocks[0].shape[1],
        "entries": entries,
        **({"half": True} if half else {}),
    }
    text = json.dumps(header, separators=(",", ":")).encode()
    # Named by its content: two processes that do the same work leave one file.
    path = folder / f"{content_id(header)}{SUFFIX}"
    with atomic_path(path) as temporary, temporary.open("wb") as stream:
        stream.write(PREFIX.pack(MAGIC, len(text), zlib.crc32(text)))
        stream.write(text)
        stream.write(b"\0" * (_data_start(len(text)) - PREFIX.size - len(text)))
        for block in blocks:
            stream.write(block)
    return path


def open_shard(path: Path) -> Shard | None:
    """Open a shard; None if its header is damaged or the file is cut short.

    Raises
    ------
    FileNotFoundError
        If another process has merged it away.
    """
    with path.open("rb") as stream:
        prefix = stream.read(PREFIX.size)
        if len(prefix) < PREFIX.size:
            return None
        magic, length, checksum = PREFIX.unpack(prefix)
        text = stream.read(length)
        if magic != MAGIC or zlib.crc32(text) != checksum:
            return None
        try:
            header = json.loads(text)
            contents, counts, checksums = zip(*header["entries"], strict=True)
            offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
            shape, sequence = (int(offsets[-1]), int(header["dimensions"])), bool(header["sequence"])
            dtype = HALF if header.get("half") else DTYPE
        except (ValueError, TypeError, LookupError, RecursionError):
            # A header of another program, whole as it is.
            return None
        start = _data_start(length)
        if min(shape) < 0 or path.stat().st_size < start + shape[0] * shape[1] * dtype.itemsize:
            return None
        values = np.memmap(stream, dtype=dtype, mode="r", offset=start, shape=shape)
    return Shard(path, contents, offsets, checksums, values, sequence)


def _data_start(header_length: int) -> int:
    end = PREFIX.size + header_length
    return end + -end % ALIGNMENT
