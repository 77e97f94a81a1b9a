"""What is known of each audio file (content hash, length, level), kept in an index so that opening again is fast."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import numpy as np

from serbench.corpora.audio import read_native, to_mono
from serbench.errors import AudioError, ResultsError

INDEX = "audio-1.sqlite"  # the number changes with the meaning of a column
FULL_SCALE = 0.999
SILENCE = 1e-4  # -80 dB below full scale
CLIPPED = 1e-4  # share of samples at full scale
_THREADS = 2
_BATCH = 500


@dataclass(frozen=True)
class Scan:
    """What one file holds.

    Attributes
    ----------
    content : str
        Hash of the decoded samples at their own rate, so that the same audio in another container
        without loss (WAV, FLAC) has the same hash; empty where `problem` is not.
    seconds : float
    rate : int
        Hz.
    channels : int
    peak : float
        Largest absolute value of the mono signal without its mean; full scale is 1.
    clipped : float
        Share of samples at full scale.
    problem : str
        Why the file cannot be used, empty where it can.
    """

    content: str = ""
    seconds: float = 0.0
    rate: int = 0
    channels: int = 0
    peak: float = 0.0
    clipped: float = 0.0
    problem: str = ""

    @property
    def silent(self) -> bool:
        """Whether nothing rises above -80 dB of full scale."""
        return not self.problem and self.peak < SILENCE


def scan_file(path: str) -> Scan:
    """Decode a file and describe it; what is wrong with it is told, not raised."""
    try:
        samples, rate = read_native(path)
    except AudioError as error:
        return Scan(problem=error.what)
    header = np.array([rate, samples.shape[1]], dtype="<i8").tobytes()
    content = hashlib.blake2b(header, digest_size=16)
    content.update(np.ascontiguousarray(samples, dtype="<f4"))
    mono = to_mono(samples)
    return Scan(
        content=content.hexdigest(),
        seconds=len(samples) / rate,
        rate=rate,
        channels=samples.shape[1],
        peak=float(np.abs(mono - mono.mean()).max()),
        clipped=float((np.abs(samples) >= FULL_SCALE).mean()),
    )


def scan_files(paths: Sequence[str], cache: Path) -> list[Scan]:
    """Describe many files, decoding only those that are new or have changed.

    Parameters
    ----------
    paths : sequence of str
        Absolute.
    cache : Path
        Folder of the index. A file counts as unchanged while its size and modification time are.

    Raises
    ------
    ResultsError
        If the index cannot be written.
    """
    index = cache / INDEX
    try:
        try:
            return _through_index(index, paths)
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError:
            # Damaged, but only a cache: it is made again.
            index.unlink(missing_ok=True)
            return _through_index(index, paths)
    except (sqlite3.Error, OSError) as error:
        hint = "free space or choose another --cache"
        raise ResultsError(f"cannot write the index of audio files: {error}", where=str(index), hint=hint) from error


_COLUMNS = ("path", "size", "modified", *(item.name for item in fields(Scan)))


def _through_index(index: Path, paths: Sequence[str]) -> list[Scan]:
    index.parent.mkdir(parents=True, exist_ok=True)
    stamps = [_stamp(path) for path in paths]
    with closing(sqlite3.connect(index, timeout=60)) as connection:
        connection.execute(
            f"CREATE TABLE IF NOT EXISTS files ({', '.join(_COLUMNS)}, PRIMARY KEY (path)) WITHOUT ROWID"
        )
        if tuple(row[1] for row in connection.execute("PRAGMA table_info(files)")) != _COLUMNS:
            raise sqlite3.DatabaseError("a table of another shape")
        scans = _known(connection, paths, stamps)
        for batch in _batches([position for position, scan in enumerate(scans) if scan is None]):
            # Threads suffice: decoding and hashing both release the interpreter's lock.
            with ThreadPoolExecutor(_THREADS) as pool:
                fresh = list(pool.map(scan_file, [paths[position] for position in batch]))
            rows = [(paths[at], *stamps[at], *astuple(scan)) for at, scan in zip(batch, fresh, strict=True)]
            with connection:
                connection.executemany(f"INSERT OR REPLACE INTO files VALUES ({_marks(len(_COLUMNS))})", rows)
            for position, scan in zip(batch, fresh, strict=True):
                scans[position] = scan
    return scans


def _known(
    connection: sqlite3.Connection, paths: Sequence[str], stamps: Sequence[tuple[int, int]]
) -> list[Scan | None]:
    rows = {}
    for start in range(0, len(paths), _BATCH):
        batch = paths[start : start + _BATCH]
        for path, *values in connection.execute(f"SELECT * FROM files WHERE path IN ({_marks(len(batch))})", batch):
            rows[path] = values
    found: list[Scan | None] = []
    for path, stamp in zip(paths, stamps, strict=True):
        values = rows.get(path)
        found.append(Scan(*values[2:]) if values and tuple(values[:2]) == stamp else None)
    return found


def _stamp(path: str) -> tuple[int, int]:
    try:
        status = Path(path).stat()
    except OSError:
        # A broken link: its scan tells the reason, and no stamp ever equals it.
        return (-1, -1)
    return (status.st_size, status.st_mtime_ns)


def _batches(positions: list[int]) -> Iterator[list[int]]:
    # Written batch by batch, so that an interrupted first scan is not lost.
    for start in range(0, len(positions), _BATCH):
        yield positions[start : start + _BATCH]


def _marks(count: int) -> str:
    return ", ".join("?" * count)
