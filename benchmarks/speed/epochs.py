"""Seconds of an epoch of each network, on frames that are made up.

    python benchmarks/speed/epochs.py [--models cnn lstm] [--times 3] [--against FOLDER]

1,024 utterances of 3 to 5 s, 40 values a frame (64 mel bands for the network that looks at images), one thread. With
`--against`, the folder of another checkout (`git worktree add FOLDER REVISION`), each network is trained by both in
turn and the ratio told, with the loss of the first epoch: it is the same where the arithmetic is. Processor seconds,
the median of the epochs after the first, which compiles.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import numpy as np

MODELS = ("cnn", "cnn2d", "cnn_lstm", "lstm", "rnn", "transformer", "tcn", "tim_net", "light_sernet", "conv1d_flatten")
EPOCHS = 5
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"), "1")


def train(name: str) -> None:
    """Print, as JSON, seconds of the median epoch and the loss of the first."""
    from serbench.registry import build_registry

    random = np.random.default_rng(0)
    width = 64 if name == "cnn2d" else 40
    y = random.integers(0, 8, 1024)
    X = [random.standard_normal((n, width)).astype(np.float32) for n in random.integers(190, 300, len(y))]
    for frames, label in zip(X, y, strict=True):
        frames[:, label] += 0.3
    spec = build_registry().get("model", name)
    stamps = []
    model = spec.build({**spec.params, "epochs": EPOCHS}, n_classes=8, seed=0)
    model.watch = lambda epoch, history: stamps.append(time.process_time())
    model.fit(X, y)
    print(json.dumps({"seconds": median(np.diff(stamps)), "loss": model.history["loss"][0]}))


def epoch(name: str, checkout: Path) -> dict[str, float]:
    """Train in a process of its own, by the program of that checkout."""
    environment = {**os.environ, **ONE_THREAD, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": str(checkout)}
    command = [sys.executable, __file__, "--train", name]
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Print a line for each network."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", default=MODELS, choices=MODELS, metavar="MODEL", help="networks [all]")
    parser.add_argument("--times", type=int, default=3, help="trainings of each; their medians are told [3]")
    parser.add_argument("--against", type=Path, help="folder of another checkout")
    parser.add_argument("--train", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.train:
        train(given.train)
        return
    here = Path(__file__).resolve().parents[2]
    for name in given.models:
        checkouts = [here, *([given.against.resolve()] if given.against else [])]
        found = [[epoch(name, checkout) for checkout in checkouts] for _ in range(given.times)]
        ours, *other = (median(run["seconds"] for run in runs) for runs in zip(*found, strict=True))
        told = f"{name:12s}{ours:6.2f} s an epoch, loss of the first {found[0][0]['loss']:.6f}"
        if other:
            told += f"; there {other[0]:.2f} s ({other[0] / ours:.2f}x), loss {found[0][1]['loss']:.6f}"
        print(told, flush=True)


if __name__ == "__main__":
    main()
