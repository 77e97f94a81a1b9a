"""Near duplicates: how many distorted copies are found, how many different recordings are taken for one, and the time.

``SERBENCH_DATA=corpora python benchmarks/audit/duplicates.py`` prints, for each corpus there, the false pairs among
all its files and the milliseconds a file; then the recall of each distortion on COPIES files of each corpus, every copy
being looked for among all the originals and the other copies. Pairs that the corpora's cards name are no false ones.
"""

from __future__ import annotations

import io
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile
import soxr
from threadpoolctl import threadpool_limits

from serbench.corpora.audio import read_native, to_mono
from serbench.corpora.duplicates import SameRecording, same_recordings
from serbench.corpora.files import find_audio
from serbench.registry import build_registry

COPIES = 60
MP3_RATES = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
RANDOM = np.random.default_rng(0)
Change = Callable[[np.ndarray, int], tuple[np.ndarray, int]]


def trimmed(milliseconds: float, start: bool, end: bool) -> Change:
    def change(signal: np.ndarray, rate: int) -> tuple[np.ndarray, int]:
        count = int(milliseconds * rate / 1000)
        return signal[count * start : len(signal) - count * end], rate

    return change


def at_rate(rate: int) -> Change:
    return lambda signal, own: (soxr.resample(signal, own, rate), rate)


def louder(decibels: float) -> Change:
    return lambda signal, rate: (np.clip(signal * 10 ** (decibels / 20), -1, 1), rate)


def as_mp3(signal: np.ndarray, rate: int) -> tuple[np.ndarray, int]:
    if rate not in MP3_RATES:
        signal, rate = at_rate(24_000)(signal, rate)
    coded = io.BytesIO()
    soundfile.write(coded, signal, rate, format="MP3")
    coded.seek(0)
    return soundfile.read(coded, dtype="float32")


def one_bit(signal: np.ndarray, rate: int) -> tuple[np.ndarray, int]:
    changed = signal.copy()
    changed[len(changed) // 2] += 2.0**-15
    return changed, rate


def noisy(signal: np.ndarray, rate: int) -> tuple[np.ndarray, int]:
    level = np.sqrt((signal @ signal) / len(signal)) / 10
    return signal + (level * RANDOM.standard_normal(len(signal))).astype(np.float32), rate


def several(signal: np.ndarray, rate: int) -> tuple[np.ndarray, int]:
    return as_mp3(*louder(-6)(*trimmed(73.3, True, True)(*noisy(signal, rate))))


DISTORTIONS: dict[str, Change] = {
    "MP3": as_mp3,
    "8 kHz": at_rate(8_000),
    "22.05 kHz": at_rate(22_050),
    "+6 dB": louder(6),
    "-6 dB": louder(-6),
    **{f"{count} ms off the start": trimmed(count + 0.37, True, False) for count in (10, 50, 100, 200)},
    **{f"{count} ms off the end": trimmed(count + 0.37, False, True) for count in (10, 50, 100, 200)},
    "one bit changed": one_bit,
    "stereo": lambda signal, rate: (np.stack([signal, 0.8 * signal], axis=1), rate),
    "noise at 20 dB": noisy,
    "noise, trimmed, -6 dB, MP3": several,
}


def main() -> None:
    if not (data := os.environ.get("SERBENCH_DATA")):
        sys.exit("set SERBENCH_DATA to the folder of the corpora")
    root = Path(data)
    corpora = {folder.name: [*map(str, find_audio(folder))] for folder in sorted(root.iterdir()) if folder.is_dir()}
    declared = " ".join(defect for spec in build_registry().all("corpus") for defect in spec.defects)
    chosen = []
    for name, paths in corpora.items():
        start = time.process_time()
        found = same_recordings(paths)
        spent = (time.process_time() - start) / max(1, len(paths)) * 1e3
        named = [[Path(paths[at]).stem for at in group.members] for group in found]
        false = [stems for stems in named if not all(stem in declared for stem in stems)]
        print(f"{name:16s}{len(paths):6d} files{spent:7.2f} ms a file (processor){len(false):4d} false pairs", *false)
        chosen += paths[:: max(1, len(paths) // COPIES)][:COPIES]
    print(f"\n{len(chosen)} originals, a copy of each under every distortion")
    for name, change in DISTORTIONS.items():
        recall, false = looked_for(chosen, change)
        print(f"{name:30s}recall {recall:.3f}{false:6d} false pairs")


def looked_for(originals: list[str], change: Change) -> tuple[float, int]:
    """Share of the copies found beside their originals, and groups that hold several originals."""
    with tempfile.TemporaryDirectory() as folder:
        copies = []
        for number, path in enumerate(originals):
            samples, rate = read_native(path)
            signal, rate = change(to_mono(samples), rate)
            copies.append(str(Path(folder, f"{number}.wav")))
            soundfile.write(copies[-1], signal, rate)
        groups = same_recordings([*originals, *copies])
    hits = sum(is_pair(group, number, number + len(originals)) for group in groups for number in range(len(originals)))
    # One corpus may be here in two versions: an utterance is known by its name.
    stems = [Path(path).stem for path in originals] * 2
    return hits / len(originals), sum(len({stems[at] for at in group.members}) > 1 for group in groups)


def is_pair(group: SameRecording, first: int, second: int) -> bool:
    return first in group.members and second in group.members


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
