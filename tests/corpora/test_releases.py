"""Which release lies here: the same in another container or in part, another one at another rate."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from serbench.corpora.emodb import EMODB
from serbench.corpora.loading import open_corpus
from serbench.corpora.releases import speaker_fingerprints, which_release


@pytest.fixture
def table(tmp_path, make_wav):
    rows = [(f"{speaker}{number}", speaker) for speaker in "ab" for number in range(3)]
    paths = [str(make_wav(tmp_path / f"{name}.wav", seed=at)) for at, (name, _) in enumerate(rows)]
    return pd.DataFrame(rows, columns=["utterance", "speaker"]).assign(path=paths)


def test_fingerprints_are_of_samples_and_names(table, tmp_path, make_wav):
    found = speaker_fingerprints(table)
    assert set(found) == {"a", "b"} and found["a"] != found["b"]
    assert speaker_fingerprints(table[::-1]) == found
    flac = [str(make_wav(tmp_path / f"{at}.flac", seed=at)) for at in range(6)]
    assert speaker_fingerprints(table.assign(path=flac)) == found
    assert speaker_fingerprints(table[table["speaker"] == "b"]) == {"b": found["b"]}
    broken = tmp_path / "a0.wav"
    broken.write_bytes(b"no audio")
    changed = speaker_fingerprints(table)
    assert changed["b"] == found["b"] and changed["a"] != found["a"]


def test_a_release_is_named_with_what_differs(monkeypatch, tmp_path):
    known = tmp_path / "releases.json"
    known.write_text('{"toy": {"first": {"a": "1", "b": "2"}, "second": {"a": "3", "b": "4"}}}')
    monkeypatch.setattr("serbench.corpora.releases.KNOWN", known)
    assert which_release("toy", {"a": "3", "b": "4"}).endswith("as in: second")
    assert which_release("toy", {"a": "1"}).endswith("as in: first, 1 of its 2 known speakers")
    assert which_release("toy", {"a": "1", "b": "9"}).endswith("as in: first, but for 1 of 2 speakers: b")
    assert which_release("toy", {"a": "7"}).endswith("as in no release known here (first; second)")
    assert which_release("other", {"a": "7"}).endswith("(no release of other is known here)")


@pytest.mark.real
def test_the_real_emodb_is_recognised_and_a_changed_sample_is_not(circumstances, real_data, shared_cache, tmp_path):
    import soundfile

    around = dataclasses.replace(circumstances, data=real_data, cache=shared_cache)
    table = open_corpus(EMODB, around).table
    table = table.assign(speaker=table["speaker"].str.removeprefix("emodb/"))
    table = table[table["speaker"].isin(["03", "08"])]
    assert which_release("emodb", speaker_fingerprints(table)).endswith(
        "as published, 16 kHz, 2 of its 10 known speakers"
    )
    samples, rate = soundfile.read(table["path"].iloc[0], dtype="int16")
    samples[100] += np.int16(1)
    soundfile.write(tmp_path / "changed.wav", samples, rate)
    changed = table.assign(path=[str(tmp_path / "changed.wav"), *table["path"].iloc[1:]])
    assert "but for 1 of 2 speakers: 03" in which_release("emodb", speaker_fingerprints(changed))
