import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from protocol_tables import make_table, tables

from serbench.errors import ProtocolError
from serbench.protocols.audit import audit_split
from serbench.protocols.loso import LOSO
from serbench.protocols.stratified_kfold import STRATIFIED_KFOLD
from serbench.specs import Split


def parts(table, mask):
    return Split("1", tuple(table["id"][~mask]), tuple(table["id"][mask]))


def leaks_of(audit):
    return {leak["kind"]: leak["count"] for leak in audit["leaks"]}


def test_unseen_speakers_are_clean_and_shared_sentences_are_a_note():
    table = make_table()
    audit = audit_split(table, parts(table, table["speaker"] == "demo/01"))
    assert audit["verdict"] == "speaker-independent"
    assert audit["speaker_independent"] is True
    assert audit["leaks"] == []
    assert audit["notes"] == ["3 of 3 test sentences are also in training"]


def test_takes_on_both_sides_are_counted_with_examples():
    table = make_table()
    audit = audit_split(table, parts(table, table["take"] == "1"))
    assert audit["verdict"] == "leaky: speakers shared, repetitions shared"
    assert audit["speaker_independent"] is False
    # 4 speakers; 4 speakers x 3 labels x 3 texts have one take on each side.
    assert leaks_of(audit) == {"speakers shared": 4, "repetitions shared": 36}
    assert audit["leaks"][0]["examples"] == ["demo/00", "demo/01", "demo/02", "demo/03"]


def test_a_text_split_shares_speakers_but_has_no_twins():
    table = make_table()
    audit = audit_split(table, parts(table, table["text"] == "text 0"), independence={"text"})
    assert leaks_of(audit) == {"speakers shared": 4}
    assert audit["notes"] == []


def test_a_sentence_shared_against_a_promise_is_a_leak():
    table = make_table()
    audit = audit_split(table, parts(table, table["speaker"] == "demo/00"), independence={"text"})
    assert leaks_of(audit) == {"sentences shared": 3}
    assert audit["speaker_independent"] is False


def test_equal_audio_across_is_a_leak_and_its_conflicting_label_a_note():
    table = make_table()
    other = table.index[(table["speaker"] == "demo/01") & (table["label"] == "joy")][0]
    table.loc[other, "content"] = table.loc[0, "content"]
    audit = audit_split(table, parts(table, table["speaker"] == "demo/01"))
    assert audit["verdict"] == "leaky: content duplicates"
    assert audit["leaks"][0]["examples"] == ["demo/s00-anger-t0-0 = demo/s01-joy-t0-0"]
    assert any("labels conflict on 1 recordings" in note for note in audit["notes"])


def test_equal_audio_on_one_side_is_no_leak():
    table = make_table()
    table.loc[1, "content"] = table.loc[0, "content"]
    assert audit_split(table, parts(table, table["speaker"] == "demo/01"))["leaks"] == []


def test_the_same_utterance_on_both_sides_is_a_leak():
    table = make_table()
    ids = tuple(table["id"])
    audit = audit_split(table, Split("1", ids, ids[:2]))
    assert leaks_of(audit)["utterances shared"] == 2
    assert "content duplicates" not in leaks_of(audit)


def test_unknown_speakers_give_no_clean_verdict():
    table = make_table().assign(speaker="")
    audit = audit_split(table, parts(table, table["text"] == "text 0"))
    assert audit["verdict"] == "speakers unknown"
    assert audit["speaker_independent"] is False


def test_speaker_normalisation_is_transductive():
    table = make_table()
    clean = parts(table, table["speaker"] == "demo/01")
    assert audit_split(table, clean, normalise="speaker")["verdict"] == "transductive"
    leaky = audit_split(table, parts(table, table["take"] == "1"), normalise="speaker")
    assert leaky["verdict"] == "leaky: speakers shared, repetitions shared; transductive"


def test_class_lists_are_noted():
    table = make_table(speakers=2)
    table = table[(table["label"] != "joy") | (table["speaker"] == "demo/01")]
    table = table[(table["label"] != "neutral") | (table["speaker"] == "demo/00")]
    own = ("anger", "joy", "neutral", "fear")
    notes = audit_split(table, parts(table, table["speaker"] == "demo/01"), corpus_labels=own)["notes"]
    assert "classes tested without training utterances: joy" in notes
    assert "classes without test utterances: neutral" in notes
    assert "3 classes of the corpus' 4" in notes


def merged(labels_of_second):
    return pd.concat(
        [make_table(labels=("anger", "joy")), make_table(labels=labels_of_second, corpus="b", project="b")]
    )


def test_a_corpus_that_tells_the_label_is_noted():
    # Corpus `demo` has anger and joy in equal parts, `b` has only neutral: two of three recalls are 1.
    table = merged(("neutral",))
    notes = audit_split(table, parts(table, table["take"] == "1"))["notes"]
    assert "the corpus alone predicts the label with UAR 0.67 (chance 0.33)" in notes


def test_a_corpus_that_tells_nothing_is_at_chance():
    table = merged(("anger", "joy"))
    notes = audit_split(table, parts(table, table["take"] == "1"))["notes"]
    assert "the corpus alone predicts the label with UAR 0.50 (chance 0.50)" in notes


def test_a_corpus_held_out_has_no_floor():
    table = merged(("anger", "joy"))
    notes = audit_split(table, parts(table, table["corpus"] == "b"))["notes"]
    assert not any("corpus alone" in note for note in notes)


@given(table=tables(), seed=st.integers(0, 3))
@settings(max_examples=8, deadline=None)
def test_the_audit_agrees_with_a_naive_count(table, seed):
    for fold in [*STRATIFIED_KFOLD.split(table, seed, k=3), *LOSO.split(table, seed)]:
        rows = table.set_index("id")
        left, right = rows.loc[list(fold.train)], rows.loc[list(fold.test)]
        speakers = sum(any(a == b for b in left["speaker"]) for a in right["speaker"].unique())
        keys = ["speaker", "text", "label"]
        repetitions = {tuple(row) for row in left[keys].to_numpy()} & {tuple(row) for row in right[keys].to_numpy()}
        expected = {"speakers shared": speakers, "repetitions shared": len(repetitions)}
        assert leaks_of(audit_split(table, fold)) == {kind: count for kind, count in expected.items() if count}


@pytest.mark.parametrize("protocol", [STRATIFIED_KFOLD, LOSO])
def test_the_audit_is_plain_data(protocol):
    import json

    table = make_table()
    audit = audit_split(table, protocol.split(table, 0)[0])
    assert json.loads(json.dumps(audit)) == audit


@pytest.mark.parametrize("side", ["train", "test"])
def test_an_unknown_utterance_is_refused_and_never_taken_for_another(side):
    table = make_table()
    whole = parts(table, table["speaker"] == "demo/01")
    sides = {"train": whole.train, "test": whole.test}
    sides[side] += ("demo/nobody",)
    with pytest.raises(ProtocolError, match="no such utterances: demo/nobody"):
        audit_split(table, Split("1", **sides))
