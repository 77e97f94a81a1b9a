"""What a newcomer types wrongly, and the exact answer that each gets: what is wrong, and what to do."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from serbench.cli.main import build_app

RUN = ("--executor", "in_process", "--no-tracking", "--data", "data", "--dry-run")
UNLUCKY = """\
from serbench import ModelSpec
def build(params, *, n_classes, seed):
    raise RuntimeError("no luck today")
UNLUCKY = ModelSpec(name="unlucky", accepts="vector", build=build)
"""
MANIFEST = """\
title: Own manifest
corpora: [{name: own, adapter: manifest}]
grid: [{features: [mfcc], models: [lda], protocols: [{name: speaker_kfold, params: {k: 2}}]}]
"""


@pytest.fixture
def place(tmp_path, tiny_data, tiny_suite, monkeypatch):
    """A working folder as a newcomer has it: data, suites, a plug-in, a manifest of which a file is missing."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").symlink_to(tiny_data)
    (tmp_path / "audio").symlink_to(tiny_data / "tiny")
    text = tiny_suite.read_text()
    (tmp_path / "typo.yaml").write_text(text.replace("speaker:", "speeker:"))
    (tmp_path / "failing.yaml").write_text(text.replace("[majority, knn, lda]", "[unlucky]"))
    (tmp_path / "unlucky.py").write_text(UNLUCKY)
    (tmp_path / "notes.txt").write_text("no code")
    (tmp_path / "own.yaml").write_text(MANIFEST)
    (tmp_path / "own.csv").write_text(
        "path,label,speaker\ndata/tiny/low/s0_low_0.wav,low,s0\ndata/tiny/high/gone.wav,high,s1\n"
    )
    return tmp_path


ANSWERS = {
    ("demo",): ("'demo' is a suite, not a verb", "serbench run demo"),
    ("rnu",): ("unknown verb 'rnu'", "did you mean 'run'"),
    ("help", "splits", "exprt"): ("unknown verb 'exprt'", "did you mean 'export'"),
    ("corpora", "lst"): ("serbench corpora: unknown verb 'lst'", "did you mean 'list'"),
    ("splits", "export", "synthetic", "speaker_kfold", "-o", "x.csv", "--param", "k=abc"): (
        "speaker_kfold: k is 'abc'",
        "k is a whole number, at least 2",
    ),
    ("splits", "export", "synthetic", "speaker_kfold", "-o", "x.csv", "--param", "k=.inf"): ("k is inf",),
    ("splits", "export", "synthetic", "speaker_kfold", "-o", "x.csv", "--param", "k=["): (
        "--param k: '[' is no value",
    ),
    ("splits", "export", "synthetic", "stratified_holdout", "-o", "x.csv", "--param", "test_size=much"): (
        "test_size is 'much'",
        "between 0 and 1",
    ),
    ("check", "tiny.yaml"): ("tiny.yaml: not a Python file", "serbench run tiny.yaml --dry-run"),
    ("check", "notes.txt"): ("notes.txt: not a Python file", "a file in .py"),
    ("check", "data"): ("data: a folder, not a plug-in file",),
    ("run", "demo", "--plugin", "tiny.yaml"): ("--plugin: not a Python file: tiny.yaml",),
    ("run", "tiny.yaml", "--corpus-path", "tiny=nofile"): ("--corpus-path tiny: there is nothing at nofile",),
    ("run", "tiny.yaml", "--data", "/nope"): ("--data: no such folder: /nope",),
    ("run", "tiny.yaml", "--data", "data/tiny"): ("data/tiny looks like the corpus tiny itself", "--data "),
    ("run", "tiny.yaml", "--data", "audio"): (
        "absent: tiny",
        "if audio is the corpus tiny itself: --corpus-path tiny=",
    ),
    ("corpora", "verify", "demo"): ("'demo' is a suite, not a corpus", "its corpora: synthetic"),
    ("corpora", "get", "ravdess"): ("'ravdess' is a suite, not a corpus", "its corpora: ravdess_speech"),
    ("splits", "export", "demo", "loso", "-o", "x.csv"): ("'demo' is a suite, not a corpus",),
    ("run", "demo", "--corpus", "demo"): ("'demo' is a suite, not a corpus",),
    ("run", "tiny.yaml", "--model", "SVM", *RUN): ("unknown model 'SVM'", "did you mean 'svm'"),
    ("run", "tiny.yaml", "--protocol", "LOSO", *RUN): ("unknown protocol 'LOSO'", "did you mean 'loso'"),
    ("run", "tiny.yaml", "--model", "svm,lda", *RUN): ("'svm,lda' is no model but 2", "repeat the option for svm, lda"),
    ("run", "tiny.yaml", "--model", "svm(D=3)", *RUN): ("unknown parameter of 'svm' 'D'", "known: C, class_weight"),
    ("run", "tiny.yaml", "--model", "svm(C=3", *RUN): (
        "--model: 'svm(C=3' cannot be read",
        "svm(NAME=VALUE, NAME=VALUE)",
    ),
    ("run", "typo.yaml", *RUN): ("key of corpus 'tiny' 'speeker'", "did you mean 'speaker'", "suite 'typo', corpora"),
    ("run", "p4", "--data", "data"): ("suite 'p4': absent: ravdess_speech", "serbench corpora get ravdess_speech"),
    ("run", "publishd/p4"): ("did you mean 'published/p4'",),
    ("plot", "tiny", "gap"): ("the kind of figure comes first", "serbench plot gap tiny"),
    ("plot", "tiny"): ("plot KIND SUITE: unknown kind of figure 'tiny'",),
    ("plot", "speech", "synthetic", "--utterance", "nothere"): ("unknown utterance 'nothere'", "and 331 more"),
    ("run", "own.yaml", "--corpus-path", "own=own.csv"): (
        "leaves only low",
        "at least two classes; of the corpus: missing: data/tiny/high/gone",
    ),
}
VERBS = {
    "run": ("tiny.yaml", "--dry-run"),
    "corpora": (),
    "corpora list": (),
    "corpora verify": ("synthetic",),
    "corpora get": ("savee",),
    "splits export": ("synthetic", "loso", "-o", "x.csv"),
    "audit": ("tiny",),
    "plot": ("overview", "tiny"),
    "report": ("tiny",),
    "check": ("unlucky.py",),
    "doctor": (),
}


@pytest.mark.parametrize("words", ANSWERS, ids=" ".join)
def test_a_mistake_is_answered_exactly(serbench, place, words):
    answer = serbench(*words)
    assert answer.status == 2, answer
    for said in ANSWERS[words]:
        assert said in answer.err, answer.err
    assert "internal error" not in answer.err and all(len(line) < 1500 for line in answer.err.splitlines())


@pytest.fixture
def measured(serbench, place):
    """The working folder with a finished row of `tiny`."""
    assert serbench("run", "tiny.yaml", *RUN[:-1], "--model", "lda", "--protocol", "speaker_kfold").status == 0
    return place


def test_a_corpus_that_nothing_reads_is_refused_by_every_verb(serbench, measured):
    for verb, words in VERBS.items():
        answer = serbench(*verb.split(), *words, "--corpus-path", "emobd=data")
        assert answer.status == 2, verb
        assert "--corpus-path: unknown corpus 'emobd'" in answer.err and "did you mean 'emodb'" in answer.err, verb


def test_a_plugin_that_is_not_there_is_refused_by_every_verb_that_takes_one(serbench, place):
    for verb in ("run", "corpora", "corpora list", "corpora verify", "corpora get", "splits export", "audit", "doctor"):
        answer = serbench(*verb.split(), *VERBS[verb], "--plugin", "nofile.py")
        assert answer.status == 2 and "--plugin: no such plug-in file: nofile.py" in answer.err, verb


def test_rows_and_suites_that_have_no_results(serbench, measured):
    for words, said in {
        ("show", "deadbeef"): "no row or cell has the id 'deadbeef' (among 1 rows of tiny)",
        ("compare", "deadbeef", "cafebabe"): "no row or cell has the id 'deadbeef'",
        ("show", "tiny.yaml"): "unknown row 'tiny.yaml'\n  -> did you mean tiny",
        ("train", "tiny", "-o", "model"): "'tiny' is not SUITE/ROW",
        ("run", "tiny.yaml", "--dry-run", "--executor", "locl"): "unknown executor 'locl'",
        ("run", "tiny.yaml", "--dry-run", "--scheduler", "tcp://head:8786"): "executor local has none",
        ("features", "import", "nix.tar"): "nix.tar: no such file",
        ("leaderboard", "synthetic"): "'synthetic' is a corpus, not a suite with results\n  -> suites over it: demo",
        ("leaderboard", "tiny", "--corpus", "tiny.yaml"): "'tiny.yaml' is a suite, not a corpus",
    }.items():
        answer = serbench(*words)
        assert answer.status == 2 and said in answer.err, answer
    assert serbench("leaderboard", "tiny.yaml").out == serbench("leaderboard", "tiny").out


def test_a_published_suite_answers_to_its_short_name(serbench, place):
    assert serbench("claims", "p4").out == serbench("claims", "published/p4").out
    assert "no results yet: `serbench run p4`" in serbench("claims", "p4").err


def test_a_failed_row_has_failed(serbench, place):
    answer = serbench("run", "failing.yaml", *RUN[:-1], "--plugin", "unlucky.py", "--protocol", "speaker_kfold")
    assert answer.status == 1
    assert "speaker_kfold(k=3) · failed" in answer.out and "not run yet" not in answer.out
    assert "RuntimeError: no luck today" in answer.out


def test_a_perfect_score_of_few_utterances_comes_with_a_caution(serbench, place):
    few = [f"{label}/s{speaker}_{label}_0" for label in ("low", "mid", "high") for speaker in range(4)]
    for name in few:
        (place / "few" / "tiny" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(place / "audio" / f"{name}.wav", place / "few" / "tiny" / f"{name}.wav")
    told = [[1.0 * (label in name) for label in ("/s", "low", "mid")] for name in few]
    pd.DataFrame({"utterance": few, "features": told}).to_parquet(place / "told.parquet")
    words = ("--features-file", "told=told.parquet", "--features", "told", "--model", "logistic_regression")
    (place / "tiny.yaml").write_text((place / "tiny.yaml").read_text().replace("k: 3", "k: 2"))
    answer = serbench("run", "tiny.yaml", *words, "--protocol", "speaker_kfold", *RUN[:3], "--data", "few")
    assert " 100.0 " in answer.out
    assert "caution: 12 utterances are too few to rank models by: one answer is 8.3 points of accuracy" in answer.out
    # 1 - 0.05 ** (1 / 12)
    assert "no error among 12 allows an error rate of up to 22 %" in answer.out


def test_embeddings_in_a_list_column_are_features(serbench, place):
    names = utterances(place)
    lists = [list(np.random.default_rng(number).normal(size=4)) for number in range(len(names))]
    frame = pd.DataFrame({"utterance": names, "embedding": lists})
    frame.to_parquet(place / "lists.parquet")
    frame.assign(second=lists, third=1.0).to_parquet(place / "several.parquet")
    words = ("--features", "own", "--model", "lda", "--protocol", "speaker_kfold", *RUN[:-1])
    answer = serbench("run", "tiny.yaml", "--features-file", "own=lists.parquet", *words)
    assert answer.status == 0 and "own" in answer.out
    answer = serbench("run", "tiny.yaml", "--features-file", "own=several.parquet", *words)
    assert answer.status == 2 and "columns that hold lists: embedding, second, beside 1 of numbers" in answer.err


def utterances(place) -> list[str]:
    root = (place / "audio").resolve()
    return [path.relative_to(root).with_suffix("").as_posix() for path in sorted(root.rglob("*.wav"))]


@pytest.mark.parametrize("words", [("-h",), ("run", "-h"), ("corpora", "-h"), ("splits", "export", "-h")])
def test_h_is_help_everywhere(serbench, words):
    answer = serbench(*words)
    assert answer.status == 0 and answer.out == serbench(*words[:-1], "--help").out
    assert answer.out.startswith("Usage:")


def test_help_is_a_verb(serbench):
    assert serbench("help").out == serbench("--help").out
    assert serbench("help", "splits", "export").out == serbench("splits", "export", "--help").out
    glossary = serbench("help", "glossary").out
    assert all(f"**{word}**" in glossary for word in ("cell", "row", "suite", "fold", "verdict"))


def test_help_groups_the_verbs(serbench):
    shown = serbench("--help").out
    places = [shown.index(f"\n{group}:\n") for group in ("Measure", "Look", "Check", "Share", "Use")]
    assert places == sorted(places)
    verbs = [command.name for command in build_app().registered_commands]
    assert {"run", "show", "help", "doctor"} <= set(verbs)
    assert all(f"\n  {verb} " in shown for verb in (*verbs, "corpora", "splits"))


def test_corpora_list_is_corpora(serbench):
    assert serbench("corpora", "list").out == serbench("corpora").out


def test_the_shell_completes_verbs_and_options():
    def completed(words: str, count: int) -> list[str]:
        asked = {"_SERBENCH_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(count)}
        code = "import sys; sys.argv = ['serbench']; from serbench.cli.main import main; main()"
        done = subprocess.run([sys.executable, "-c", code], env=os.environ | asked, capture_output=True, text=True)
        return done.stdout.split()

    assert completed("serbench lea", 1) == ["leaderboard"]
    assert completed("serbench run --sa", 2) == ["--save-models"]


def test_the_doctor_says_what_is_here_and_what_is_missing(serbench, place, monkeypatch):
    monkeypatch.setattr("serbench.cli.doctor.find_spec", lambda package: None)
    answer = serbench("doctor", "--data", "data", "--plugin", "unlucky.py")
    assert answer.status == 0
    for said in ("processors  ", f"data        {place / 'data'}; ", " free (--data", "here: synthetic"):
        assert said in answer.out, answer.out
    (missing,) = [line for line in answer.out.splitlines() if " opensmile: " in line]
    assert missing.startswith("missing ") and "feature set egemaps" in missing
    assert "pip install 'serbench[opensmile]'" in missing
