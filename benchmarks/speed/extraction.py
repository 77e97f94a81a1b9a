"""Extraction of a whole corpus into an empty store, with one and with two workers, and reading it back.

``python benchmarks/speed/extraction.py [FOLDER]``: FOLDER holds audio files; without it, RAVDESS speech below
SERBENCH_DATA. Workers start before the clock does, as they do in a run.
"""

import os
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from threadpoolctl import threadpool_limits

from serbench.corpora.audio import SUFFIXES
from serbench.features.extract import extract_into
from serbench.features.handcrafted import HANDCRAFTED
from serbench.features.handcrafted_sequence import HANDCRAFTED_SEQUENCE
from serbench.features.store import FeatureStore
from serbench.identity import digest

SETS = [(HANDCRAFTED, {}), (HANDCRAFTED_SEQUENCE, {})]
CHUNK = 48


def warm_up(path: str) -> None:
    """Import and build everything once, and keep numerical libraries on one thread."""
    threadpool_limits(1)
    with tempfile.TemporaryDirectory() as scratch:
        extract_into(FeatureStore(Path(scratch)), SETS, [("warm-up", path)])
    time.sleep(0.5)


def extract_chunk(folder: str, items: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return extract_into(FeatureStore(Path(folder)), SETS, items)


def measure(items: list[tuple[str, str]], workers: int, folder: Path) -> float:
    """Seconds to extract `items` with `workers` processes."""
    chunks = [items[start : start + CHUNK] for start in range(0, len(items), CHUNK)]
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        list(pool.map(warm_up, [items[0][1]] * workers))
        start = time.perf_counter()
        failures = [
            failure for found in pool.map(extract_chunk, [str(folder)] * len(chunks), chunks) for failure in found
        ]
        seconds = time.perf_counter() - start
    if failures:
        sys.exit(f"{len(failures)} files failed, the first: {failures[0][1]}")
    return seconds


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(os.environ.get("SERBENCH_DATA", ".")) / "ravdess_speech"
    paths = sorted(str(path) for path in folder.rglob("*") if path.suffix in SUFFIXES)
    if not paths:
        sys.exit(f"no audio files below {folder}: give a folder or set SERBENCH_DATA")
    items = [(digest(path.encode()), path) for path in paths]
    contents = [content for content, _ in items]
    print(f"{len(items)} files of {folder.name}, sets {', '.join(spec.name for spec, _ in SETS)}")
    with tempfile.TemporaryDirectory() as scratch:
        seconds = {workers: measure(items, workers, Path(scratch) / str(workers)) for workers in (1, 2)}
        for workers, taken in seconds.items():
            print(f"  {workers} worker{'s' if workers > 1 else ' '}  {taken:6.2f} s  {seconds[1] / taken:.2f}x")
        store = FeatureStore(Path(scratch) / "2")
        for name in ("first read (merges)", "warm read"):
            start = time.perf_counter()
            for spec, params in SETS:
                store.read(spec, params, contents, contents)
            print(f"  {name:20s}{time.perf_counter() - start:6.2f} s for both sets")


if __name__ == "__main__":
    main()
