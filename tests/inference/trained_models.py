"""A small suite, run once, and the models that its rows are trained into."""

from __future__ import annotations

from pathlib import Path

import pytest

from serbench.api import run
from serbench.circumstances import Circumstances
from serbench.inference.training import train

SPOKEN_SUITE = """\
title: Spoken
corpora: [{name: tiny, adapter: folder, speaker: "/(s[0-9])_"}]
grid:
  - features: [mfcc]
    models: [lda, knn, logistic_regression]
    protocols: [{name: speaker_kfold, params: {k: 3}}, {name: stratified_kfold, params: {k: 3}}]
  - features: [{name: mfcc, normalise: speaker}]
    models: [lda]
    protocols: [{name: speaker_kfold, params: {k: 3}}]
ensembles:
  pair: [lda@mfcc, knn@mfcc]
  weighted: {members: [lda@mfcc, knn@mfcc], weights: validation}
"""


@pytest.fixture(scope="session")
def spoken(tmp_path_factory, tiny_data) -> tuple[Path, Circumstances]:
    """The file of suite `spoken`, run over the corpus `tiny`, and where its results are."""
    root = tmp_path_factory.mktemp("spoken")
    file = root / "spoken.yaml"
    file.write_text(SPOKEN_SUITE)
    around = Circumstances(data=tiny_data, cache=root / "cache", results=root / "results", executor="in_process")
    run(file, around=around)
    return file, around


@pytest.fixture(scope="session")
def trained(spoken, tmp_path_factory) -> Path:
    """The model folder of row lda."""
    file, around = spoken
    folder = tmp_path_factory.mktemp("models") / "lda"
    return train("spoken/tiny/speaker_kfold*/mfcc/lda", folder, around, suite=str(file))


@pytest.fixture(scope="session")
def trained_pair(spoken, tmp_path_factory) -> Path:
    """The model folder of the ensemble with chosen weights."""
    file, around = spoken
    folder = tmp_path_factory.mktemp("models") / "weighted"
    return train("spoken/tiny/speaker_kfold*/*/weighted*", folder, around, suite=str(file))
