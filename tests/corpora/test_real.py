"""The real corpora, where they are."""

from __future__ import annotations

import dataclasses

import pytest

from serbench.corpora.cremad import CREMAD
from serbench.corpora.emodb import EMODB
from serbench.corpora.labels import apply_labels, resolve_labels
from serbench.corpora.loading import merge, open_corpus
from serbench.corpora.ravdess import SONG_SPEC, SPEECH_SPEC

pytestmark = pytest.mark.real
DOUBLED = ("03-01-03-01-02-01-07", "03-01-03-01-02-02-07")


@pytest.fixture
def real(circumstances, real_data, shared_cache):
    return dataclasses.replace(
        circumstances, data=real_data, cache=shared_cache, corpus_paths={"cremad": real_data / "cremad_part"}
    )


@pytest.mark.parametrize(
    ("spec", "found", "used", "speakers", "partial"),
    [
        (SPEECH_SPEC, 1440, 1439, 24, False),
        (SONG_SPEC, 1012, 1012, 23, False),
        (EMODB, 535, 535, 10, False),
        (CREMAD, 649, 647, 8, True),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_counts(real, spec, found, used, speakers, partial):
    corpus = open_corpus(spec, real)
    assert (corpus.found, corpus.used, corpus.partial) == (found, used, partial)
    assert corpus.table["speaker"].nunique() == speakers
    assert set(corpus.table["label"]) == set(spec.labels)
    assert open_corpus(spec, real, options={"defects": "keep"}).used == found


def test_the_two_identical_files_of_actor_7(real):
    corpus = open_corpus(SPEECH_SPEC, dataclasses.replace(real, strict=True))
    doubled = next(item for item in corpus.findings if item.kind == "doubled")
    assert doubled.utterances == DOUBLED
    assert doubled.known
    assert DOUBLED[0] in set(corpus.table["utterance"])
    assert DOUBLED[1] not in set(corpus.table["utterance"])


def test_cremad_part_is_called_partial_and_its_conflict_is_named(real):
    corpus = open_corpus(CREMAD, real)
    assert corpus.count == "647 of 7442"
    assert corpus.notes[0] == "partial: 647 of 7442 utterances"
    assert "1006_TIE_HAP_XX, 1006_TIE_NEU_XX" in corpus.notes[1]
    assert set(corpus.table["official_fold"]) == {"1"}


def test_emotions_of_ravdess_speech_by_the_design(real):
    counts = open_corpus(SPEECH_SPEC, real, options={"defects": "keep"}).table["label"].value_counts()
    assert counts.pop("neutral") == 96
    assert counts.eq(192).all()


def test_all_corpora_merge_under_common_labels(real):
    corpora = [open_corpus(spec, real) for spec in (SPEECH_SPEC, SONG_SPEC, EMODB, CREMAD)]
    table = apply_labels(merge(corpora), resolve_labels("common6", [corpus.spec for corpus in corpora]))
    assert table["label"].nunique() == 6
    assert table["speaker"].nunique() == 24 + 10 + 8  # the singers are the speakers
    assert table["id"].is_unique


def test_48_khz_originals_are_the_same_length_as_their_copies(real, real_data):
    from serbench.corpora.audio import decode

    copies = real_data / "ravdess_speech" / "Actor_01"
    for path in sorted((real_data / "ravdess_48k").rglob("*.wav")):
        copy = next(copies.glob(f"{path.stem}.*"))
        assert abs(len(decode(path)) - len(decode(copy))) <= 1
