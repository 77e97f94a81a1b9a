"""Near duplicates: one recording that is there twice, as another file with other samples.

The fingerprint of a file is the fine structure of the power spectrum of the whole signal, in steps of about 1 Hz.
A shift in time does not change it, nor does the level; another take of the same sentence by the same speaker has
another one. What looks alike is then cross-correlated: two takes stay below 0.5, copies lie above 0.9.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from serbench.corpora.audio import decode
from serbench.errors import AudioError
from serbench.identity import content_id
from serbench.records.atomic import atomic_path

RATE = 4_000
LENGTH = 1 << 15  # samples that are looked at, 8.2 s
LOW_HZ, HIGH_HZ = 100, 1_500
STEP = 8  # bins of the spectrum in one value, 0.98 Hz
NEIGHBOURS = 11  # values whose mean is taken off, so that neither formants nor harmonics count
ALIKE = 0.4  # on RAVDESS, EMO-DB and CREMA-D different recordings stay below 0.3, distorted copies above 0.6
SAME = 0.9
OVERSAMPLING = 4
FOLDER = "recordings-1"  # the number changes with what counts as the same
_BLOCK = 1_024
_THREADS = 2


@dataclass(frozen=True)
class SameRecording:
    """Files that hold one recording.

    Attributes
    ----------
    members : tuple of int
        Positions of the files, ascending.
    correlation : float
        The lowest peak of the normalised cross-correlation by which a member was found.
    """

    members: tuple[int, ...]
    correlation: float


def same_recordings(paths: Sequence[str]) -> list[SameRecording]:
    """Find recordings that are among the files more than once, exact copies included.

    MP3 and other lossy coding, resampling, a change of level, trimmed ends, another number of channels and
    noise at 20 dB are seen through. Files that cannot be decoded are passed over.

    Parameters
    ----------
    paths : sequence of str

    Returns
    -------
    list of SameRecording
        In the order of their first members; a file is in one of them at most.
    """
    with ThreadPoolExecutor(_THREADS) as pool:
        made = list(pool.map(_fingerprint_of_file, paths))
    known = np.array([at for at, values in enumerate(made) if values is not None], dtype=np.int64)
    if len(known) < 2:
        return []
    groups = _Groups(len(paths))
    for a, b in _alike(np.stack([made[at] for at in known])):
        first, second = int(known[a]), int(known[b])
        if groups.of(first) != groups.of(second):
            found = correlation(_low_rate(paths[first]), _low_rate(paths[second]))
            if found >= SAME:
                groups.join(first, second, found)
    return groups.found()


def with_recordings(table: pd.DataFrame, cache: Path) -> pd.DataFrame:
    """Name the recording of each utterance that shares it with other audio of the table.

    Parameters
    ----------
    table : DataFrame
        Columns `path` and `content` ("" where there is no audio), as in a task table.
    cache : Path
        What was found among some contents is kept there.

    Returns
    -------
    DataFrame
        With the column `recording`: the same for the same recording, "" where it is there once.
    """
    # A copy made for training has the path of its original, which stands before it.
    heard = table[(table["content"] != "") & ~table["path"].duplicated()]
    first = heard.drop_duplicates("content").sort_values("content")
    if len(first) < 2:
        return table.assign(recording="")
    known = cache / FOLDER / f"{content_id(first['content'].tolist())}.json"
    try:
        groups = json.loads(known.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        contents = first["content"].to_numpy()
        groups = [contents[list(same.members)].tolist() for same in same_recordings(first["path"].tolist())]
        with atomic_path(known) as path:
            path.write_text(json.dumps(groups), encoding="utf-8")
    names = {content: group[0] for group in groups for content in group}
    return table.assign(
        recording=heard["content"].map(lambda content: names.get(content, "")).reindex(table.index, fill_value="")
    )


def fingerprint(signal: np.ndarray) -> np.ndarray:
    """Fine structure of a signal's power spectrum.

    Parameters
    ----------
    signal : ndarray of shape (samples,), float32
        Mono at `RATE` Hz.

    Returns
    -------
    ndarray of shape (d,), float32
        Of length one, so that a scalar product of two is their correlation.
    """
    from scipy.fft import rfft
    from scipy.ndimage import uniform_filter1d

    spectrum = rfft(signal[:LENGTH], LENGTH)
    start, stop = LOW_HZ * LENGTH // RATE, HIGH_HZ * LENGTH // RATE
    stop -= (stop - start) % STEP
    bins = spectrum[start:stop]
    power = (bins.real**2 + bins.imag**2).reshape(-1, STEP).sum(axis=1)
    level = np.log(power + 1e-9 * power.max() + 1e-20)
    fine = level - uniform_filter1d(level, NEIGHBOURS, mode="nearest")
    fine -= fine.mean()
    return (fine / max(np.linalg.norm(fine), 1e-12)).astype(np.float32)


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Peak of the normalised cross-correlation of two signals, whatever their sign, over what they have in common.

    Parameters
    ----------
    a, b : ndarray of shape (samples,)
        Mono at one rate. The lag is found to a fraction of a sample.

    Returns
    -------
    float
        0 to 1; 0 where they overlap by less than half of the shorter one.
    """
    from scipy.fft import irfft, next_fast_len, rfft

    size = next_fast_len(len(a) + len(b), real=True)
    size += size % 2
    product = irfft(rfft(a, size) * np.conj(rfft(b, size)), size * OVERSAMPLING) * OVERSAMPLING
    at = int(np.abs(product).argmax())
    lag = round((at if at < len(product) // 2 else at - len(product)) / OVERSAMPLING)
    ours, theirs = a[max(lag, 0) : lag + len(b)], b[max(-lag, 0) : len(a) - lag]
    if min(len(ours), len(theirs)) < min(len(a), len(b)) / 2:
        return 0.0
    energy = float(np.sqrt((ours @ ours) * (theirs @ theirs)))
    return min(1.0, float(np.abs(product[at])) / energy) if energy else 0.0


class _Groups:
    """Files joined pair by pair."""

    def __init__(self, count: int):
        self._parent = list(range(count))
        self._lowest: dict[int, float] = {}

    def of(self, file: int) -> int:
        while self._parent[file] != file:
            file = self._parent[file]
        return file

    def join(self, first: int, second: int, found: float) -> None:
        keep, drop = sorted((self.of(first), self.of(second)))
        self._parent[drop] = keep
        self._lowest[keep] = min(found, self._lowest.get(keep, 1.0), self._lowest.pop(drop, 1.0))

    def found(self) -> list[SameRecording]:
        members: dict[int, list[int]] = {}
        for file in range(len(self._parent)):
            members.setdefault(self.of(file), []).append(file)
        return [
            SameRecording(tuple(group), self._lowest[root]) for root, group in members.items() if root in self._lowest
        ]


def _alike(prints: np.ndarray) -> Iterable[tuple[int, int]]:
    for start in range(0, len(prints), _BLOCK):
        products = prints[start : start + _BLOCK] @ prints[start:].T
        rows, columns = np.nonzero(np.triu(products, 1) >= ALIKE)
        yield from zip((rows + start).tolist(), (columns + start).tolist(), strict=True)


def _fingerprint_of_file(path: str) -> np.ndarray | None:
    try:
        return fingerprint(_low_rate(path))
    except AudioError:
        return None


def _low_rate(path: str) -> np.ndarray:
    # A plain filter suffices up to 1.5 kHz, and takes a third of the time.
    return decode(path, RATE, quality="LQ")
