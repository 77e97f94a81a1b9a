"""`serbench run --require`: rows of another verdict are refused before anything is trained."""

from __future__ import annotations

import json

import pytest

RUN = ("--executor", "in_process", "--no-tracking", "--model", "lda")
SAID = "--require: not speaker-independent: tiny under "


@pytest.fixture
def run(serbench, tiny_suite, tiny_data):
    """Run the suite `tiny` with its rows of LDA."""
    return lambda *words: serbench("run", tiny_suite, "--data", tiny_data, *RUN, *words)


@pytest.fixture
def nothing_trained(tmp_path):
    """Whether a call has left no results behind."""
    return lambda: not (tmp_path / "results" / "tiny").exists()


def test_rows_that_hold_whole_speakers_out_are_run(run, serbench):
    answer = run("--require", "speaker-independent", "--protocol", "speaker_kfold")
    assert answer.status == 0, answer.err
    assert "3 to run" in answer.err
    (row,) = json.loads(serbench("leaderboard", "tiny", "--format", "json").out)
    assert row["protocol"] == "speaker_kfold(k=3)" and row["verdict"] == "speaker-independent"
    assert (row["folds_done"], row["complete"]) == (3, True)


@pytest.mark.parametrize("words", [(), ("--dry-run",), ("--protocol", "stratified_kfold", "--fold", "1")])
def test_a_random_split_in_the_plan_is_refused_by_name_before_anything_is_trained(run, nothing_trained, words):
    answer = run("--require", "speaker-independent", *words)
    assert answer.status == 2 and answer.out == ""
    assert f"{SAID}stratified_kfold(k=3) is leaky: speakers shared" in answer.err
    assert "under speaker_kfold" not in answer.err and "--protocol" in answer.err
    assert "Traceback" not in answer.err and nothing_trained()


def test_a_deliberate_mistake_is_refused(run, nothing_trained, tiny_suite):
    augment = "augment: {noise: {snr_db: 20}}\n"
    text = tiny_suite.read_text().replace("{name: stratified_kfold, params: {k: 3}}", "leaky_augment_before_split")
    tiny_suite.write_text(text + augment)
    answer = run("--require", "speaker-independent")
    assert answer.status == 2 and f"{SAID}leaky_augment_before_split is leaky" in answer.err
    assert "augmented copies of test parents in training" in answer.err and nothing_trained()
    allowed = run("--require", "speaker-independent", "--protocol", "speaker_kfold", "--dry-run")
    assert allowed.status == 0 and "3 cells" in allowed.out


def test_one_leaky_fold_among_clean_ones_is_refused(run, nothing_trained, tiny_suite, tmp_path):
    # Two speakers a fold, but that one recording of s0 is tested in the last fold too, without the rest of s0.
    folds = [
        (
            f"tiny/{label}/s{speaker}_{label}_{take}",
            "c" if (speaker, label, take) == (0, "low", 0) else "aabbcc"[speaker],
        )
        for label in ("low", "mid", "high")
        for speaker in range(6)
        for take in range(3)
    ]
    rows = [f"{name},{fold}" for name, fold in folds]
    (tmp_path / "folds.csv").write_text("\n".join(["utterance,fold", *rows]) + "\n")
    protocol = f"{{name: fixed, params: {{file: {tmp_path / 'folds.csv'}}}}}"
    text = tiny_suite.read_text()
    tiny_suite.write_text(f"{text[: text.index('protocols')]}protocols: [{protocol}]\n")
    assert run("--require", "speaker-independent", "--fold", "b", "--dry-run").status == 0
    for fold in (("--fold", "a"), ("--fold", "a", "--fold", "b"), ()):
        answer = run("--require", "speaker-independent", *fold)
        assert answer.status == 2 and "is leaky: speakers shared" in answer.err, (fold, answer)
    assert nothing_trained()


@pytest.mark.parametrize(
    "order", ["[mfcc, {name: mfcc, normalise: speaker}]", "[{name: mfcc, normalise: speaker}, mfcc]"]
)
def test_a_row_that_looks_at_test_speakers_is_refused_by_its_features(run, nothing_trained, tiny_suite, order):
    tiny_suite.write_text(tiny_suite.read_text().replace("features: [mfcc]", f"features: {order}"))
    answer = run("--require", "speaker-independent", "--protocol", "speaker_kfold")
    assert answer.status == 2 and nothing_trained()
    assert f"{SAID}speaker_kfold(k=3) with mfcc (speaker-normalised) is transductive\n" in answer.err


@pytest.mark.parametrize(
    ("name", "hint"),
    [("speaker-independant", "did you mean 'speaker-independent'"), ("leaky", "known: audited, speaker-independent")],
)
def test_an_unknown_verdict_is_a_clear_error(run, nothing_trained, name, hint):
    answer = run("--require", name, "--protocol", "speaker_kfold")
    assert answer.status == 2 and nothing_trained()
    assert f"--require: unknown verdict to require '{name}'" in answer.err and hint in answer.err
