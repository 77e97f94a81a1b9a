"""`serbench list corpora`: every card in a line, also on a narrow terminal."""

from __future__ import annotations

import pytest
from rich.console import Console

from serbench.cli import list as listing
from serbench.registry import build_registry

CARDS = build_registry().all("corpus")


@pytest.mark.parametrize("width", [80, 200])
def test_every_card_is_listed_and_fits(width, serbench, monkeypatch):
    monkeypatch.setattr(listing, "make_console", lambda: Console(width=width))
    lines = serbench("list", "corpora").out.splitlines()
    table = lines[: lines.index("")]
    assert max(map(len, table)) <= width
    first_words = [line.split()[0] for line in table]
    assert all(spec.name in first_words for spec in CARDS)


def test_a_line_says_what_the_card_says(serbench):
    lines = {line.split()[0]: line for line in serbench("list", "corpora").out.splitlines() if line}
    assert lines["emodb"].split() == ["emodb", "German", "10", "0.4", "7", "CC", "BY", "4.0", "acted", "download"]
    assert lines["savee"].rstrip().endswith("by hand")
    assert "acted, improvised" in lines["iemocap"]
    assert lines["synthetic"].rstrip().endswith("made here")
