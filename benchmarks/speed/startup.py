"""How long `serbench run` of two cells takes before the first of them is fitted, beside the bare imports it needs.

    python benchmarks/speed/startup.py [--times 5]

A plug-in model notes when it is fitted first. The suite's features are extracted before, and each run gets an empty
results folder, so that what is left is the start of the program, looking at the corpus, the plan, and the workers.
`python -c "import pandas, sklearn.svm"` in the same run is what any program pays that reads a table and fits a model.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

PLUGIN = """
import time
from pathlib import Path

from sklearn.dummy import DummyClassifier

from serbench.specs import ModelSpec


class Noting(DummyClassifier):
    def fit(self, X, y):
        Path({note!r}, str(time.time())).touch()
        return super().fit(X, y)


NOTING = ModelSpec("noting", "vector", lambda params, *, n_classes, seed: Noting(), description="notes its fit")
"""
IMPORTS = "import pandas, sklearn.svm"


def main() -> None:
    """Print the seconds of each way to run two cells."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=5, help="runs of each way; their medians are told [5]")
    times = parser.parse_args().times
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        before_first_fit(root, "in_process")
        ways = {
            "bare imports": imports,
            "before the first cell, two workers": lambda: before_first_fit(root, "local"),
            "before the first cell, in one process": lambda: before_first_fit(root, "in_process"),
        }
        found = {name: [] for name in ways}
        for _ in range(times):
            for name, way in ways.items():
                found[name].append(way())
    floor = median(found["bare imports"])
    for name, seconds in found.items():
        print(f"{name:40s}{median(seconds):6.2f} s{median(seconds) / floor:6.1f}x")


def imports() -> float:
    """Seconds that a fresh interpreter takes to import what every run needs."""
    start = time.time()
    subprocess.run([sys.executable, "-c", IMPORTS], check=True)
    return time.time() - start


def before_first_fit(root: Path, executor: str) -> float:
    """Seconds from the start of `serbench run demo` to the first call of `fit`."""
    note, plugin = root / str(time.time_ns()), root / "noting.py"
    note.mkdir()
    plugin.write_text(PLUGIN.format(note=str(note)), encoding="utf-8")
    which = ["--model", "noting", "--features", "mfcc", "--protocol", "official", "--fold", "1", "--fold", "2"]
    where = ["--cache", root / "cache", "--results", note / "results", "--executor", executor, "--jobs", "2"]
    command = [sys.executable, "-m", "serbench", "run", "demo", *which, "--plugin", plugin, *where, "--no-tracking"]
    start = time.time()
    subprocess.run(list(map(str, command)), check=True, capture_output=True, env={**os.environ, "NO_COLOR": "1"})
    return min(float(path.name) for path in note.iterdir() if path.name != "results") - start


if __name__ == "__main__":
    main()
