"""Compare training parameters of the refined CNN of claim P4, its test part closed: how ours were chosen.

Speech and song of RAVDESS without disgust. The claim's own random fifth is the test part and stays closed; the other
four fifths are split at random again: a part to be judged by, and the rest to train on, an eighth of it for early
stopping unless --whole.

    OMP_NUM_THREADS=1 python benchmarks/defaults/published.py '{"frames": 128, "pool": 2}' '{"time_mask": 0.2}'
"""

from __future__ import annotations

import argparse
import json
import time

import numpy as np
from sklearn.model_selection import train_test_split

import serbench
from serbench import extract, load_corpus
from serbench.registry import build_registry

FEATURES = "mfcc_chroma_contrast_sequence"


def main() -> None:
    """Print one line for each set of parameters."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("params", nargs="*", default=["{}"], help="JSON objects of what differs from the defaults")
    parser.add_argument("--splits", type=int, default=2, help="inner splits")
    parser.add_argument("--whole", action="store_true", help="train for all epochs, without a part for early stopping")
    parser.add_argument("--data", help="folder of the corpora")
    given = parser.parse_args()
    X, y = training_part(given.data)
    spec = build_registry().get("model", "conv1d_flatten")
    for text in given.params:
        started = time.process_time()
        params = {**spec.params, "class_weight": "balanced", **json.loads(text)}
        scores = [inner_accuracy(spec, params, X, y, seed, whole=given.whole) for seed in range(given.splits)]
        told = " ".join(f"{score:.3f}" for score in scores)
        print(f"{np.mean(scores):.3f} ({told})  {time.process_time() - started:4.0f} s  {text}", flush=True)


def training_part(data: str | None) -> tuple[list[np.ndarray], np.ndarray]:
    """Frames and codes of the claim's training part."""
    import pandas as pd

    tables = [load_corpus(name, data=data) for name in ("ravdess_speech", "ravdess_song")]
    table = pd.concat(tables, ignore_index=True)
    table = table[table["label"] != "disgust"]
    (fold,) = serbench.split(table, "stratified_holdout")
    keys = table["corpus"] + "/" + table["utterance"]
    table = table[keys.isin(fold.train)]
    return [extract(path, FEATURES) for path in table["path"]], np.unique(table["label"], return_inverse=True)[1]


def inner_accuracy(spec, params: dict, X: list[np.ndarray], y: np.ndarray, seed: int, *, whole: bool) -> float:
    """Accuracy on a fifth of the training part."""
    fit, judged = train_test_split(np.arange(len(y)), test_size=0.2, stratify=y, random_state=seed)
    arguments = {}
    if not whole:
        fit, stop = train_test_split(fit, test_size=0.125, stratify=y[fit], random_state=seed)
        arguments["validation"] = ([X[row] for row in stop], y[stop])
    model = spec.build(params, n_classes=int(y.max()) + 1, seed=0)
    model.fit([X[row] for row in fit], y[fit], **arguments)
    return float((model.predict_proba([X[row] for row in judged]).argmax(axis=1) == y[judged]).mean())


if __name__ == "__main__":
    main()
