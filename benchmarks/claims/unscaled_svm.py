"""Claim P4's support vector machine: 30 % reported, 80 % here. Leaving the scaling out reproduces what was reported.

The authors name a StandardScaler. On the same 2,452 files and features, with scikit-learn's defaults and a stratified
80/20 split:

    python benchmarks/claims/unscaled_svm.py --data DIR
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from serbench import extract, load_corpus
from serbench.registry import build_registry

SEEDS = range(5)
MODELS = {"unscaled": SVC(), "scaled": make_pipeline(StandardScaler(), SVC())}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="folder with ravdess_speech and ravdess_song")
    data = parser.parse_args().data
    tables = [load_corpus(name, data=data, defects="keep") for name in ("ravdess_speech", "ravdess_song")]
    table = pd.concat(tables, ignore_index=True)
    registry = build_registry()
    X = np.array([extract(path, "mfcc_chroma_contrast", registry=registry) for path in table["path"]])
    y = table["label"].to_numpy()
    spread = X.std(axis=0)
    print(f"{len(y)} files, {X.shape[1]} features, standard deviations {spread.min():.2g} to {spread.max():.3g}")
    for name, model in MODELS.items():
        scores = []
        for seed in SEEDS:
            train, test = train_test_split(np.arange(len(y)), test_size=0.2, stratify=y, random_state=seed)
            scores.append(model.fit(X[train], y[train]).score(X[test], y[test]))
        print(f"{name}: accuracy {100 * np.mean(scores):.1f} % ({100 * min(scores):.1f} to {100 * max(scores):.1f})")


if __name__ == "__main__":
    main()
