"""Opening a corpus: what is used, what is left out, and that it is said."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from serbench.corpora.cremad import CREMAD
from serbench.corpora.emodb import EMODB
from serbench.corpora.folder import FOLDER
from serbench.corpora.loading import derive_spec, inspect_corpus, merge, open_corpus
from serbench.corpora.manifest import MANIFEST
from serbench.corpora.presence import corpus_present
from serbench.corpora.ravdess import SPEECH_SPEC
from serbench.corpora.table import COLUMNS
from serbench.errors import CorpusError, UnknownName


def kinds(corpus) -> dict[str, tuple[str, ...]]:
    return {item.kind: item.utterances for item in corpus.findings}


@pytest.fixture
def emodb(circumstances, make_wav):
    """Folder of a small EMO-DB of four good files."""
    root = circumstances.data / "emodb"
    for stem in ("03a01Fa", "03a01Wa", "08a01Na", "08a02Ta"):
        make_wav(root / f"{stem}.wav", seconds=0.1)
    return root


def test_the_table_has_the_promised_shape(emodb, circumstances):
    table = open_corpus(EMODB, circumstances).table
    assert tuple(table.columns) == COLUMNS
    assert table.index.equals(pd.RangeIndex(4))
    assert table["id"].is_monotonic_increasing
    assert table["duration"].tolist() == [0.1] * 4
    assert table["content"].nunique() == 4
    assert table.attrs == {}


def test_a_corpus_of_other_place_is_found(emodb, circumstances, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    emodb.rename(elsewhere)
    assert not corpus_present(EMODB, circumstances)
    moved = dataclasses.replace(circumstances, corpus_paths={"emodb": elsewhere})
    assert corpus_present(EMODB, moved)
    assert open_corpus(EMODB, moved).used == 4


def test_absent_corpus_says_where_to_get_it(circumstances):
    with pytest.raises(CorpusError, match="'emodb' is not here") as caught:
        open_corpus(EMODB, circumstances)
    message = str(caught.value)
    assert EMODB.homepage in message
    assert "--corpus-path emodb=" in message
    assert str(circumstances.data / "emodb") in message


def test_an_empty_folder_is_absent(circumstances):
    (circumstances.data / "emodb").mkdir(parents=True)
    assert not corpus_present(EMODB, circumstances)
    with pytest.raises(CorpusError, match="not here"):
        open_corpus(EMODB, circumstances)


def test_a_folder_of_other_names_says_so(circumstances, make_wav):
    make_wav(circumstances.data / "emodb" / "song.wav")
    with pytest.raises(CorpusError, match=r"other names are there, such as song\.wav"):
        open_corpus(EMODB, circumstances)


def test_same_audio_same_label_keeps_the_first(emodb, circumstances, make_wav):
    make_wav(emodb / "10a01Wa.wav", seed=1)
    make_wav(emodb / "deep" / "03a02Wa.flac", seed=1)
    corpus = open_corpus(EMODB, circumstances)
    assert kinds(corpus)["doubled"] == ("03a02Wa", "10a01Wa")
    assert "03a02Wa" in set(corpus.table["utterance"])
    assert "10a01Wa" not in set(corpus.table["utterance"])
    assert any("10a01Wa" in note for note in corpus.notes)


def test_same_audio_under_two_labels_drops_both(emodb, circumstances, make_wav):
    for stem in ("10a01Wa", "10a01Na", "10a01Wb"):
        make_wav(emodb / f"{stem}.wav", seed=1)
    corpus = open_corpus(EMODB, circumstances)
    assert kinds(corpus)["conflicting"] == ("10a01Na", "10a01Wa", "10a01Wb")
    assert corpus.used == 4


def test_unusable_files_are_left_out_and_named(emodb, circumstances, make_wav):
    make_wav(emodb / "10a01Wa.wav", signal=np.zeros(800))
    make_wav(emodb / "10a02Wa.wav", signal=np.zeros(900))
    (emodb / "10a04Wa.wav").write_bytes(b"nothing")
    (emodb / "10a05Wa.wav").write_text("version https://git-lfs.github.com/spec/v1\n")
    corpus = open_corpus(EMODB, circumstances)
    found = kinds(corpus)
    assert found["silent"] == ("10a01Wa", "10a02Wa")
    assert found["undecodable"] == ("10a04Wa",)
    assert found["LFS pointer"] == ("10a05Wa",)
    assert (corpus.used, corpus.found) == (4, 8)
    for stem in ("10a01Wa", "10a02Wa", "10a04Wa", "10a05Wa"):
        assert any(stem in note for note in corpus.notes)


def test_keeping_defects_reproduces_the_published_set(emodb, circumstances, make_wav):
    for stem in ("10a01Wa", "10a01Na"):
        make_wav(emodb / f"{stem}.wav", seed=1)
    make_wav(emodb / "10a02Wa.wav", signal=np.zeros(800))
    (emodb / "10a04Wa.wav").write_bytes(b"nothing")
    corpus = open_corpus(EMODB, circumstances, options={"defects": "keep"})
    assert corpus.used == 7  # all that can be decoded
    assert {"conflicting", "silent", "undecodable"} <= set(kinds(corpus))


def test_strict_refuses_what_the_card_does_not_declare(circumstances, make_wav):
    spec = dataclasses.replace(EMODB, utterances=2, defects=("10a01Wa and 10a01Wb hold the same audio",))
    root = circumstances.data / "emodb"
    for stem in ("10a01Wa", "10a01Wb"):
        make_wav(root / f"{stem}.wav", seed=1)
    strict = dataclasses.replace(circumstances, strict=True)
    assert open_corpus(spec, strict).used == 1
    make_wav(root / "10a02Wa.wav", signal=np.zeros(800))
    with pytest.raises(CorpusError, match="silent: 10a02Wa"):
        open_corpus(spec, strict)
    assert open_corpus(spec, circumstances).used == 1


def test_nothing_usable_is_an_error_with_its_reason(circumstances):
    root = circumstances.data / "cremad"
    root.mkdir(parents=True)
    (root / "1001_DFA_ANG_XX.wav").write_text("version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(CorpusError, match="Git LFS pointer"):
        open_corpus(CREMAD, circumstances)


def test_options_are_checked(emodb, circumstances):
    with pytest.raises(UnknownName, match="unknown option of corpus 'emodb' 'defect'") as caught:
        open_corpus(EMODB, circumstances, options={"defect": "keep"})
    assert "did you mean 'defects'" in str(caught.value)
    with pytest.raises(CorpusError, match="allowed: drop, keep"):
        open_corpus(EMODB, circumstances, options={"defects": "maybe"})


def test_labels_beside_the_card_are_refused(emodb, circumstances):
    with pytest.raises(CorpusError, match=r"not on the card of 'emodb': sadness"):
        open_corpus(dataclasses.replace(EMODB, labels=("anger", "happiness", "neutral")), circumstances)


def test_fingerprint_follows_content_not_place(emodb, circumstances, make_wav, tmp_path):
    first = open_corpus(EMODB, circumstances).fingerprint
    (emodb / "below").mkdir()
    (emodb / "03a01Fa.wav").rename(emodb / "below" / "03a01Fa.wav")
    assert open_corpus(EMODB, circumstances).fingerprint == first
    make_wav(emodb / "03a01Wa.wav", seed=5)
    changed = open_corpus(EMODB, circumstances).fingerprint
    make_wav(emodb / "03a01Wb.wav", seed=6)
    assert len({first, changed, open_corpus(EMODB, circumstances).fingerprint}) == 3


def test_inspection_adds_clipping_and_ignores_strict(emodb, circumstances, make_wav):
    make_wav(emodb / "10a01Wa.wav", signal=np.clip(3 * np.sin(np.arange(800) / 5), -1, 1))
    corpus, findings = inspect_corpus(EMODB, dataclasses.replace(circumstances, strict=True))
    assert next(item for item in findings if item.kind == "clipped").utterances == ("10a01Wa",)
    assert "10a01Wa" in set(corpus.table["utterance"])


def test_merging_keeps_people_apart_or_together(emodb, circumstances, make_wav):
    make_wav(circumstances.data / "ravdess_speech" / "03-01-06-01-02-01-03.wav")
    make_wav(circumstances.data / "mine" / "anger" / "x.wav")
    mine = open_corpus(derive_spec(FOLDER, "mine"), circumstances)
    parts = [open_corpus(SPEECH_SPEC, circumstances), open_corpus(EMODB, circumstances), mine]
    table = merge(parts)
    assert len(table) == 6
    assert table["id"].is_monotonic_increasing
    assert table.index.equals(pd.RangeIndex(6))
    assert set(table["speaker"]) == {"ravdess/03", "emodb/03", "emodb/08", ""}
    with pytest.raises(CorpusError, match="twice"):
        merge([parts[0], parts[0]])


# ---- a user's own corpus


@pytest.mark.parametrize("expression", [r"^\w+/(?P<speaker>s\d)", r"/(s\d)_", r"s\d"])
def test_folder_per_label(circumstances, make_wav, expression):
    root = circumstances.data / "mine"
    for name in ("joy/s1_a.wav", "joy/s2_a.flac", "rage/s1_a.wav"):
        make_wav(root / name)
    make_wav(root / "stray.wav")
    corpus = open_corpus(derive_spec(FOLDER, "mine"), circumstances, options={"speaker": expression})
    assert corpus.spec.labels == ("joy", "rage")
    assert corpus.table["id"].tolist() == ["mine/joy/s1_a", "mine/joy/s2_a", "mine/rage/s1_a"]
    assert corpus.table["speaker"].tolist() == ["mine/s1", "mine/s2", "mine/s1"]
    assert kinds(corpus) == {"unknown name": ("stray.wav",)}
    assert not corpus.partial
    assert corpus.count == "3"


def test_folder_without_speakers(circumstances, make_wav):
    make_wav(circumstances.data / "folder" / "joy" / "a.wav")
    assert open_corpus(FOLDER, circumstances).table["speaker"].tolist() == [""]


@pytest.mark.parametrize(("expression", "message"), [("(", "no regular expression"), (r"x(\d)", "does not match")])
def test_folder_speaker_expression_is_checked(circumstances, make_wav, expression, message):
    make_wav(circumstances.data / "folder" / "joy" / "a.wav")
    with pytest.raises(CorpusError, match=message):
        open_corpus(FOLDER, circumstances, options={"speaker": expression})


def test_two_formats_of_one_utterance_are_repeated(circumstances, make_wav):
    for suffix in ("wav", "flac"):
        make_wav(circumstances.data / "folder" / "joy" / f"a.{suffix}")
    assert kinds(open_corpus(FOLDER, circumstances)) == {"repeated": ("joy/a.wav",)}


def write_manifest(folder, rows, suffix):
    folder.mkdir(parents=True, exist_ok=True)
    frame = pd.DataFrame(rows)
    file = folder / f"manifest{suffix}"
    frame.to_csv(file, index=False) if suffix == ".csv" else frame.to_parquet(file, index=False)
    return file


ROWS = [
    {"path": "audio/a.wav", "label": "joy", "speaker": "01", "official_fold": 1, "mood": "x"},
    {"path": "audio/b.wav", "label": "rage", "speaker": "02", "official_fold": 2, "mood": "y"},
]


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@pytest.mark.parametrize("as_file", [True, False])
def test_manifest(circumstances, make_wav, suffix, as_file):
    root = circumstances.data / "manifest"
    file = write_manifest(root, ROWS, suffix)
    for row in ROWS:
        make_wav(root / row["path"])
    if as_file:
        circumstances = dataclasses.replace(circumstances, corpus_paths={"manifest": file})
    corpus = open_corpus(MANIFEST, circumstances)
    assert corpus.table["id"].tolist() == ["manifest/audio/a", "manifest/audio/b"]
    assert corpus.table["speaker"].tolist() == ["manifest/01", "manifest/02"]
    assert corpus.table["official_fold"].tolist() == ["1", "2"]
    assert corpus.table["mood"].tolist() == ["x", "y"]
    assert corpus.spec.labels == ("joy", "rage")


def test_manifest_lists_missing_files(circumstances, make_wav):
    root = circumstances.data / "manifest"
    write_manifest(root, ROWS, ".csv")
    with pytest.raises(CorpusError, match="2 are missing, such as audio/a"):
        open_corpus(MANIFEST, circumstances)
    make_wav(root / "audio" / "a.wav")
    assert kinds(open_corpus(MANIFEST, circumstances))["missing"] == ("audio/b",)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda frame: frame.drop(columns="label"), "lacks the column label; it has path, speaker"),
        (lambda frame: frame.drop(columns=["label", "path"]), "path and label"),
        (lambda frame: frame.assign(utterance="same"), "duplicate utterance ids: same"),
        (lambda frame: frame.assign(label=["joy", ""]), "empty label in 1 rows: 2"),
        (lambda frame: frame.assign(path=["audio/a.wav", ""]), "empty path in rows 2"),
        (lambda frame: frame.assign(gender="woman"), "unknown gender: woman"),
    ],
)
def test_manifest_that_breaks_the_rules(circumstances, make_wav, change, message):
    root = circumstances.data / "manifest"
    write_manifest(root, change(pd.DataFrame(ROWS)), ".csv")
    for row in ROWS:
        make_wav(root / row["path"])
    with pytest.raises(CorpusError, match=message) as caught:
        open_corpus(MANIFEST, circumstances)
    assert "manifest" in caught.value.where


def test_manifest_files_that_cannot_be_read(circumstances, tmp_path):
    for name, content, message in [
        ("a.csv", b"", "cannot be read"),
        ("a.parquet", b"PAR1 no", "cannot be read"),
        ("a.txt", b"path,label\n", r"a manifest is a \.csv"),
    ]:
        (tmp_path / name).write_bytes(content)
        here = dataclasses.replace(circumstances, corpus_paths={"manifest": tmp_path / name})
        with pytest.raises(CorpusError, match=message):
            open_corpus(MANIFEST, here)


def test_a_corpus_name_cannot_leave_the_data_folder():
    for name in ("", "../x", ".hidden", "a/b"):
        with pytest.raises(CorpusError, match="cannot name a corpus"):
            derive_spec(FOLDER, name)
