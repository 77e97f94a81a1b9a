"""Shortcuts that were planted into made corpora are found, and clean corpora have none."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import soundfile

from serbench.features.shortcuts import FACTS
from serbench.registry import build_registry
from serbench.runner.shortcuts import FILE_SIZE, SENTENCE, SPEAKER, TOGETHER, find_shortcuts, shortcut_lines

RATE, SPEAKERS, LABELS, TAKES = 8_000, 6, 3, 8


def lowpassed(signal, label, _):
    from scipy.signal import butter, sosfilt

    return signal if label else sosfilt(butter(12, 2_000, fs=RATE, output="sos"), signal)


PLANTED = {
    "gain": (lambda signal, label, random: signal * (0.5 + 0.2 * label), {"peak"}),
    "DC": (lambda signal, label, random: signal + 0.002 * label, {"DC"}),
    "bandwidth": (lowpassed, {"bandwidth"}),
    "padding": (lambda signal, label, random: np.append(signal, np.zeros(400 * label)), {"trailing silence"}),
    "length": (
        lambda signal, label, random: np.append(signal, np.resize(signal[-800:], 2_400 * label)),
        {"samples", FILE_SIZE},
    ),
}


@pytest.fixture
def corpus_of(tmp_path):
    """Make a task table of noise bursts, into which `change(signal, label, random)` plants something."""

    def make(change, **columns) -> pd.DataFrame:
        random, rows = np.random.default_rng(0), []
        for speaker in range(SPEAKERS):
            for number in range(LABELS * TAKES):
                label = number % LABELS
                # Whole frames of silence; speakers differ in level, as real ones do.
                length = 80 * int(random.integers(30, 60))
                burst = random.normal(0, 0.03 * (1 + speaker % 2), length)
                burst *= random.uniform(0.99, 1.01) * 0.12 / np.abs(burst).max() if change else 1
                signal = np.concatenate([np.zeros(80 * int(random.integers(2, 6))), burst])
                path = tmp_path / f"{speaker}_{number}.wav"
                soundfile.write(path, change(signal, label, random) if change else signal, RATE)
                rows.append((f"made/{path.stem}", str(path), f"made/{speaker}", f"label {label}", str(number % 5)))
        table = pd.DataFrame(rows, columns=["id", "path", "speaker", "label", "text"])
        return table.assign(content=table["id"], corpus="made", **columns)

    return make


@pytest.fixture
def facts_of(circumstances):
    def find(table):
        found = find_shortcuts(table, build_registry(), circumstances)
        return {entry["fact"]: entry for entry in found["facts"]}, found

    return find


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_shortcut_is_found_and_named(corpus_of, facts_of, name):
    change, telling = PLANTED[name]
    facts, _ = facts_of(corpus_of(change))
    assert facts[TOGETHER]["tells"]
    for fact in telling:
        assert facts[fact]["tells"] and facts[fact]["uar"] > 0.6
    # It is not put down to what has nothing to do with it.
    for fact in {"leading silence", SENTENCE, SPEAKER}:
        assert not facts[fact]["tells"]


def test_a_corpus_without_shortcuts_has_none(corpus_of, facts_of):
    facts, found = facts_of(corpus_of(None))
    assert [name for name, entry in facts.items() if entry["tells"]] == []
    assert facts["rate"]["uar"] is None and facts["rate"]["note"] == "the same everywhere"
    assert set(facts) == {*FACTS, FILE_SIZE, SENTENCE, SPEAKER, TOGETHER}
    text = "\n".join(shortcut_lines("made", found))
    assert "chance is UAR 33.3 %" in text and "must beat" not in text


def test_sentence_and_speaker_are_shortcuts_where_they_go_with_the_label(corpus_of, facts_of):
    table = corpus_of(None)
    by_text = table.assign(text="sentence of " + table["label"])
    assert facts_of(by_text)[0][SENTENCE]["uar"] == pytest.approx(1)
    # Half of the speakers never say the third label.
    few = table[~(table["speaker"].isin(["made/0", "made/1", "made/2"]) & (table["label"] == "label 2"))]
    facts, _ = facts_of(few.reset_index(drop=True))
    assert facts[SPEAKER]["tells"] and not facts[SENTENCE]["tells"]


def test_unknown_speakers_are_told(corpus_of, facts_of):
    table = corpus_of(PLANTED["gain"][0])
    facts, found = facts_of(table.assign(speaker="", text=""))
    assert facts["peak"]["tells"] and facts[SPEAKER]["uar"] is None and facts[SENTENCE]["uar"] is None
    assert "not unseen" in found["notes"][0]
