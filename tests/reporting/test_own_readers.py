"""What a reader of results over an own corpus is told: who speaks, what differs, and no regular expression."""

from __future__ import annotations

from made_suites import LABELS, make_cell, make_table, one_hot, save, write_suite

from serbench.records import make_predictions
from serbench.reporting.audits import audit_lines, audit_summaries
from serbench.reporting.comparison import compare_rows, comparison_lines, protocols_apart
from serbench.reporting.formats import format_leaderboard, terminal_tables
from serbench.reporting.leaderboard import leaderboard
from serbench.reporting.loading import load_records
from serbench.reporting.page.summary import summarise


def told_rows(folder, table, **fields):
    """A perfect row over a table."""
    save(folder, make_cell(**fields), make_predictions(table, LABELS, one_hot(list(table["label"]))))
    return load_records(folder.parent, folder.name)


def test_a_corpus_in_which_the_speaker_tells_the_label_says_so_on_top(tmp_path):
    table = make_table(9)
    # Each speaker says a single emotion.
    table = table[table["speaker"].str[-2:].astype(int) % 3 == table["label"].map(LABELS.index)]
    records = told_rows(tmp_path / "toy", table)
    board = leaderboard(records)
    assert list(board["speaker_alone"]) == [1.0]
    line = (
        "toy: the speaker alone predicts the label with UAR 100.0 % (chance 33.3 %): speakers differ in what they say"
    )
    assert format_leaderboard(board, "md").startswith(f"**{line}")
    (first,) = terminal_tables(board)
    assert str(first.renderables[0]).startswith(line)
    assert summarise(records, board)[1].startswith(f"On {line}")


def test_speakers_who_say_everything_alike_are_at_chance_and_are_told_of_once(tmp_path):
    write_suite(tmp_path / "toy")
    records = load_records(tmp_path, "toy")
    board = leaderboard(records)
    assert set(board["speaker_alone"].round(9)) == {round(1 / 3, 9)}
    text = format_leaderboard(board, "md")
    assert text.count("the speaker alone predicts the label with UAR 33.3 % (chance 33.3 %)**") == 1


def test_unknown_speakers_tell_nothing(tmp_path):
    records = told_rows(tmp_path / "toy", make_table(6).assign(speaker=""))
    board = leaderboard(records)
    assert board["speaker_alone"].isna().all() and "speaker alone" not in format_leaderboard(board, "md")


def test_how_files_were_read_stands_in_no_heading_but_keeps_rows_apart(tmp_path):
    options = {"toy": {"speaker": "/(s[0-9])_", "layout": "{label}", "codes": {"A": "angry"}, "defects": "keep"}}
    records = told_rows(tmp_path / "toy", make_table(6), corpus_options=options)
    assert list(leaderboard(records)["options"]) == ["toy: defects=keep"]
    corrected = {"toy": {**options["toy"], "speaker": "/(s[0-9]+)_"}}
    records = told_rows(tmp_path / "toy", make_table(6), corpus_options=corrected)
    board = leaderboard(records)
    assert board["options"].nunique() == 2 and all("read as #" in text for text in board["options"])
    assert list(board["rank"]) == [1, 1]
    summaries = audit_summaries(records)
    assert len(summaries) == 2
    shown = [format_leaderboard(board, "md"), *audit_lines(summaries[0]), *summarise(records, board)]
    assert not [text for text in shown if "[0-9]" in text or "codes" in text]


def test_compare_says_first_that_protocols_differ(tmp_path):
    write_suite(tmp_path / "toy", models={"a": 2.0})
    records = load_records(tmp_path, "toy")
    unseen, seen = (records[records["protocol"] == name] for name in ("official", "stratified_kfold"))
    apart = protocols_apart(unseen, seen)
    assert apart.startswith(
        "not of one protocol: A official (unseen speakers) against B stratified_kfold (seen speakers)"
    )
    assert comparison_lines(("x", "y"), compare_rows(unseen, seen), apart)[0] == apart
    assert protocols_apart(seen, seen) == ""
    assert comparison_lines(("x", "y"), compare_rows(seen, seen))[0].startswith("A  x")
