"""Honest set-ups raise no alarm: rows of every kind, splits, and features that were fitted inside training alone."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from planted import CLEAN, OWN_FEATURES

from serbench.features.api import extract
from serbench.features.matrix import FeatureMatrix
from serbench.protocols.audit import audit_split
from serbench.protocols.splitting import complete
from serbench.registry import build_registry
from serbench.runner.canary.signs import signs_of

ONE_FOLD = ("--fold", "1")
AUGMENTED = """\
title: Planted
corpora: [{name: tiny, adapter: folder, speaker: "/(s[0-9])_"}]
augment: {noise: {snr_db: 20}, copies: 1}
grid:
  - features: [%(features)s]
    models: [%(model)s]
    protocols: [{name: speaker_kfold, params: {k: 2}}]
"""
ROWS = {
    "built in": {},
    "tuned": {"more": (*ONE_FOLD, "--trials", "2", "--inner", "1")},
    "augmented": {"suite": AUGMENTED},
    "plug-ins": {"plugin": CLEAN + OWN_FEATURES, "features": "own", "model": "planted"},
    "a plug-in beside a built-in set, normalised by speaker": {
        "plugin": CLEAN + OWN_FEATURES,
        "features": "{sets: [mfcc, own], normalise: speaker}",
        "model": "planted",
    },
    "normalised by speaker": {"features": "{name: mfcc, normalise: speaker}"},
}


@pytest.mark.parametrize("name", ROWS)
def test_an_honest_row_passes_every_test(audited, name):
    found = audited(**{"more": ONE_FOLD, **ROWS[name]})
    outcomes = {check["outcome"] for fold in found.found["folds"] for check in fold["checks"].values()}
    assert outcomes == {"PASS"} and found.gate == 0, found.found
    assert not found.found["signs"] and "leaky" not in json.dumps(found.found)
    assert found.after["headline"] == "audited", found.after
    assert found.after["verdict"] == ("transductive" if "speaker" in name else "speaker-independent")


def test_an_honest_features_file_stays_declared(audited, spoken, tmp_path):
    paths = sorted((spoken / "tiny").rglob("*.wav"))
    arrays = {f"tiny/{path.parent.name}/{path.stem}": extract(path, "mfcc") for path in paths}
    np.savez(tmp_path / "own.npz", **arrays)
    found = audited(features="own", files={"own": tmp_path / "own.npz"}, more=ONE_FOLD)
    assert not found.found["signs"] and found.gate == 0
    assert found.after["verdict"] == "speaker-independent; features declared"


SPEAKERS = [f"c/{name}" for name in ("m03", "f03", "Anna", "Hanna", "10", "1", "s2", "13")]


def test_persons_of_similar_names_are_not_taken_for_one():
    table = complete(pd.DataFrame({"id": [f"c/{n}" for n in range(8)], "speaker": SPEAKERS, "label": list("ab") * 4}))
    for fold in build_registry().get("protocol", "loso").split(table, 0):
        assert audit_split(table, fold)["verdict"] == "speaker-independent"


@pytest.fixture(scope="module")
def utterances():
    """A table of 240 utterances of 8 speakers, and features in which label and speaker show."""
    random = np.random.default_rng(0)
    table = pd.DataFrame({"speaker": np.repeat([f"c/{n}" for n in range(8)], 30), "label": list("abc") * 80})
    codes = np.unique(table["label"], return_inverse=True)[1]
    voices = np.repeat(random.normal(size=(8, 24)), 30, axis=0)
    return table, random.normal(size=(240, 24)) + voices + 0.8 * random.normal(size=(3, 24))[codes]


def fitted_on_training(maker):
    def make(values, codes):
        return maker().fit(values[:180], codes[:180]).transform(values)

    return make


def lda():
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    return LinearDiscriminantAnalysis()


def pca():
    from sklearn.decomposition import PCA

    return PCA(10, whiten=True)


def scaler():
    from sklearn.preprocessing import StandardScaler

    return StandardScaler()


def best():
    from sklearn.feature_selection import SelectKBest

    return SelectKBest(k=12)


HONEST = {
    "as they are": lambda values, codes: values,
    "strong": lambda values, codes: values + 20 * np.eye(3, 24)[codes],
    "noise": lambda values, codes: np.random.default_rng(1).normal(size=values.shape),
    "whole numbers": lambda values, codes: np.round(values),
    "discriminant analysis of training": fitted_on_training(lda),
    "principal components of training": fitted_on_training(pca),
    "scaled by training": fitted_on_training(scaler),
    "selected in training": fitted_on_training(best),
}


@pytest.mark.parametrize("name", HONEST)
def test_features_that_know_one_utterance_or_training_alone_show_no_sign(utterances, name):
    table, values = utterances
    codes = np.unique(table["label"], return_inverse=True)[1]
    made = np.asarray(HONEST[name](values, codes), dtype=np.float32)
    matrix = FeatureMatrix(tuple(f"c/{n}" for n in range(240)), made)
    assert signs_of(matrix, table, ["a", "b", "c"]) == []
