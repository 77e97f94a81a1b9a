"""Bad input: exit status 2, a message that says what, where and what to do, no traceback, nothing lost."""

from __future__ import annotations

import shutil

import numpy as np
import pandas as pd
import pytest
import soundfile

RUN = ("--no-tracking", "--executor", "in_process", "--model", "lda", "--protocol", "speaker_kfold")


@pytest.fixture
def own_corpus(tmp_path, tiny_data):
    """A copy of the corpus `tiny` that a test may spoil."""
    shutil.copytree(tiny_data / "tiny", tmp_path / "data" / "tiny")
    return tmp_path / "data" / "tiny"


@pytest.fixture
def run_tiny(serbench, tiny_suite, own_corpus):
    def run(*words):
        return serbench("run", tiny_suite, *RUN, "--data", own_corpus.parent, *words)

    return run


def refused(answer, *said: str) -> None:
    assert answer.status == 2, answer
    assert "Traceback" not in answer.err + answer.out
    for words in said:
        assert words in answer.err, answer.err


def test_a_missing_data_root(serbench, tiny_suite, tmp_path):
    refused(serbench("run", tiny_suite, *RUN, "--data", tmp_path / "nowhere"), "no such folder", "SERBENCH_DATA")
    (tmp_path / "nowhere").mkdir()
    refused(serbench("run", tiny_suite, *RUN, "--data", tmp_path / "nowhere"), "absent: tiny", "SERBENCH_DATA")


def test_an_empty_corpus_folder(serbench, tiny_suite, tmp_path):
    (tmp_path / "data" / "tiny").mkdir(parents=True)
    refused(serbench("run", tiny_suite, *RUN, "--data", tmp_path / "data"), "tiny")


def test_one_class(run_tiny, own_corpus):
    for label in ("mid", "high"):
        shutil.rmtree(own_corpus / label)
    refused(run_tiny(), "class")


def test_one_speaker_makes_the_protocol_unavailable_and_says_so(run_tiny, own_corpus, serbench):
    for path in own_corpus.rglob("s[1-5]_*.wav"):
        path.unlink()
    answer = run_tiny()
    assert answer.status == 0 and "1 rows skipped" in answer.err
    assert "speaker" in answer.out


def test_fewer_samples_per_class_than_folds(run_tiny, own_corpus, tiny_suite):
    for path in list((own_corpus / "mid").iterdir())[2:]:
        path.unlink()
    answer = run_tiny("--protocol", "stratified_kfold")
    assert "skipped" in answer.err
    assert "'mid'" in answer.out or "mid" in answer.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("run", "demmo"), "did you mean 'demo'"),
        (("run", "nowhere.yaml"), "no such suite file"),
        (("run",), "name suites or say --all"),
        (("run", "demo", "--all"), "name suites or say --all"),
        (("run", "demo", "--model", "smv"), "did you mean 'svm'"),
        (("run", "demo", "--features", "handcraftd"), "did you mean 'handcrafted'"),
        (("run", "demo", "--protocol", "lso"), "did you mean 'loso'"),
        (("run", "demo", "--corpus", "sinthetic"), "did you mean 'synthetic'"),
        (("run", "demo", "--jobs", "0"), "give a whole number"),
        (("run", "demo", "--trials", "0"), "a whole number from 1"),
        (("run", "demo", "--model", "SVM"), "did you mean 'svm'"),
        (("run", "demo", "--protocol", "LOSO"), "did you mean 'loso'"),
        (("run", "demo", "--model", "svm,lda"), "repeat the option for svm, lda"),
        (("run", "demo", "--model", "svm, lad"), "did you mean"),
        (("run", "demo", "--plugin", "nofile.py"), "no such plug-in file: nofile.py"),
        (("list", "models", "--plugin", "nofile.py"), "no such plug-in file: nofile.py"),
        (("run", "demo", "--data", "/nope"), "no such folder: /nope"),
        (("corpora", "--data", "/nope"), "no such folder: /nope"),
        (("run", "demo", "--corpus-path", "emodb"), "is not NAME=PATH"),
        (("run", "demo", "--corpus-path", "emodb=nofile"), "there is nothing at nofile"),
        (("run", "demo", "--corpus-path", "emobd=."), "did you mean 'emodb'"),
        (("corpora", "--corpus-path", "emobd=."), "did you mean 'emodb'"),
        (("corpora", "verify", "emodb", "--corpus-path", "emobd=."), "did you mean 'emodb'"),
        (
            ("splits", "export", "emodb", "loso", "--output", "x.csv", "--corpus-path", "emobd=."),
            "did you mean 'emodb'",
        ),
        (("run", "demo", "--features-file", "own=nowhere.npz", "--features", "own"), "nowhere.npz"),
        (("leaderboard", "nothing"), "nothing"),
        (("leaderboard", "--format", "xml"), "xml"),
        (("corpora", "verify", "emobd"), "did you mean 'emodb'"),
        (("splits", "export", "emobd", "loso", "--output", "x.csv"), "did you mean 'emodb'"),
        (("check", "nowhere.py"), "nowhere.py"),
        (("freeze", "nothing"), "nothing"),
    ],
)
def test_names_and_values_that_are_wrong(serbench, words, said):
    refused(serbench(*words), said)


@pytest.mark.parametrize("words", [("run", "demo", "--modle", "svm"), ("rnu",), ("list", "model")])
def test_misspelt_words_of_the_command_line(serbench, words):
    assert serbench(*words).status == 2


def test_a_misspelt_key_of_a_suite(serbench, tiny_suite, tiny_data):
    tiny_suite.write_text(tiny_suite.read_text().replace("models:", "modles:"))
    refused(serbench("run", tiny_suite, "--data", tiny_data), "tiny.yaml, line 5", "did you mean 'models'")


def test_the_name_of_a_packaged_corpus_for_other_audio(serbench, tiny_suite, tiny_data):
    tiny_suite.write_text(tiny_suite.read_text().replace("name: tiny", "name: savee"))
    place = ("--corpus-path", f"savee={tiny_data / 'tiny'}")
    refused(serbench("run", tiny_suite, *RUN, *place), "'savee' is the name of a corpus", "another name")


def test_a_place_for_a_corpus_of_the_suite_is_taken(serbench, tiny_suite, tiny_data):
    answer = serbench("run", tiny_suite, *RUN, "--dry-run", "--corpus-path", f"tiny={tiny_data / 'tiny'}")
    assert answer.status == 0, answer


def test_a_suite_in_broken_yaml(serbench, tiny_suite):
    tiny_suite.write_text("title: [")
    refused(serbench("run", tiny_suite), "tiny.yaml, line", "not valid YAML")


MANIFEST_SUITE = """\
title: Own manifest
corpora: [{name: own, adapter: manifest}]
grid:
  - features: [mfcc]
    models: [lda]
    protocols: [{name: speaker_kfold, params: {k: 2}}]
"""


@pytest.fixture
def manifest(serbench, tmp_path, tiny_data):
    """Write a manifest over the files of `tiny` after a change to its table, and run a suite on it."""
    suite = tmp_path / "own.yaml"
    suite.write_text(MANIFEST_SUITE)

    def run(change):
        paths = sorted((tiny_data / "tiny").rglob("*.wav"))
        rows = [(str(path), path.parent.name, path.stem.split("_")[0]) for path in paths]
        table = pd.DataFrame(rows, columns=["path", "label", "speaker"])
        change(table).to_csv(tmp_path / "manifest.csv", index=False)
        path = f"own={tmp_path / 'manifest.csv'}"
        return serbench("run", suite, "--no-tracking", "--executor", "in_process", "--corpus-path", path)

    return run


def test_a_manifest_is_a_corpus_without_code(manifest):
    answer = manifest(lambda table: table)
    assert answer.status == 0, answer.err
    assert "lda" in answer.out and "2/2" in answer.out


def test_a_manifest_without_a_column(manifest):
    refused(manifest(lambda table: table.drop(columns="label")), "label", "manifest.csv")


def test_a_doubled_utterance_id(manifest):
    refused(manifest(lambda table: pd.concat([table, table.iloc[:1]])), "s0_high_0")


def test_a_manifest_that_names_a_missing_file(manifest):
    answer = manifest(lambda table: table.assign(path=table["path"].str.replace("s0_high_0", "gone")))
    assert "gone" in answer.err + answer.out


def spoil(path, samples, rate=16_000, **settings) -> None:
    soundfile.write(path, samples, rate, **settings)


def test_files_of_every_odd_kind_are_used_or_left_out_by_name(run_tiny, own_corpus, serbench):
    tone = 0.3 * np.sin(2 * np.pi * 150 * np.arange(9_600) / 16_000)
    low = own_corpus / "low"
    spoil(low / "s0_low_0.wav", tone, subtype="PCM_U8")
    spoil(low / "s0_low_1.wav", tone, subtype="FLOAT")
    spoil(low / "s0_low_2.wav", np.tile(tone[:, None], (1, 6)))
    spoil(low / "s1_low_0.wav", np.repeat(tone, 12), rate=192_000)
    spoil(low / "s1_low_1.wav", np.where(np.arange(9_600) == 50, np.nan, tone), subtype="FLOAT")
    spoil(low / "s2_low_0.wav", np.zeros(9_600))
    (low / "s2_low_1.wav").write_bytes(b"")
    (low / "s2_low_2.wav").write_bytes((own_corpus / "mid" / "s2_mid_0.wav").read_bytes()[:3000])
    (low / "s3_low_0.wav").write_bytes(b"not audio at all")
    (low / "s3_low_1.wav").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12\n")
    answer = run_tiny()
    assert answer.status == 0, answer.err
    table = serbench("leaderboard", "tiny", "--format", "json")
    assert '"utterances": 48' in table.out
    strict = run_tiny("--strict")
    refused(strict, "s1_low_1", "s2_low_0")
    assert "LFS" in serbench("corpora", "verify", "folder", "--corpus-path", f"folder={own_corpus}").out


def test_results_that_cannot_be_written(run_tiny, tmp_path):
    (tmp_path / "results").write_text("a file, no folder")
    refused(run_tiny(), "cannot write", "--results")


def test_a_cell_file_cut_short_is_named_and_redone(run_tiny, serbench, tmp_path):
    assert run_tiny().status == 0
    first = sorted((tmp_path / "results" / "tiny" / "cells").glob("*.parquet"))[0]
    whole = first.read_bytes()
    first.write_bytes(whole[: len(whole) // 2])
    shown = serbench("leaderboard", "tiny")
    assert shown.status == 0 and first.stem in shown.err
    again = run_tiny()
    assert again.status == 0 and "1 damaged" in again.err and "1 to run" in again.err
    assert serbench("leaderboard", "tiny").err == "serbench: tiny: rows shown: 1 run here\n"


def test_debug_shows_the_traceback(serbench):
    with pytest.raises(Exception, match="unknown suite"):
        import sys

        from serbench.cli.main import main

        sys.argv = ["serbench", "run", "demmo", "--debug"]
        main()
