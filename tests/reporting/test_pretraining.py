"""Rows with pre-trained weights are told apart, and what these have heard stands in every table."""

from dataclasses import replace

import pytest
from made_suites import LABELS, make_cell, make_table, predict, save

from serbench.cli.main import build_app
from serbench.errors import UnknownName
from serbench.features.encoders import cards
from serbench.records import Cell, make_predictions
from serbench.reporting.formats import format_leaderboard
from serbench.reporting.leaderboard import leaderboard
from serbench.reporting.loading import load_records
from serbench.reporting.page.render import write_page
from serbench.reporting.papers.make import suite_paper
from serbench.reporting.pretraining import pretraining, pretraining_text, with_pretraining
from serbench.reporting.show import report_markdown, row_report


def ssl(model: str) -> dict:
    return {"name": "ssl", "version": "1-0123456789abcdef", "params": {"model": model}}


def cell(*features, corpus="emodb", **more) -> Cell:
    labels = {"name": "native", "labels": ["a", "b"], "map": {}}
    plain = {"version": "1", "params": {}}
    named = {"model": {"name": "lda", **plain}, "protocol": {"name": "loso", **plain}}
    return Cell(corpus=corpus, labels=labels, features=features, fold="1", **named, **more)


MFCC = {"name": "mfcc", "version": "1", "params": {}}
EMOTION = "wav2vec2-large-robust-12-ft-emotion-msp-dim"


@pytest.mark.parametrize(
    ("found", "pretrained", "overlap"),
    [
        (cell(MFCC), "no", "no"),
        (cell(ssl("wavlm-large")), "speech", "no"),
        (cell(ssl("microsoft/wavlm-large")), "speech", "no"),
        (cell(ssl("wavlm-large"), corpus="mine"), "speech", "unknown"),
        (cell(ssl("wavlm-large"), corpus="emodb+mine"), "speech", "unknown"),
        (cell(ssl("whisper-small")), "speech", "unknown"),
        (cell(ssl("/my/own/model")), "speech", "unknown"),
        (cell(ssl(EMOTION)), "emotion", "no"),
        (cell(MFCC, ssl(EMOTION), ssl("whisper-small")), "emotion", "unknown"),
        (cell({"name": "own", "version": "file-0123456789abcdef", "params": {}}), "unknown", "unknown"),
        (cell(MFCC, tuning={"trials": 2, "features": [[ssl("wavlm-large")]]}), "speech", "no"),
        (cell(members=({"features": [MFCC]}, {"features": [ssl("hubert-base-ls960")]})), "speech", "no"),
    ],
)
def test_a_row_says_what_its_features_were_trained_on(found, pretrained, overlap):
    assert pretraining(found) == {"pretrained": pretrained, "pretraining_overlap": overlap}


def test_a_corpus_that_the_weights_have_heard_is_named(monkeypatch):
    heard = replace(cards.CARDS[0], corpora=frozenset({"emodb"}))
    monkeypatch.setattr(cards, "CARDS", (heard,))
    assert pretraining(cell(ssl("wav2vec2-base")))["pretraining_overlap"] == "yes"
    assert pretraining(cell(ssl("wav2vec2-base"), corpus="savee"))["pretraining_overlap"] == "no"


def test_tables_add_it_to_the_features():
    entry = {"features": "ssl(model=x)", "pretrained": "speech", "pretraining_overlap": "unknown"}
    assert with_pretraining(entry) == "ssl(model=x) [pre-trained: speech, overlap unknown]"
    assert pretraining_text({**entry, "pretrained": "no"}) == ""


@pytest.fixture
def results(tmp_path):
    """A suite `made` of two rows, one of them on an encoder that has heard emotions."""
    table = make_table()
    for features, skill in ((MFCC, 1.0), (ssl(EMOTION), 2.0)):
        row = replace(make_cell(corpus="toy"), features=(features,))
        predictions = make_predictions(table, LABELS, predict(table, skill=skill, seed=0))
        save(tmp_path / "results" / "made", row, predictions)
    return tmp_path / "results"


def test_every_table_tells_such_rows_apart(results, capsys):
    records = load_records(results, "made")
    board = leaderboard(records)
    said = "emotion, overlap unknown"
    assert sorted(board["pretrained"]) == ["emotion", "no"]
    assert said in format_leaderboard(board, "md") and "pre-trained" in format_leaderboard(board, "md")
    assert "pretraining_overlap" in format_leaderboard(board, "csv").partition("\n")[0]
    assert f"[pre-trained: {said}]" in suite_paper(board, "results", "latex").replace("\\_", "_")
    page = write_page(results, "made").read_text()
    assert f"pre-trained: {said}" in page and 'data-pretrained="emotion"' in page
    (row,) = board.loc[board["pretrained"] == "emotion", "row"]
    assert said in report_markdown(row_report(records[records["row"] == row]))
    plain = leaderboard(records[records["row"] != row])
    assert "pre-trained" not in format_leaderboard(plain, "md")


def test_the_leaderboard_keeps_what_is_asked_for(results, capsys):
    app = build_app()
    for kinds, count in ((["no"], 1), (["emotion"], 1), (["no", "emotion"], 2), (["speech"], 0)):
        words = [word for kind in kinds for word in ("--pretrained", kind)]
        app(["leaderboard", "made", "-f", "csv", "--results", str(results), *words], standalone_mode=False)
        assert len(capsys.readouterr().out.strip().splitlines()) == 1 + count
    with pytest.raises(UnknownName, match="did you mean 'emotion'"):
        app(["leaderboard", "made", "--results", str(results), "--pretrained", "emotions"], standalone_mode=False)
