"""Corpora from Python."""

from __future__ import annotations

import pytest

from serbench.corpora.api import load_corpus
from serbench.corpora.emodb import EMODB
from serbench.errors import CorpusError, UnknownName


def test_by_name_from_a_path(tmp_path, make_wav):
    make_wav(tmp_path / "berlin" / "03a01Fa.wav")
    corpus = load_corpus("emodb", tmp_path / "berlin", cache=tmp_path)
    assert corpus.table["id"].tolist() == ["emodb/03a01Fa"]


def test_from_the_data_folder_of_the_environment(tmp_path, make_wav, monkeypatch):
    make_wav(tmp_path / "data" / "emodb" / "03a01Fa.wav")
    monkeypatch.setenv("SERBENCH_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("SERBENCH_CACHE", str(tmp_path / "cache"))
    assert load_corpus(EMODB).count == "1 of 535"
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["audio-1.sqlite"]


def test_options_and_strictness_pass_through(tmp_path, make_wav):
    for stem in ("03a01Fa", "03a01Fb"):
        make_wav(tmp_path / "berlin" / f"{stem}.wav", seed=1)
    assert load_corpus("emodb", tmp_path / "berlin", cache=tmp_path).used == 1
    assert load_corpus("emodb", tmp_path / "berlin", cache=tmp_path, defects="keep").used == 2
    with pytest.raises(CorpusError, match="not clean"):
        load_corpus("emodb", tmp_path / "berlin", cache=tmp_path, strict=True)


def test_unknown_names(tmp_path):
    with pytest.raises(UnknownName, match="did you mean 'emodb'"):
        load_corpus("emodbb", cache=tmp_path)
    with pytest.raises(UnknownName, match="defects"):
        load_corpus("emodb", tmp_path, cache=tmp_path, defect="keep")
