"""`serbench corpora get`: asking, stopping, doing nothing twice."""

from __future__ import annotations

import zipfile

import pytest


@pytest.fixture
def emodb_zip(tmp_path, make_wav):
    """An archive with three utterances of EMO-DB, two of them with the same audio."""
    path = tmp_path / "emodb.zip"
    with zipfile.ZipFile(path, "w") as pack:
        for stem, seed in (("03a01Fa", 1), ("03a01Wa", 2), ("08a01Na", 3)):
            pack.write(make_wav(tmp_path / f"{stem}.wav", seed=seed), f"wav/{stem}.wav")
    return path


def test_an_own_copy_is_taken_verified_and_not_taken_twice(serbench, emodb_zip, tmp_path):
    words = ("corpora", "get", "emodb", "--from", emodb_zip, "--data", tmp_path / "data", "--yes")
    first = serbench(*words)
    for text in (
        "Burkhardt",
        "CC BY 4.0: name the authors",
        "are free",
        "not the published file",
        "3 of 535 utterances",
    ):
        assert text in first.out
    assert first.status == 1  # of the design, 532 are missing
    second = serbench(*words)
    assert (second.status, "is here already" in second.out) == (0, True)


def test_without_a_terminal_and_without_yes_it_stops(serbench, emodb_zip, tmp_path):
    answer = serbench("corpora", "get", "emodb", "--from", emodb_zip, "--data", tmp_path / "data")
    assert answer.status == 2
    assert "--yes" in answer.err
    assert not (tmp_path / "data" / "emodb").exists()


@pytest.mark.parametrize(("reply", "status", "there"), [("y", 1, True), ("n", 130, False)])
def test_at_a_terminal_it_asks(reply, status, there, serbench, emodb_zip, tmp_path, monkeypatch):
    import io
    import sys

    terminal = io.StringIO(f"{reply}\n")
    terminal.isatty = lambda: True
    monkeypatch.setattr(sys, "stdin", terminal)
    answer = serbench("corpora", "get", "emodb", "--from", emodb_zip, "--data", tmp_path / "data")
    assert answer.status == status
    assert (tmp_path / "data" / "emodb").exists() is there


def test_what_is_given_out_by_hand_prints_its_steps(serbench, tmp_path):
    answer = serbench("corpora", "get", "savee", "iemocap", "--data", tmp_path)
    assert answer.status == 1
    for text in ("1. register at", "get savee --from AudioData.zip", "release form", "research only"):
        assert text in answer.out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("emodbb",), "did you mean 'emodb'"),
        (("synthetic",), "makes it itself"),
        (("folder",), "your own data"),
        (("emodb", "tess", "--from", "x.zip"), "one by one"),
        (("emodb", "--from", "nowhere.zip", "--yes"), "no such file"),
    ],
)
def test_what_makes_no_sense(words, message, serbench, tmp_path):
    answer = serbench("corpora", "get", *words, "--data", tmp_path)
    assert answer.status == 2
    assert message in answer.err


def test_an_absent_corpus_names_the_command(serbench, tmp_path):
    assert "serbench corpora get tess" in serbench("corpora", "--data", tmp_path).out
    assert "serbench corpora get tess" in serbench("corpora", "verify", "tess", "--data", tmp_path).err
    assert "serbench corpora get tess" in serbench("run", "tess", "--data", tmp_path).err


def test_a_corpus_of_ones_own_is_not_to_be_got(serbench, tiny_suite, tmp_path):
    (tmp_path / "nothing").mkdir()
    answer = serbench("run", tiny_suite, "--data", tmp_path / "nothing")
    assert "absent: tiny" in answer.err
    assert "corpora get" not in answer.err


def test_a_suite_that_runs_without_absent_corpora_says_so(serbench, tmp_path, make_wav):
    for speaker in ("03", "08", "09", "10", "11"):
        for label in "WFN":
            make_wav(tmp_path / "emodb" / f"{speaker}a01{label}a.wav", seed=int(speaker) * 100 + ord(label))
    words = ("run", "published/p2", "--dry-run", "--protocol", "stratified_holdout")
    answer = serbench(*words, "--data", tmp_path)
    assert "run without what is absent: ravdess_speech, tess (`serbench corpora get ravdess_speech tess`)" in answer.out
