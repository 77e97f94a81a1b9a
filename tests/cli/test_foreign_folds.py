"""`serbench audit --folds DIR --corpus NAME` on fold files in the style of EmoBox, where the audio is absent."""

from __future__ import annotations

import json

import pytest

SPEAKERS = ["03", "08", "09", "10", "11", "12", "13", "14", "15", "16"]
SPOKEN = [f"{speaker}{text}{take}" for speaker in SPEAKERS for text in ("a01", "a02", "b02") for take in ("Fa", "Wb")]


@pytest.fixture
def write(tmp_path):
    """Write one part of one fold: ``write(1, "train", names)``."""

    def call(fold, role, names):
        path = tmp_path / "folds" / f"fold_{fold}" / f"emodb_{role}_fold_{fold}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        entries = [{"key": f"emodb-{name}", "wav": f"downloads/emodb/wav/{name}.wav", "emo": "any"} for name in names]
        path.write_text("".join(json.dumps(entry) + "\n" for entry in entries), encoding="utf-8")
        return path.parents[1]

    return call


@pytest.fixture
def audit(serbench, tmp_path):
    """Audit the folder of fold files where no corpus is installed."""
    (tmp_path / "nothing").mkdir()
    return lambda *words: serbench(
        "audit", "--folds", tmp_path / "folds", "--corpus", "emodb", "--data", tmp_path / "nothing", *words
    )


def dealt(fold):
    """Utterances dealt in turn, whoever speaks: the third that is tested, and the rest."""
    tested = [name for number, name in enumerate(SPOKEN) if number % 3 == fold - 1]
    return [name for name in SPOKEN if name not in tested], tested


def test_folds_dealt_by_utterance_share_every_speaker_and_that_is_no_failure(write, audit):
    for fold in (1, 2, 3):
        for role, names in zip(("train", "test"), dealt(fold), strict=True):
            folder = write(fold, role, names)
    answer = audit()
    # A leak is an answer, not an error: the exit status is that of an audit that was made.
    assert (answer.status, answer.err) == (0, "")
    first, *rest = answer.out.splitlines()
    assert first == f"{folder}: leaky: speakers shared"
    for fold in (1, 2, 3):
        assert f"  fold {fold}: train 40, test 20 utterances of 10 speakers: leaky: speakers shared" in rest
    leaks = [line for line in rest if line.startswith("    speakers shared: 10 (emodb/03, ")]
    assert len(leaks) == 3 and all(line.endswith(", ...)") for line in leaks)
    assert "60 of 60 utterances is absent: equal recordings are not seen" in answer.out

    found = json.loads(audit("--format", "json").out)
    assert (found["corpus"], found["verdict"], found["speaker_independent"]) == (
        "emodb",
        "leaky: speakers shared",
        False,
    )
    assert [(fold["train"], fold["test"], fold["speakers"]) for fold in found["folds"]] == 3 * [(40, 20, 10)]
    assert [leak["count"] for fold in found["folds"] for leak in fold["leaks"]] == [10, 10, 10]


def test_one_shared_speaker_in_one_fold_is_counted_there_alone(write, audit):
    for fold, tested in ((1, SPEAKERS[:5]), (2, SPEAKERS[5:])):
        write(fold, "test", [name for name in SPOKEN if name[:2] in tested])
        write(fold, "train", [name for name in SPOKEN if name[:2] not in tested])
    assert audit().out.splitlines()[0].endswith(": speaker-independent")
    kept = [name for name in SPOKEN if name[:2] in SPEAKERS[5:] and name != SPOKEN[-1]]
    write(2, "test", kept)
    write(2, "train", [name for name in SPOKEN if name not in kept])
    answer = audit()
    assert answer.status == 0
    assert "  fold 1: train 30, test 30 utterances of 5 speakers: speaker-independent\n" in answer.out
    assert "  fold 2: train 31, test 29 utterances of 5 speakers: leaky: speakers shared\n" in answer.out
    assert answer.out.count("speakers shared: 1 (emodb/16)") == 1


def refused(answer, *said):
    assert answer.status == 2 and answer.out == "" and "Traceback" not in answer.err
    for words in said:
        assert words in answer.err, answer.err


def test_utterances_that_the_corpus_does_not_know_are_named_and_the_others_audited(write, audit):
    train, tested = dealt(1)
    write(1, "train", [*train, "nobody", "99a01Fa9"])
    folder = write(1, "test", tested)
    answer = audit()
    assert answer.status == 0 and answer.out.startswith(f"{folder}: leaky: speakers shared\n")
    assert "note: 2 of 62 utterances are unknown to emodb: emodb-nobody, emodb-99a01Fa9; the others are" in answer.out
    write(1, "train", ["nobody"])
    write(1, "test", ["nobody else"])
    refused(audit(), "2 of 2 utterances are unknown to emodb", "is it the split of another corpus?")


def test_utterances_on_both_sides_are_named(write, audit):
    train, tested = dealt(1)
    write(1, "train", [*train, *tested[:2]])
    folder = write(1, "test", tested)
    both = ", ".join(f"emodb/{name}" for name in sorted(tested[:2]))
    refused(audit(), f"{folder}: fold 1: 2 utterances are in both training and test: {both}", "belongs to one side")


def test_a_folder_without_fold_files_or_an_unknown_corpus_is_named(write, audit, serbench, tmp_path):
    refused(audit(), f"{tmp_path / 'folds'}: no fold files of emodb", "fold_1/emodb_train_fold_1.jsonl")
    write(1, "train", SPOKEN[:10])
    refused(audit(), "fold 1 has no test part")
    refused(serbench("audit", "--folds", tmp_path / "folds", "--corpus", "emobd"), "did you mean 'emodb'")
