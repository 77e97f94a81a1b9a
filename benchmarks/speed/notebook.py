"""The usual notebook's job as people write it, and the same job by serbench, in one run.

    SERBENCH_DATA=~/corpora python benchmarks/speed/notebook.py [--fractions 0.25 0.5 1] [--jobs 1 2] [--json FILE]

Both describe RAVDESS speech by six kinds of features, train SVM, nearest neighbours, random forest, XGBoost and a
convolutional network of 30 epochs, over a random 80/20 split and over the six official folds, and score every fold.
The notebook calls librosa, scikit-learn, XGBoost and Keras plainly, and decodes a file for each kind of input, as
notebooks do; its network is the one that the authors of claim P4 describe in full
(`benchmarks/published/p4_refined.yaml`), serbench's the default `cnn`. serbench runs a suite into empty folders. Both
print the UAR they reach. Each in a process of its own, with one thread a job: processor seconds with all child
processes, imports included, and the seconds of the clock, which want a quiet machine.
`--fractions` take shares of each actor's files, `--jobs` numbers of serbench's cells side by side.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

EPOCHS = 30
SEED = 0
SUITE = f"""
title: The usual notebook's job
description: The same features, models and splits.
corpora: [ravdess_speech]
grid:
  - features: [handcrafted]
    models: [svm, knn, random_forest, xgboost]
    protocols: [stratified_holdout, official]
  - features: [mfcc_sequence]
    models: [{{name: cnn, params: {{epochs: {EPOCHS}, patience: {EPOCHS}}}}}]
    protocols: [stratified_holdout, official]
"""


def notebook(data: Path, jobs: int) -> None:
    """What a notebook does: six librosa calls a file, four classifiers and a network, over seven folds, one by one."""
    import keras
    import librosa
    import numpy as np
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.metrics import balanced_accuracy_score
    from sklearn.model_selection import train_test_split
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC
    from xgboost import XGBClassifier

    def describe(path):
        signal, rate = librosa.load(path, sr=16_000)
        parts = [
            librosa.feature.mfcc(y=signal, sr=rate, n_mfcc=40),
            librosa.feature.chroma_stft(y=signal, sr=rate),
            librosa.feature.spectral_contrast(y=signal, sr=rate),
            librosa.feature.melspectrogram(y=signal, sr=rate),
            librosa.feature.zero_crossing_rate(signal),
            librosa.feature.rms(y=signal),
        ]
        return np.concatenate([np.concatenate([part.mean(axis=1), part.std(axis=1)]) for part in parts])

    def frames(path):
        signal, rate = librosa.load(path, sr=16_000)
        return librosa.util.fix_length(librosa.feature.mfcc(y=signal, sr=rate, n_mfcc=40).T, size=128, axis=0)

    def network():
        layers = keras.layers
        net = keras.Sequential([keras.Input((128, 40))])
        for width in (128, 256, 512):
            net.add(layers.Conv1D(width, 5, padding="same", activation="relu"))
            net.add(layers.BatchNormalization())
            net.add(layers.MaxPooling1D(2))
            net.add(layers.Dropout(0.3))
        net.add(layers.Flatten())
        for width in (256, 128):
            net.add(layers.Dense(width, activation="relu"))
            net.add(layers.Dropout(0.4))
        net.add(layers.Dense(8, activation="softmax"))
        net.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        return net

    paths = sorted(path for path in data.rglob("*") if path.suffix in (".wav", ".flac"))
    names = [path.stem.split("-") for path in paths]
    y = np.array([int(name[2]) - 1 for name in names])
    actor = np.array([int(name[6]) for name in names])
    X, sequences = np.array([describe(path) for path in paths]), np.array([frames(path) for path in paths])
    tested = [(1, 11, 20, 21), (4, 10, 12, 14), (8, 9, 19, 23), (3, 5, 7, 24), (2, 15, 16, 18), (6, 13, 17, 22)]
    folds = [train_test_split(np.arange(len(y)), test_size=0.2, stratify=y, random_state=SEED)]
    folds += [(np.flatnonzero(~np.isin(actor, who)), np.flatnonzero(np.isin(actor, who))) for who in tested]
    scores = {}
    for train, test in folds:
        scaler = StandardScaler().fit(X[train])
        for model in (
            SVC(probability=True, random_state=SEED),
            KNeighborsClassifier(),
            RandomForestClassifier(n_estimators=300, random_state=SEED, n_jobs=1),
            XGBClassifier(random_state=SEED, n_jobs=1),
        ):
            model.fit(scaler.transform(X[train]), y[train])
            answers = model.predict(scaler.transform(X[test]))
            scores.setdefault(type(model).__name__, []).append(balanced_accuracy_score(y[test], answers))
        keras.backend.clear_session()
        mean, std = sequences[train].mean(axis=(0, 1)), sequences[train].std(axis=(0, 1))
        net = network()
        net.fit((sequences[train] - mean) / std, y[train], epochs=EPOCHS, batch_size=32, verbose=0)
        answers = net.predict((sequences[test] - mean) / std, verbose=0).argmax(axis=1)
        scores.setdefault("network", []).append(balanced_accuracy_score(y[test], answers))
    for name, (random, *unseen) in scores.items():
        print(f"notebook {name}: UAR {random:.3f} random, {np.mean(unseen):.3f} unseen speakers")


def ours(data: Path, jobs: int) -> None:
    """The same by a suite."""
    import serbench

    with tempfile.TemporaryDirectory() as scratch:
        suite = Path(scratch) / "notebook.yaml"
        suite.write_text(SUITE, encoding="utf-8")
        places = {"cache": Path(scratch) / "cache", "results": Path(scratch) / "results"}
        board = serbench.run(suite, data=data, jobs=jobs, threads=1, **places)
    for row in board.itertuples():
        print(f"serbench {row.model}: UAR {row.uar:.3f} {row.protocol}")
    print(f"{board.attrs['ran']} cells, {board.attrs['failed']} failed")


def linked(source: Path, target: Path, fraction: float) -> int:
    """Link that share of each actor's files below `target`; return how many."""
    actors: dict[str, list[Path]] = {}
    for path in sorted(source.rglob("*")):
        if path.suffix in (".wav", ".flac"):
            actors.setdefault(path.stem.split("-")[6], []).append(path)
    step, count = round(1 / fraction), 0
    for actor, paths in actors.items():
        folder = target / "ravdess_speech" / f"Actor_{actor}"
        folder.mkdir(parents=True)
        # The stride walks over emotions, sentences and takes; shifted by actor, so that every emotion is in a fold.
        for path in paths[int(actor) % step :: step]:
            (folder / path.name).symlink_to(path.resolve())
            count += 1
    return count


def cost(job: str, data: Path, jobs: int) -> dict[str, float]:
    """Seconds of a job in a process of its own: of processors, with its children, and of the clock."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    one = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS"), "1")
    quiet = {"TF_NUM_INTEROP_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": "tensorflow"}
    command = [sys.executable, __file__, "--job", job, "--jobs", str(jobs), "--data", data]
    subprocess.run(command, env={**os.environ, **one, **quiet}, check=True)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return {"processor": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, "clock": wall}


JOBS = {"notebook": notebook, "serbench": ours}


def main() -> None:
    """Run both at each size and print their ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=os.environ.get("SERBENCH_DATA"), help="folder of the corpora")
    parser.add_argument("--fractions", type=float, nargs="+", default=[1.0], help="shares of the files [1]")
    parser.add_argument("--jobs", type=int, nargs="+", default=[1], help="serbench's cells side by side [1]")
    parser.add_argument("--json", type=Path, help="write the seconds there")
    parser.add_argument("--job", choices=JOBS, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.data is None:
        parser.error("give --data, or set SERBENCH_DATA")
    if given.job:
        JOBS[given.job](given.data, given.jobs[0])
        return
    found = []
    for fraction in given.fractions:
        with tempfile.TemporaryDirectory() as scratch:
            size = {"utterances": linked(Path(given.data) / "ravdess_speech", Path(scratch), fraction)}
            size["notebook"] = cost("notebook", Path(scratch), 1)
            size["serbench"] = {str(jobs): cost("serbench", Path(scratch), jobs) for jobs in given.jobs}
        found.append(size)
        print(f"{size['utterances']} files: notebook {told(size['notebook'])}")
        for jobs, seconds in size["serbench"].items():
            ratio = size["notebook"]["processor"] / seconds["processor"]
            print(f"  serbench, {jobs} at a time: {told(seconds)}; {ratio:.1f}x fewer of the processor", flush=True)
        if given.json:
            given.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def told(seconds: dict[str, float]) -> str:
    """Seconds in words."""
    return f"{seconds['processor']:.0f} s of the processor, {seconds['clock']:.0f} s of the clock"


if __name__ == "__main__":
    main()
