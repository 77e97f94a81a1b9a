"""`serbench robustness`: from a suite's `robustness:` to UAR against degradation."""

from __future__ import annotations

import csv
import io
import json

import pytest

ROBUSTNESS = "robustness: {noise_snr_db: [30, -10], bandwidth: telephone}\n"
CONDITIONS = ["clean", "noise 30 dB", "noise -10 dB", "telephone band"]


@pytest.fixture
def run(serbench, tiny_suite, tiny_data):
    """Run the speaker-independent rows of LDA of `tiny`, with further keys in its suite."""

    def call(extra: str = "", *words: object):
        tiny_suite.write_text(tiny_suite.read_text() + extra)
        words = ("--model", "lda", "--protocol", "speaker_kfold", *words)
        return serbench("run", tiny_suite, "--data", tiny_data, "--executor", "in_process", "--no-tracking", *words)

    return call


def test_uar_against_degradation_in_every_format(run, serbench):
    assert run(ROBUSTNESS).status == 0
    answer = serbench("robustness", "tiny", "--format", "json")
    assert answer.status == 0 and answer.err == ""
    rows = json.loads(answer.out)
    assert [row["condition"] for row in rows] == CONDITIONS
    clean = json.loads(serbench("leaderboard", "tiny", "--format", "json").out)[0]
    assert rows[0] | {"change": 0.0} == rows[0]
    assert all(rows[0][name] == pytest.approx(clean[name]) for name in ("uar", "uar_low", "uar_high"))
    for row in rows:
        assert (row["suite"], row["corpus"], row["model"], row["row"]) == ("tiny", "tiny", "lda", clean["row"])
        assert 0 <= row["uar_low"] <= row["uar"] <= row["uar_high"] <= 1
        assert row["change"] == pytest.approx(row["uar"] - rows[0]["uar"])
    # A tone that drowns in noise cannot be told from another one.
    assert rows[0]["uar"] > 0.9 and rows[2]["uar"] < 0.6 and rows[2]["uar"] <= rows[1]["uar"]

    answer = serbench("robustness", "--format", "csv")
    read = list(csv.DictReader(io.StringIO(answer.out)))
    assert answer.status == 0 and [list(line) for line in read] == [list(row) for row in rows]
    assert [float(line["uar"]) for line in read] == pytest.approx([row["uar"] for row in rows])

    answer = serbench("robustness", "tiny")
    assert answer.status == 0 and "UAR % on degraded audio" in answer.out
    lines = [line for line in answer.out.splitlines() if " lda " in line]
    for line, row in zip(lines, rows, strict=True):
        assert f" {row['condition']} " in line and f"{100 * row['uar']:.1f}" in line
        assert f"{100 * row['change']:+.1f}" in line or row is rows[0]


def test_rows_that_differ_in_what_was_done_to_them_are_told_apart(run, serbench):
    assert run(ROBUSTNESS, "--trials", 2, "--inner", 1, "--fold", "1").status == 0
    assert run("", "--permute-labels", "--fold", "1").status == 0
    rows = json.loads(serbench("robustness", "tiny", "--format", "json").out)
    assert [row["condition"] for row in rows] == 3 * CONDITIONS
    marks = {(row["row"], row["trials"], "labels permuted" in row["options"]) for row in rows}
    assert {mark[1:] for mark in marks} == {(0, False), (2, False), (0, True)} and len(marks) == 3
    lines = [line for line in serbench("robustness", "tiny").out.splitlines() if " clean " in line]
    identities = {line.partition(" clean ")[0] for line in lines}
    assert len(identities) == len(lines) == 3
    assert any("labels permuted" in text for text in identities)


def test_a_suite_without_degradations_says_how_to_get_them(run, serbench):
    assert run().status == 0
    answer = serbench("robustness", "tiny")
    assert answer.status == 2 and answer.out == ""
    assert "no row was tested on degraded audio" in answer.err
    assert "robustness: {noise_snr_db: [20, 10, 0]}" in answer.err and "Traceback" not in answer.err


@pytest.mark.parametrize(
    ("words", "said"),
    [(("nothing",), "nothing"), (("--format", "xml"), "--format: unknown format 'xml'\n  -> one of: table, json, csv")],
)
def test_what_there_is_not_is_a_clear_error(serbench, words, said):
    answer = serbench("robustness", *words)
    assert answer.status == 2 and said in answer.err


@pytest.mark.parametrize(
    ("text", "key", "said"),
    [
        ("robustness: {noise_snr_db: [20, loud]}\n", "robustness.noise_snr_db.1", "found 'loud': "),
        ("robustness: {noise_snr_db: loud}\n", "robustness.noise_snr_db", "found 'loud': "),
        ("robustness: {noise_snr: [20]}\n", "robustness.noise_snr", "did you mean 'noise_snr_db'"),
        ("robustness: {reverb: [0]}\n", "robustness.reverb.0", "give a number above zero"),
    ],
)
def test_a_bad_degradation_names_file_line_and_key(run, tmp_path, text, key, said):
    answer = run(text)
    assert answer.status == 2 and f"tiny.yaml, line 7, key '{key}': " in answer.err, answer.err
    assert said in answer.err and "Traceback" not in answer.err
    assert not (tmp_path / "results").exists()
