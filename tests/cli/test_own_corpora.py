"""Every verb that takes a corpus takes one that a suite file of the working folder describes."""

from __future__ import annotations

import pandas as pd
import pytest

import serbench as package

SUITE = """\
title: Own
corpora: [{name: mine, adapter: folder, speaker: "/(s[0-9])_"}]
grid: [{features: [mfcc], models: [knn], protocols: [{name: speaker_kfold, params: {k: 3}}]}]
"""


@pytest.fixture
def own(serbench, tiny_data, tmp_path, monkeypatch):
    """Call the program in a folder with a suite over the corpus `mine`."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").write_text(SUITE)
    (tmp_path / "compose.yaml").write_text("services: {adapter: none}\n")
    place = f"mine={tiny_data / 'tiny'}"
    return lambda *words: serbench(*words, "--corpus-path", place)


def test_verify_splits_plot_and_the_list_know_it(own, tmp_path):
    answer = own("corpora", "verify", "mine")
    assert answer.status == 0 and "54 utterances usable" in answer.out and "6 speakers" in answer.out
    answer = own("splits", "export", "mine", "loso", "-o", tmp_path / "folds.csv")
    assert answer.status == 0, answer.err
    folds = pd.read_csv(tmp_path / "folds.csv")
    assert folds["fold"].nunique() == 6 and folds["utterance"].str.startswith("mine/").all()
    answer = own("plot", "overview", "mine", "-o", tmp_path / "overview.png")
    assert answer.status == 0 and (tmp_path / "overview.png").is_file(), answer.err
    assert "high:18 low:18 mid:18" in own("corpora").out


def test_audit_matches_a_foreign_split_with_it(own, tmp_path):
    (tmp_path / "split.csv").write_text("utterance,set\nhigh/s0_high_0,train\nhigh/s0_high_1,test\n")
    answer = own("audit", "--split", tmp_path / "split.csv", "--corpus", "mine")
    assert answer.status == 0 and "leaky: speakers shared" in answer.out, answer.err


def test_python_opens_it_with_its_options(own, tiny_data):
    table = package.load_corpus("mine", path=tiny_data / "tiny")
    assert sorted(table["speaker"].unique()) == [f"mine/s{number}" for number in range(6)]
    named = package.load_corpus("other", path=tiny_data / "tiny", adapter="folder", speaker="/(s[0-9])_")
    assert named["speaker"].nunique() == 6


def test_a_misspelt_one_is_named_and_two_descriptions_are_refused(own, tmp_path):
    assert "did you mean 'mine'" in own("corpora", "verify", "mien").err
    (tmp_path / "again.yaml").write_text(SUITE.replace("s[0-9]", "s."))
    answer = own("corpora", "verify", "mine")
    assert answer.status == 2 and "described differently in again.yaml and mine.yaml" in answer.err
