"""Each adapter on tiny files under the corpus' real names."""

from __future__ import annotations

import pytest

from serbench.corpora.cremad import CREMAD, WOMEN
from serbench.corpora.emodb import EMODB
from serbench.corpora.loading import open_corpus
from serbench.corpora.ravdess import SONG_SPEC, SPEECH_SPEC, TEST_ACTORS
from serbench.corpora.savee import SAVEE
from serbench.corpora.tess import TESS
from serbench.registry import build_registry

COLUMNS = ["utterance", "speaker", "label", "gender", "text", "intensity", "take", "official_fold"]
KIDS, DOGS = "Kids are talking by the door", "Dogs are sitting by the door"
SPOKEN = ["03-01-06-01-02-01-01", "ravdess/01", "fearful", "m", DOGS, "normal", "1", "1"]
SPOKEN_TOO = ["03-01-01-01-01-02-24", "ravdess/24", "neutral", "f", KIDS, "normal", "2", "4"]

EXPECTED = [
    (
        SPEECH_SPEC,
        {
            "Actor_01/03-01-06-01-02-01-01.wav": [
                "03-01-06-01-02-01-01",
                "ravdess/01",
                "fearful",
                "m",
                DOGS,
                "normal",
                "1",
                "1",
            ],
            "x/y/03-01-01-01-01-02-24.flac": [
                "03-01-01-01-01-02-24",
                "ravdess/24",
                "neutral",
                "f",
                KIDS,
                "normal",
                "2",
                "4",
            ],
        },
    ),
    (
        SONG_SPEC,
        {"03-02-05-02-01-01-02.wav": ["03-02-05-02-01-01-02", "ravdess/02", "angry", "f", KIDS, "strong", "1", "5"]},
    ),
    (
        EMODB,
        {
            "wav/03a01Fa.wav": ["03a01Fa", "emodb/03", "happiness", "m", "a01", "", "a", "03"],
            "wav/16b10Td.wav": ["16b10Td", "emodb/16", "sadness", "f", "b10", "", "d", "16"],
            "08a02La.wav": ["08a02La", "emodb/08", "boredom", "f", "a02", "", "a", "08"],
        },
    ),
    (
        SAVEE,
        {
            "DC_a01.wav": ["DC_a01", "savee/DC", "anger", "m", "", "", "", "DC"],
            "KL/su15.wav": ["KL_su15", "savee/KL", "surprise", "m", "", "", "", "KL"],
            "JE/n30.wav": ["JE_n30", "savee/JE", "neutral", "m", "", "", "", "JE"],
        },
    ),
    (
        TESS,
        {
            "OAF_Fear/OAF_back_fear.wav": ["OAF_back_fear", "tess/OAF", "fear", "f", "back", "", "", "OAF"],
            "YAF_back_ps.wav": ["YAF_back_ps", "tess/YAF", "pleasant surprise", "f", "back", "", "", "YAF"],
            "OA_bite_neutral.wav": ["OAF_bite_neutral", "tess/OAF", "neutral", "f", "bite", "", "", "OAF"],
        },
    ),
    (
        CREMAD,
        {
            "1001_DFA_ANG_XX.wav": ["1001_DFA_ANG_XX", "cremad/1001", "anger", "m", "DFA", "", "", "1"],
            "1002_IEO_SAD_HI.mp3": ["1002_IEO_SAD_HI", "cremad/1002", "sad", "f", "IEO", "high", "", "1"],
            "1040_ITH_SAD_X.wav": ["1040_ITH_SAD_XX", "cremad/1040", "sad", "m", "ITH", "", "", "3"],
            "1091_IEO_NEU_LO.ogg": ["1091_IEO_NEU_LO", "cremad/1091", "neutral", "f", "IEO", "low", "", "5"],
        },
    ),
]


@pytest.mark.parametrize(("spec", "files"), EXPECTED, ids=lambda value: getattr(value, "name", ""))
def test_names_are_read(spec, files, circumstances, make_wav):
    for name in files:
        make_wav(circumstances.data / spec.name / name, seconds=0.2)
    table = open_corpus(spec, circumstances).table
    found = table.set_index("utterance", drop=False)[COLUMNS]
    for row in files.values():
        assert found.loc[row[0]].tolist() == row
    assert table["id"].tolist() == sorted(f"{spec.name}/{row[0]}" for row in files.values())


STRANGE = [
    (
        SPEECH_SPEC,
        "03-01-06-01-02-01-01",
        ["03-01-09-01-02-01-01", "03-01-06-01-02-01-25", "03-01-06-01-02-01-00", "notes"],
    ),
    (EMODB, "03a01Fa", ["04a01Fa", "03a01Xa", "03a01F"]),
    (SAVEE, "DC_a01", ["DC_a16", "DC_a00", "XX_a01", "DC_su31"]),
    (TESS, "OAF_back_angry", ["OAF_back_bored", "UAF_back_angry"]),
    (CREMAD, "1001_DFA_ANG_XX", ["1092_DFA_ANG_XX", "1001_XYZ_ANG_XX", "1001_DFA_JOY_XX"]),
]


@pytest.mark.parametrize(("spec", "good", "strange"), STRANGE, ids=lambda value: getattr(value, "name", ""))
def test_unknown_names_are_passed_over_and_named(spec, good, strange, circumstances, make_wav):
    for stem in (good, *strange):
        make_wav(circumstances.data / spec.name / f"{stem}.wav")
    corpus = open_corpus(spec, circumstances)
    unknown = next(item for item in corpus.findings if item.kind == "unknown name")
    assert corpus.used == 1
    assert set(unknown.utterances) == {f"{stem}.wav" for stem in strange}


def test_speech_and_song_may_share_a_folder(circumstances, make_wav):
    for stem in ("03-01-06-01-02-01-01", "03-02-06-01-02-01-01"):
        for name in ("ravdess_speech", "ravdess_song"):
            make_wav(circumstances.data / name / f"{stem}.wav")
    for spec in (SPEECH_SPEC, SONG_SPEC):
        corpus = open_corpus(spec, circumstances)
        assert corpus.used == 1
        assert not [item for item in corpus.findings if item.kind == "unknown name"]


def test_hidden_copies_are_passed_over(circumstances, make_wav):
    root = circumstances.data / "emodb"
    make_wav(root / "03a01Fa.wav")
    for stray in ("._03a01Wa.wav", "__MACOSX/03a01Na.wav", ".trash/03a02Wa.wav"):
        make_wav(root / stray)
    assert open_corpus(EMODB, circumstances).table["utterance"].tolist() == ["03a01Fa"]


def test_the_shallowest_of_repeated_files_is_used(circumstances, make_wav):
    root = circumstances.data / "emodb"
    make_wav(root / "copy" / "again" / "03a01Fa.wav")
    make_wav(root / "wav" / "03a01Fa.wav")
    corpus = open_corpus(EMODB, circumstances)
    repeated = next(item for item in corpus.findings if item.kind == "repeated")
    assert corpus.table["path"].item() == str(root / "wav" / "03a01Fa.wav")
    assert repeated.utterances == ("copy/again/03a01Fa.wav",)


@pytest.mark.parametrize(
    ("spec", "name", "missing", "example"),
    [
        (SPEECH_SPEC, "03-01-01-01-01-01-01.wav", 1439, "03-01-08-02-02-02-24"),
        (SONG_SPEC, "03-02-01-01-01-01-01.wav", 1011, "03-02-06-02-02-02-24"),
        (SAVEE, "DC_a01.wav", 479, "KL_n30"),
        (TESS, "OAF_back_angry.wav", 13, "YAF_back_ps"),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_missing_utterances_are_named_from_the_design(spec, name, missing, example, circumstances, make_wav):
    make_wav(circumstances.data / spec.name / name)
    corpus = open_corpus(spec, circumstances)
    finding = next(item for item in corpus.findings if item.kind == "missing")
    assert len(finding.utterances) == missing
    assert example in finding.utterances
    assert corpus.partial
    assert corpus.notes[0] == f"partial: 1 of {spec.utterances} utterances"


def test_official_folds_partition_the_actors():
    actors = [actor for fold in TEST_ACTORS for actor in fold]
    assert sorted(actors) == list(range(1, 25))
    assert all(len(fold) == 4 for fold in TEST_ACTORS)


def test_cremad_gender_counts_are_the_published_ones():
    assert len(WOMEN) == 43  # of 91 actors, 48 are men (Cao et al. 2014)


def test_every_corpus_that_was_read_for_real_is_tested_here():
    cards = [spec for spec in build_registry().all("corpus") if not (spec.embedded or spec.user_named)]
    read = {spec.name for spec in cards if not spec.verified.startswith("on its documented names")}
    tested = {spec.name for spec, _ in EXPECTED}
    assert read <= tested
    # Speech and song share their names' rules.
    assert tested - {SONG_SPEC.name} == {spec.name for spec, _, _ in STRANGE}
