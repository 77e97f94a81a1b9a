"""Adapters of corpora that are read by their documented names: tiny file trees, right and strange names."""

from __future__ import annotations

import pytest

from serbench.corpora.aesdd import AESDD
from serbench.corpora.cafe import CAFE
from serbench.corpora.emovo import EMOVO
from serbench.corpora.esd import ESD
from serbench.corpora.identification import identify_corpus
from serbench.corpora.jl_corpus import JL_CORPUS
from serbench.corpora.loading import open_corpus
from serbench.corpora.mesd import MESD
from serbench.corpora.nemo import NEMO
from serbench.corpora.shemo import SHEMO
from serbench.corpora.subesco import SUBESCO
from serbench.corpora.turev import TUREV
from serbench.errors import CorpusError
from serbench.registry import build_registry

COLUMNS = ["utterance", "speaker", "label", "gender", "text", "intensity", "take"]

EXPECTED = [
    (
        EMOVO,
        {
            "f1/dis-f1-b1.wav": ["dis-f1-b1", "emovo/f1", "disgust", "f", "b1", "", ""],
            "EMOVO/m3/gio-m3-n5.wav": ["gio-m3-n5", "emovo/m3", "joy", "m", "n5", "", ""],
        },
    ),
    (
        TUREV,
        {
            "Sound Source/Angry/1157_kz_acik.wav": ["1157_kz_acik", "turev/1157", "angry", "", "acik", "", ""],
            "Sound Source/Sad/7895_hl_ogul1.wav": ["7895_hl_ogul1", "turev/7895", "sad", "", "ogul", "", "1"],
            "Sound Source/Calm/1984_sk_eger.wav": ["1984_sk_eger", "turev/1984", "calm", "", "eger", "", ""],
        },
    ),
    (
        JL_CORPUS,
        {
            "JL(wav+txt)/male2_concerned_6b_1.wav": [
                "male2_concerned_6b_1",
                "jl_corpus/male2",
                "concerned",
                "m",
                "6",
                "",
                "b1",
            ],
            "female1_angry_15a_2.wav": ["female1_angry_15a_2", "jl_corpus/female1", "angry", "f", "15", "", "a2"],
        },
    ),
    (
        ESD,
        {
            "0011/Angry/0011_000351.wav": ["0011_000351", "esd/0011", "angry", "m", "english 1", "", ""],
            "0001/Surprise/test/0001_001750.wav": ["0001_001750", "esd/0001", "surprise", "f", "chinese 350", "", ""],
            "0019/Neutral/0019_000350.wav": ["0019_000350", "esd/0019", "neutral", "f", "english 350", "", ""],
        },
    ),
    (
        SHEMO,
        {
            "male/M36S02.wav": ["M36S02", "shemo/M36", "sadness", "m", "", "", ""],
            "female/F21W23.wav": ["F21W23", "shemo/F21", "surprise", "f", "", "", ""],
        },
    ),
    (
        SUBESCO,
        {
            "F_10_FAHMEE_S_6_FEAR_5.wav": ["F_10_FAHMEE_S_6_FEAR_5", "subesco/F_10", "fear", "f", "S_6", "", "5"],
            "F_02_MONIKA_S_2_SURPRISE_3].wav": [
                "F_02_MONIKA_S_2_SURPRISE_3",
                "subesco/F_02",
                "surprise",
                "f",
                "S_2",
                "",
                "3",
            ],
        },
    ),
    (
        MESD,
        {
            "MESD/Anger_F_A_tarde.wav": ["Anger_F_A_tarde", "mesd/F", "anger", "f", "tarde", "", ""],
            "Sadness_C_A_de_nada.wav": ["Sadness_C_A_de_nada", "mesd/C", "sadness", "", "de_nada", "", ""],
        },
    ),
    (
        CAFE,
        {
            "CaFE_48k/Peur/Fort/12-P-2-5.wav": ["12-P-2-5", "cafe/12", "fear", "f", "5", "strong", ""],
            "CaFE_48k/Neutre/01-N-1-6.wav": ["01-N-1-6", "cafe/01", "neutral", "m", "6", "", ""],
        },
    ),
    (
        AESDD,
        {
            "anger/a03 (3).wav": ["a03 (3)", "aesdd/3", "anger", "", "03", "", ""],
            "fear/f18 (5)b.wav": ["f18 (5)b", "aesdd/5", "fear", "", "18", "", "b"],
            "sadness/s20 (01).wav": ["s20 (01)", "aesdd/1", "sadness", "", "20", "", ""],
        },
    ),
]


@pytest.mark.parametrize(("spec", "files"), EXPECTED, ids=lambda value: getattr(value, "name", ""))
def test_names_are_read(spec, files, circumstances, make_wav):
    for name in files:
        make_wav(circumstances.data / spec.name / name)
    found = open_corpus(spec, circumstances).table.set_index("utterance", drop=False)[COLUMNS]
    assert sorted(found.index) == sorted(row[0] for row in files.values())
    for row in files.values():
        assert found.loc[row[0]].tolist() == row


STRANGE = [
    (EMOVO, "dis-f1-b1", ["dis-f4-b1", "dis-f1-b9", "joy-f1-b1"]),
    (TUREV, "1157_kz_acik", ["1158_kz_acik", "1157_xx_acik", "acik"]),
    (JL_CORPUS, "male1_sad_1a_1", ["male3_sad_1a_1", "male1_sad_16a_1", "male1_bored_1a_1"]),
    (ESD, "0011_000001", ["0021_000001", "0011_001751", "0011_000000", "0011_1"]),
    (SHEMO, "M36S02", ["X36S02", "M36Q02", "M36S2"]),
    (SUBESCO, "M_01_NIPUN_S_1_SAD_1", ["M_11_NIPUN_S_1_SAD_1", "M_01_NIPUN_S_11_SAD_1", "M_01_NIPUN_S_1_CALM_1"]),
    (MESD, "Anger_F_A_tarde", ["Anger_X_A_tarde", "Surprise_F_A_tarde", "Anger_F_C_tarde"]),
    (CAFE, "01-C-1-1", ["13-C-1-1", "01-C-3-1", "01-N-2-1", "01-C-1-7"]),
    (AESDD, "a03 (3)", ["n03 (3)", "a21 (3)", "a03 (7)", "a03"]),
]


@pytest.mark.parametrize(("spec", "good", "strange"), STRANGE, ids=lambda value: getattr(value, "name", ""))
def test_unknown_names_are_passed_over_and_named(spec, good, strange, circumstances, make_wav):
    for stem in (good, *strange):
        make_wav(circumstances.data / spec.name / f"{stem}.wav")
    corpus = open_corpus(spec, circumstances)
    unknown = next(item for item in corpus.findings if item.kind == "unknown name")
    assert corpus.table["utterance"].tolist() == [good]
    assert set(unknown.utterances) == {f"{stem}.wav" for stem in strange}


@pytest.mark.parametrize(
    ("spec", "count"), [(EMOVO, 588), (JL_CORPUS, 2400), (CAFE, 936)], ids=lambda value: getattr(value, "name", "")
)
def test_the_design_has_the_published_size(spec, count, circumstances, make_wav):
    make_wav(circumstances.data / spec.name / f"{next(s for t, s, _ in STRANGE if t is spec)}.wav")
    missing = next(item for item in open_corpus(spec, circumstances).findings if item.kind == "missing")
    assert len(missing.utterances) == count - 1 == spec.utterances - 1


def test_filtered_copies_of_turev_are_not_repeated(circumstances, make_wav):
    root = circumstances.data / "turev"
    make_wav(root / "Sound Source" / "Angry" / "1157_kz_acik.wav")
    make_wav(root / "Model Output for Test Data" / "sound" / "1157_kz_acik.wav")
    assert [item.kind for item in open_corpus(TUREV, circumstances).findings] == ["missing"]


def test_a_language_of_esd_is_a_part_with_a_design_of_its_own(circumstances, make_wav):
    make_wav(circumstances.data / "esd" / "0011_000001.wav")
    make_wav(circumstances.data / "esd" / "0001_000001.wav")
    english = open_corpus(ESD, circumstances, options={"part": "english"})
    assert english.table["speaker"].tolist() == ["esd/0011"]
    assert english.design == 17_500
    with pytest.raises(CorpusError, match="allowed: all, english, chinese"):
        open_corpus(ESD, circumstances, options={"part": "french"})


TSV = (
    "file_id\temotion\traw_text\tnormalized_text\tspeaker_id\tgender\tage\n"
    "EB0_anger_1.wav\tanger\tLubię „czytać” przed snem.\tlubię\t        EB0\tfemale\t27\n"
    "KS0_surprised_10.wav\tsurprised\tKupiłem nową szafę.\tkupiłem\t        KS0\tmale\t23\n"
    "WR0_fear_2.wav\tfear\tNie waśńmy się.\tnie\t        WR0\tmale\t23\n"
)


def test_nemo_reads_texts_and_speakers_from_its_table(circumstances, make_wav):
    root = circumstances.data / "nemo" / "nEMO-main"
    for stem in ("EB0_anger_1", "KS0_surprised_10", "EB0_anger_99"):
        make_wav(root / "samples" / f"{stem}.wav")
    (root / "data.tsv").write_text(TSV, encoding="utf-8")
    corpus = open_corpus(NEMO, circumstances)
    rows = corpus.table[["utterance", "speaker", "label", "gender", "text", "age"]].values.tolist()
    assert rows == [
        ["EB0_anger_1", "nemo/EB0", "anger", "f", "Lubię „czytać” przed snem.", "27"],
        ["KS0_surprised_10", "nemo/KS0", "surprised", "m", "Kupiłem nową szafę.", "23"],
    ]
    kinds = {item.kind: item.utterances for item in corpus.findings}
    assert kinds == {"missing": ("WR0_fear_2",), "unknown name": ("nEMO-main/samples/EB0_anger_99.wav",)}


def test_a_table_that_is_no_text_is_said(circumstances, make_wav):
    make_wav(circumstances.data / "nemo" / "samples" / "EB0_anger_1.wav")
    (circumstances.data / "nemo" / "data.tsv").write_bytes(b"f\xe9\xff\tx")
    with pytest.raises(CorpusError, match="cannot be read"):
        open_corpus(NEMO, circumstances)
    # Nor does it keep other corpora from being told apart.
    assert identify_corpus(circumstances.data / "nemo") == ""


def test_folders_that_are_links_are_entered_once(circumstances, make_wav, tmp_path):
    make_wav(tmp_path / "elsewhere" / "dis-f1-b1.wav")
    root = circumstances.data / "emovo"
    root.mkdir(parents=True)
    (root / "f1").symlink_to(tmp_path / "elsewhere")
    (root / "again").symlink_to(tmp_path / "elsewhere")
    (root / "all").symlink_to(circumstances.data)
    table = open_corpus(EMOVO, circumstances)
    assert table.used == 1 and not [finding for finding in table.findings if finding.kind == "repeated"]


def test_nemo_without_its_table_says_so(circumstances, make_wav):
    make_wav(circumstances.data / "nemo" / "samples" / "EB0_anger_1.wav")
    with pytest.raises(CorpusError, match=r"data\.tsv is not there"):
        open_corpus(NEMO, circumstances)
    (circumstances.data / "nemo" / "data.tsv").write_text("file_id\tgender\nEB0_anger_1.wav\tfemale\n")
    with pytest.raises(CorpusError, match="lacks the column raw_text, age"):
        open_corpus(NEMO, circumstances)


CARDS = [spec for spec in build_registry().all("corpus") if spec.labels]


@pytest.mark.parametrize("spec", CARDS, ids=lambda spec: spec.name)
def test_cards_are_complete(spec):
    for field in ("language", "licence", "terms", "citation", "elicitation", "hours", "verified", "speakers"):
        assert getattr(spec, field), field
    assert spec.embedded or spec.homepage.startswith("http")
    assert bool(spec.sources) + bool(spec.steps) + spec.embedded == 1
    for source in spec.sources:
        assert source.url.startswith("https://")
        assert not source.checksum or (source.stated and source.checksum.split(":")[0] in ("md5", "sha256"))


def test_every_corpus_of_documented_names_is_tested_here():
    named = {spec.name for spec in CARDS if spec.verified.startswith("on its documented names")}
    assert named - {spec.name for spec, _ in EXPECTED} <= {"cremad", "iemocap", "nemo", "savee", "tess"}  # tested apart
