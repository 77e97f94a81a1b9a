"""Small task tables, built by hand or drawn by hypothesis."""

import itertools

import pandas as pd
from hypothesis import strategies as st

LABELS = ("anger", "joy", "neutral")


def make_table(
    speakers=4, labels=LABELS, texts=3, takes=2, project="demo", corpus="demo", *, keep=lambda position: True
):
    """Every speaker says every text with every label, `takes` times; `keep` thins it out by position."""
    rows = []
    combinations = itertools.product(range(speakers), labels, range(texts), range(takes))
    for position, (speaker, label, text, take) in enumerate(combinations):
        if not keep(position):
            continue
        utterance = f"s{speaker:02d}-{label}-t{text}-{take}"
        rows.append(
            {
                "id": f"{corpus}/{utterance}",
                "corpus": corpus,
                "utterance": utterance,
                "path": f"{utterance}.wav",
                "speaker": f"{project}/{speaker:02d}",
                "label": label,
                "gender": "fm"[speaker % 2],
                "text": f"text {text}",
                "intensity": "",
                "take": str(take),
                "official_fold": str(1 + speaker // 2),
                "duration": 2.0,
                "content": f"audio of {corpus}/{utterance}",
            }
        )
    return pd.DataFrame(rows)


@st.composite
def tables(draw, least_speakers=2, least_texts=2):
    """Irregular tables: some utterances are missing, every class keeps at least six."""
    speakers = draw(st.integers(least_speakers, 9))
    texts = draw(st.integers(least_texts, 6))
    labels = LABELS[: draw(st.integers(2, 3))]
    full = make_table(speakers, labels, texts, 3)
    missing = draw(st.sets(st.integers(0, len(full) - 1), max_size=len(full) // 3))
    table = full.drop(index=list(missing)).reset_index(drop=True)
    enough = table["label"].value_counts().reindex(labels, fill_value=0).min() >= 6
    return table if enough else full


def only(table, split, side="test"):
    """Rows of one side of a split."""
    return table[table["id"].isin(getattr(split, side))]
