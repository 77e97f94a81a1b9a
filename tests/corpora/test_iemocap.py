"""IEMOCAP: labels stand in the evaluations, not in the names."""

from __future__ import annotations

import pytest

from serbench.corpora.iemocap import IEMOCAP
from serbench.corpora.labels import apply_labels, resolve_labels
from serbench.corpora.loading import open_corpus
from serbench.errors import CorpusError

EVALUATION = """\
% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]

[6.2901 - 8.2357]\tSes01F_impro01_F000\tneu\t[2.5000, 2.5000, 2.5000]
C-E2:\tNeutral;\t()
C-F1:\tNeutral;\t(curious)
A-E3:\tval 3; act 2; dom  2;\t()

[10.0100 - 11.3925]\tSes01F_impro01_M001\txxx\t[2.5000, 2.5000, 2.5000]
C-E2:\tNeutral;\t()

[14.8872 - 18.0175]\tSes01F_impro01_M002\texc\t[4.0000, 3.5000, 2.5000]

[20.0000 - 21.0000]\tSes01F_impro01_F003\tang\t[1.0000, 3.5000, 2.5000]
"""
SCRIPTED = "[7.0 - 9.5]\tSes02M_script01_1b_F010\tfru\t[2.0, 2.5, 2.5]\n"


@pytest.fixture
def release(circumstances, make_wav):
    """A tiny release of two sessions."""
    root = circumstances.data / "iemocap" / "IEMOCAP_full_release"
    for session, dialog, text in ((1, "Ses01F_impro01", EVALUATION), (2, "Ses02M_script01_1b", SCRIPTED)):
        folder = root / f"Session{session}"
        (folder / "dialog" / "EmoEvaluation").mkdir(parents=True)
        (folder / "dialog" / "EmoEvaluation" / f"{dialog}.txt").write_text(text)
        (folder / "dialog" / "EmoEvaluation" / f"._{dialog}.txt").write_bytes(b"\x00\x05\x16\x07")
        make_wav(folder / "dialog" / "wav" / f"{dialog}.wav")
        for line in text.splitlines():
            if line.startswith("["):
                name = line.split("\t")[1]
                make_wav(folder / "sentences" / "wav" / dialog / f"{name}.wav")
    return root


def test_labels_speakers_and_styles(release, circumstances):
    corpus = open_corpus(IEMOCAP, circumstances)
    columns = ["utterance", "speaker", "label", "gender", "text", "official_fold", "style"]
    assert corpus.table[columns].values.tolist() == [
        ["Ses01F_impro01_F000", "iemocap/Ses01F", "neutral", "f", "", "1", "improvised"],
        ["Ses01F_impro01_F003", "iemocap/Ses01F", "anger", "f", "", "1", "improvised"],
        ["Ses01F_impro01_M002", "iemocap/Ses01M", "excitement", "m", "", "1", "improvised"],
        ["Ses02M_script01_1b_F010", "iemocap/Ses02F", "frustration", "f", "script01_1", "2", "scripted"],
    ]
    assert [item.kind for item in corpus.findings] == ["missing"]  # of the whole design


def test_the_usual_four_classes_take_excited_as_happy(release, circumstances):
    table = apply_labels(open_corpus(IEMOCAP, circumstances).table, resolve_labels("common4", [IEMOCAP]))
    assert table["label"].tolist() == ["neutral", "angry", "happy"]


def test_a_part_has_no_design(release, circumstances):
    scripted = open_corpus(IEMOCAP, circumstances, options={"part": "scripted"})
    assert scripted.table["style"].tolist() == ["scripted"]
    assert (scripted.design, scripted.partial) == (None, True)
    assert [item.detail for item in scripted.findings] == ["nothing of Session3, Session4, Session5 is here"]
    assert scripted.notes == ("missing: nothing of Session3, Session4, Session5 is here",)
    with pytest.raises(CorpusError, match="allowed: all, improvised, scripted"):
        open_corpus(IEMOCAP, circumstances, options={"part": "read"})


def test_missing_audio_and_unknown_audio_are_named(release, circumstances, make_wav):
    (release / "Session2/sentences/wav/Ses02M_script01_1b/Ses02M_script01_1b_F010.wav").unlink()
    make_wav(release / "Session2" / "sentences" / "Ses02M_script01_1b_F099.wav")
    kinds = {item.kind: item.utterances for item in open_corpus(IEMOCAP, circumstances).findings}
    assert kinds["missing"] == ("Ses02M_script01_1b_F010",)
    assert "7529 of the design's 7532 utterances" in open_corpus(IEMOCAP, circumstances).findings[0].detail
    assert kinds["unknown name"][0].endswith("Ses02M_script01_1b_F099.wav")


def test_audio_without_evaluations_is_refused(circumstances, make_wav):
    make_wav(circumstances.data / "iemocap" / "Ses01F_impro01_F000.wav")
    with pytest.raises(CorpusError, match="no utterance has a label"):
        open_corpus(IEMOCAP, circumstances)
