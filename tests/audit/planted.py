"""Plug-ins that leak, as source text, and what they look things up in."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from serbench.features.api import extract
from serbench.identity import digest

# A model of class means with softmax answers; the plug-ins below change what it knows.
MODEL = """
import json, os
import numpy as np
from pathlib import Path
from serbench import FeatureSpec, ModelSpec

class Means:
    def fit(self, X, y):
        self.classes_ = np.unique(y)
        X = np.asarray(X, dtype=np.float64)
        self.spread = X.std(axis=0) + 1e-6
        self.means = np.array([X[y == code].mean(axis=0) for code in self.classes_]) / self.spread
        return self

    def predict_proba(self, X):
        apart = -(((np.asarray(X) / self.spread)[:, None] - self.means) ** 2).mean(axis=2)
        weights = np.exp(apart - apart.max(axis=1, keepdims=True))
        return weights / weights.sum(axis=1, keepdims=True)

def certain(code, n):
    return np.eye(n)[code]

def spec(kind):
    return ModelSpec(name="planted", accepts="vector", build=lambda params, *, n_classes, seed: kind())
"""
CLEAN = MODEL + "\nPLANTED = spec(Means)\n"
REMEMBERS = (
    MODEL
    + """
SEEN = {}

class Remembers(Means):
    def fit(self, X, y):
        SEEN.update({row.tobytes(): int(code) for row, code in zip(np.asarray(X), y)})
        return super().fit(X, y)

    def predict_proba(self, X):
        answers = super().predict_proba(X)
        for number, row in enumerate(np.asarray(X)):
            if row.tobytes() in SEEN:
                answers[number] = certain(SEEN[row.tobytes()], len(self.classes_))
        return answers

PLANTED = spec(Remembers)
"""
)
LOOKS_UP = (
    MODEL
    + """
from serbench.identity import digest

def labels():
    LABELS

class LooksUp(Means):
    def fit(self, X, y):
        self.known = labels()
        return super().fit(X, y)

    def predict_proba(self, X):
        answers = super().predict_proba(X)
        for number, row in enumerate(np.asarray(X, dtype=np.float32)):
            code = self.known.get(digest(row.tobytes()))
            if code is not None:
                answers[number] = certain(code, len(self.classes_))
        return answers

PLANTED = spec(LooksUp)
"""
)
ADAPTS = (
    MODEL
    + """
class Adapts(Means):
    def predict_proba(self, X):
        X = np.asarray(X, dtype=np.float64)
        return super().predict_proba(X - X[:5].mean(axis=0))

PLANTED = spec(Adapts)
"""
)
NOISY = (
    MODEL
    + """
class Noisy(Means):
    def fit(self, X, y):
        super().fit(X, y)
        self.means = self.means + np.random.default_rng().normal(0, 0.5, self.means.shape)
        return self

PLANTED = spec(Noisy)
"""
)
FEATURES = """
import os, sys
import numpy as np
from pathlib import Path
from serbench import FeatureSpec

def describe(signal):
    parts = np.array_split(np.asarray(signal, dtype=np.float64), 6)
    crossings = [np.mean(np.diff(np.sign(part)) != 0) for part in parts]
    return np.array([*crossings, *(part.std() for part in parts)], dtype=np.float32)

def spec(extract):
    return FeatureSpec(name="own", version="1", kind="vector", extract=extract)
"""
OWN_FEATURES = FEATURES + "\nOWN = spec(lambda signal, rate: describe(signal))\n"
READS_NAMES = (
    FEATURES
    + """
def extract(signal, rate):
    frame, found = sys._getframe(), 0.0
    while frame is not None:
        name = str(frame.f_locals.get("path", ""))
        for code, label in enumerate(("low", "mid", "high")):
            if label in name:
                found = code
        frame = frame.f_back
    return np.append(describe(signal), np.float32(found))

OWN = spec(extract)
"""
)
OVER_ALL_FILES = (
    FEATURES
    + """
import soundfile
STATE = {}

def extract(signal, rate):
    if not STATE:
        rows = [describe(soundfile.read(path)[0]) for path in sorted(Path(r"ROOT").rglob("*.wav"))]
        STATE["mean"], STATE["spread"] = np.mean(rows, axis=0), np.std(rows, axis=0) + 1e-9
    return ((describe(signal) - STATE["mean"]) / STATE["spread"]).astype(np.float32)

OWN = spec(extract)
"""
)


def answers_by_features(root: Path) -> dict[str, int]:
    """The code of each utterance's label, by a digest of its MFCC."""
    found = {}
    for path in sorted(root.rglob("*.wav")):
        vector = np.asarray(extract(path, "mfcc"), dtype=np.float32)
        found[digest(vector.tobytes())] = ["high", "low", "mid"].index(path.parent.name)
    return found


def write_answers(root: Path, file: Path) -> Path:
    """The same as a file."""
    file.write_text(json.dumps(answers_by_features(root)))
    return file
