"""Compare parameters of models without touching a test fold: how the default parameters were chosen.

EMO-DB by groups of its speakers, and RAVDESS by groups of the twenty actors that train in official fold 1; its four
test actors are never opened. Inside each training part, three speakers are set aside for early stopping.

    OMP_NUM_THREADS=1 python benchmarks/defaults/compare.py lstm handcrafted_sequence '{"pool": 4}' '{"pool": 2}'
"""

from __future__ import annotations

import argparse
import json
import time

import numpy as np

from serbench import extract, load_corpus
from serbench.registry import build_registry

FOLD_1_TEST_ACTORS = {"ravdess/01", "ravdess/11", "ravdess/20", "ravdess/21"}
# Corpus, test speakers, speakers of the validation part.
PARTS = (
    ("ravdess_speech", "04 10 12 14", "02 03 09"),
    ("ravdess_speech", "08 15 19 22", "05 06 16"),
    ("emodb", "03 08", "10 09"),
    ("emodb", "11 14 16", "12 13"),
)


def main() -> None:
    """Print one line for each set of parameters."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("features")
    parser.add_argument("params", nargs="*", default=["{}"], help="JSON objects of what differs from the defaults")
    parser.add_argument("--data", help="folder of the corpora")
    given = parser.parse_args()
    corpora = {name: open_corpus(name, given.features, given.data) for name, _, _ in PARTS}
    spec = build_registry().get("model", given.model)
    for text in given.params:
        started = time.process_time()
        scores = [part_uar(spec, json.loads(text), corpora[name], *speakers) for name, *speakers in PARTS]
        ravdess, emodb = np.mean(scores[:2]), np.mean(scores[2:])
        seconds = time.process_time() - started
        print(
            f"ravdess {ravdess:.3f}  emodb {emodb:.3f}  {seconds:4.0f} s  {given.model} {given.features} {text}",
            flush=True,
        )


def open_corpus(name: str, features: str, data: str | None) -> tuple[list, np.ndarray, np.ndarray]:
    """Features, codes and speakers of a corpus, without the test actors of RAVDESS' fold 1."""
    table = load_corpus(name, data=data)
    table = table[~table["speaker"].isin(FOLD_1_TEST_ACTORS)]
    codes = np.unique(table["label"], return_inverse=True)[1]
    return [extract(path, features) for path in table["path"]], codes, table["speaker"].str.split("/").str[1].to_numpy()


def part_uar(spec, params: dict, corpus: tuple, test_speakers: str, validation_speakers: str) -> float:
    """UAR on the speakers held out."""
    X, y, speakers = corpus
    test, validation = np.isin(speakers, test_speakers.split()), np.isin(speakers, validation_speakers.split())
    # A model that needs no validation part trains on those speakers too.
    fit = ~test & ~validation if spec.validation else ~test
    rows = {name: np.flatnonzero(mask) for name, mask in (("fit", fit), ("validation", validation), ("test", test))}
    take = {name: ([X[row] for row in where], y[where]) for name, where in rows.items()}
    if spec.accepts == "vector":
        take = {name: (np.stack(values), codes) for name, (values, codes) in take.items()}
    model = spec.build({**spec.params, **params}, n_classes=int(y.max()) + 1, seed=0)
    model.fit(*take["fit"], **({"validation": take["validation"]} if spec.validation else {}))
    guess, truth = model.predict_proba(take["test"][0]).argmax(axis=1), take["test"][1]
    return float(np.mean([(guess[truth == code] == code).mean() for code in np.unique(truth)]))


if __name__ == "__main__":
    main()
