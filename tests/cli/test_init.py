"""`serbench init`: from a foreign folder to a leaderboard and a report in three commands."""

from __future__ import annotations

import re
import shutil
from itertools import product
from pathlib import Path

import pandas as pd
import pytest
import yaml

from serbench.circumstances import remember_corpus
from serbench.corpora.layout import layout_pattern
from serbench.registry import build_registry
from serbench.runner.suite.draft import Draft
from serbench.runner.suite.file import load_suite


@pytest.fixture
def here(tmp_path, monkeypatch):
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"


@pytest.fixture
def foreign(tiny_data, tmp_path):
    """The corpus `tiny` under another roof: a folder per speaker, labels in German in the names."""
    words = {"low": "Trauer", "mid": "neutral", "high": "Wut"}
    root = tmp_path / "Meine Aufnahmen"
    for path in (tiny_data / "tiny").rglob("*.wav"):
        speaker, label, take = path.stem.split("_")
        (root / f"Sprecher {speaker}").mkdir(parents=True, exist_ok=True)
        shutil.copy(path, root / f"Sprecher {speaker}" / f"{words[label]}-{take}.wav")
    return root


def test_three_commands_to_leaderboard_and_report(serbench, here, foreign):
    answer = serbench("init", foreign)
    assert answer.status == 0, answer.err
    assert "read as   * {speaker}/{label}-*" in answer.out
    assert "labels    angry 18, neutral 18, sad 18" in answer.out and "speakers  6 (s0, s1" in answer.out
    commands = [line.split()[1:] for line in answer.out.splitlines() if line.startswith("  serbench ")]
    assert commands == [
        ["corpora", "verify", "meine_aufnahmen"],
        ["run", "meine_aufnahmen"],
        ["report", "meine_aufnahmen"],
    ]
    suite = load_suite("meine_aufnahmen")
    assert suite.title == "Meine Aufnahmen" and suite.grid[0].protocols[0].name == "loso"
    text = (here / "meine_aufnahmen.yaml").read_text()
    (here / "meine_aufnahmen.yaml").write_text(text.replace("handcrafted", "mfcc", 1))
    assert "54 utterances usable" in serbench(*commands[0]).out
    models = ("--model", "majority", "--model", "lda", "--model", "svm")
    ran = serbench(*commands[1], "--executor", "in_process", "--no-tracking", *models)
    assert ran.status == 0, ran.err
    assert "speaker-independent" in ran.out and "33.3" in ran.out
    told = serbench(*commands[2], "-f", "png")
    assert told.status == 0, told.err
    figures = {path.stem for path in (here.parent / "results/meine_aufnahmen/report/figures").glob("*.png")}
    assert {"gap", "overview-meine_aufnahmen", "speech-meine_aufnahmen", "map-meine_aufnahmen"} <= figures
    assert (here.parent / "results/meine_aufnahmen/report/index.html").is_file()


def test_it_overwrites_nothing_and_takes_the_users_word_for_the_layout(serbench, here, foreign):
    assert serbench("init", foreign, "--name", "own").status == 0
    again = serbench("init", foreign, "--name", "own")
    assert again.status == 2 and "own.yaml is there already" in again.err
    forced = serbench("init", foreign, "--name", "own", "--force", "--layout", "*/{label}-{speaker}")
    assert forced.status == 0 and "speakers  3 (0, 1, 2)" in forced.out
    wrong = serbench("init", foreign, "--name", "other", "--layout", "{label}")
    assert wrong.status == 2 and "no file is of the layout '{label}', such as Sprecher" in wrong.err


def test_unknown_speakers_are_a_warning_and_only_random_folds_are_left(serbench, here, make_wav, tmp_path):
    for word, person, take in product(("happy", "sad"), ("anna", "bob"), range(3)):
        make_wav(tmp_path / "savee" / f"{word}_{person}_{take:02d}.wav")
    answer = serbench("init", tmp_path / "savee")
    assert answer.status == 0 and "speakers  unknown" in answer.out and "every score will be too good" in answer.out
    assert '{label}_{speaker}_*"   # if anna, bob are the speakers' in answer.out
    # The folder's name is that of another corpus.
    suite = load_suite("my_savee")
    assert [item.name for item in suite.grid[0].protocols] == ["stratified_kfold"]
    assert 'layout: "{label}_{speaker}_*"' in (here / "my_savee.yaml").read_text()


def test_a_corpus_that_serbench_knows_needs_no_suite(serbench, here, make_wav, tmp_path):
    for speaker, letter in product(("03", "08"), "WLEAFTN"):
        make_wav(tmp_path / "berlin" / "deep" / f"{speaker}a01{letter}a.wav")
    answer = serbench("init", tmp_path / "berlin")
    assert answer.status == 0 and "holds emodb, which serbench knows" in answer.out
    assert "serbench run emodb" in answer.out and not list(here.glob("*.yaml"))
    assert yaml.safe_load((here / "configs/local.yaml").read_text())["corpus_paths"]["emodb"].endswith("berlin")


def test_a_table(serbench, here, make_wav, tmp_path):
    rows = []
    for person, word, take in product(("p1", "p2", "p3"), ("joy", "anger"), range(2)):
        make_wav(tmp_path / "set" / "wav" / f"{take}{person}{word}.wav")
        rows.append({"wav_file": f"{take}{person}{word}.wav", "emotion": word, "subject": person})
    pd.DataFrame(rows).to_csv(tmp_path / "set" / "index.csv", index=False)
    answer = serbench("init", tmp_path / "set" / "index.csv", "--name", "listed")
    assert answer.status == 0, answer.err
    assert "path from column wav_file, label from column emotion, speaker from column subject" in answer.out
    assert "12 utterances usable" in serbench("corpora", "verify", "listed").out


def test_what_cannot_be_read_says_what_to_do(serbench, here, tmp_path):
    nothing = serbench("init", tmp_path / "nothing")
    assert nothing.status == 2 and "there is nothing at" in nothing.err
    (tmp_path / "empty").mkdir()
    empty = serbench("init", tmp_path / "empty")
    assert empty.status == 2 and "no audio file and no manifest" in empty.err and not list(here.rglob("*.yaml"))


@pytest.mark.parametrize(
    ("before", "kept"),
    [
        ("", []),
        ("# mine\njobs: 2\n", ["# mine", "jobs: 2"]),
        ("corpus_paths:  # here\n    emodb: /a\njobs: 2\n", []),
        ("corpus_paths:  # here\n  emodb: /a\njobs: 2\n", ["# here", "  emodb: /a"]),
        ("corpus_paths:\n  own: /old  # was\n", []),
    ],
)
def test_where_the_corpus_is_is_noted_beside_what_stands_there(here, before, kept):
    file = here / "configs" / "local.yaml"
    file.parent.mkdir()
    file.write_text(before)
    noted = remember_corpus("own", here / "new place")
    text = file.read_text()
    assert all(line in text for line in kept)
    if noted is None:
        assert text == before
    else:
        assert yaml.safe_load(text)["corpus_paths"]["own"] == str(here / "new place")
    # Only a file that is indented otherwise is left alone.
    assert (noted is None) == ("    emodb" in before)


@pytest.mark.parametrize(("speakers", "protocols"), [(0, 1), (1, 1), (2, 2), (9, 2), (10, 2)])
def test_every_draft_is_a_suite(tmp_path, speakers, protocols):
    options = {"layout": '{label}"_*', "codes": {"NO": "neutral", "é: #": "sad"}, "folder": ""}
    draft = Draft("no", "/where/it is", "folder", options, {"neutral": 3, "sad": 4}, speakers, ("a: b",))
    file = tmp_path / "draft.yaml"
    file.write_text(draft.text(), encoding="utf-8")
    suite = load_suite(str(file))
    assert suite.corpora[0][0].options == {"layout": '{label}"_*', "codes": {"NO": "neutral", "é: #": "sad"}}
    assert len(suite.grid[0].protocols) == protocols
    assert suite.grid[0].protocols[0].name == (
        "stratified_kfold" if speakers < 2 else "speaker_kfold" if speakers > 9 else "loso"
    )


def test_the_layouts_and_suites_of_the_page_are_true(tmp_path):
    page = (Path(__file__).parents[2] / "docs/howto/own_corpus.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([^`]+)\.wav` \| `([^`]+)` \|$", page, flags=re.MULTILINE)
    assert len(rows) == 5
    for name, layout in rows:
        found = layout_pattern(layout).fullmatch(name).groupdict()
        assert found["label"] in ("angry", "happy", "ANG", "F") and found["speaker"] in name
    for name, text in re.findall(r"^```yaml\n# (\S+)\n(.*?)^```", page, flags=re.DOTALL | re.MULTILINE):
        (tmp_path / name).write_text(text)
        adapter = load_suite(str(tmp_path / name)).corpora[0][0]
        spec = build_registry().get("corpus", adapter.adapter)
        assert set(adapter.options) <= set(spec.options)
