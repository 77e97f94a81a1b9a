import json

import pandas as pd
import pytest
from protocol_tables import make_table

from serbench.corpora.cremad import CREMAD
from serbench.corpora.emodb import EMODB
from serbench.corpora.manifest import MANIFEST
from serbench.corpora.ravdess import SPEECH_SPEC
from serbench.corpora.savee import SAVEE
from serbench.errors import ProtocolError
from serbench.protocols.external_files import name_variants, read_fold_folder, read_split_file
from serbench.protocols.matching import audit_splits, external_splits, listing_as_table, match_listing

NAMES = [f"{speaker}{text}{emotion}a" for speaker in ("03", "08", "09") for text in ("a01", "b02") for emotion in "WFN"]


def write_folds(folder, parts, *, suffix=".jsonl", prefix="emodb-"):
    """EmoBox-like fold files: `parts` maps (fold, role) to names."""
    for (fold, role), names in parts.items():
        entries = {prefix + name: {"wav": f"downloads/emodb/wav/{name}.wav", "emo": "any"} for name in names}
        path = folder / f"fold_{fold}" / f"emodb_{role}_fold_{fold}{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [json.dumps({"key": key, **entry}) for key, entry in entries.items()]
        path.write_text("\n".join(lines) if suffix == ".jsonl" else json.dumps(entries), encoding="utf-8")
    return folder


def audit_folder(folder, spec=EMODB, table=None):
    listing, table, notes = match_listing(read_fold_folder(folder, spec.name), spec, table, where=str(folder))
    return audit_splits(table, external_splits(listing, where=str(folder)), notes)


@pytest.mark.parametrize("suffix", [".jsonl", ".json"])
def test_folds_that_share_all_speakers_are_called_leaky_without_any_audio(tmp_path, suffix):
    parts = {
        (fold, role): NAMES[start::2]
        for fold in (1, 2)
        for role, start in (("train", fold % 2), ("test", 1 - fold % 2))
    }
    audit = audit_folder(write_folds(tmp_path, parts, suffix=suffix))
    assert audit["verdict"] == "leaky: speakers shared"
    assert audit["speaker_independent"] is False
    assert [fold["fold"] for fold in audit["folds"]] == ["1", "2"]
    assert audit["folds"][0]["leaks"] == [
        {"kind": "speakers shared", "count": 3, "examples": ["emodb/03", "emodb/08", "emodb/09"]}
    ]
    assert audit["notes"] == ["the audio of 18 of 18 utterances is absent: equal recordings are not seen"]


def test_folds_of_whole_speakers_pass(tmp_path):
    test = [name for name in NAMES if name.startswith("08")]
    train = [name for name in NAMES if not name.startswith("08")]
    audit = audit_folder(write_folds(tmp_path, {(1, "train"): train, (1, "test"): test}))
    assert audit["verdict"] == "speaker-independent"
    assert (audit["folds"][0]["train"], audit["folds"][0]["test"], audit["folds"][0]["speakers"]) == (12, 6, 1)


def test_a_validation_file_counts_as_training(tmp_path):
    test = [name for name in NAMES if name.startswith("08")]
    parts = {(1, "train"): [NAMES[0]], (1, "valid"): [test[0]], (1, "test"): test[1:]}
    audit = audit_folder(write_folds(tmp_path, parts))
    assert audit["folds"][0]["leaks"][0]["examples"] == ["emodb/08"]


def test_other_takes_are_found_by_speaker_text_and_label(tmp_path):
    parts = {(1, "train"): ["03a01Wa", "08b02Fa"], (1, "test"): ["03a01Wb", "09a01Wa"]}
    leaks = audit_folder(write_folds(tmp_path, parts))["folds"][0]["leaks"]
    assert {leak["kind"]: leak["examples"] for leak in leaks}["repetitions shared"] == ["emodb/03 · a01 · anger"]


def test_audio_that_is_there_shows_equal_recordings(tmp_path):
    table = pd.DataFrame(
        {
            "id": [f"emodb/{name}" for name in NAMES],
            "corpus": "emodb",
            "utterance": NAMES,
            "speaker": [f"emodb/{name[:2]}" for name in NAMES],
            "label": [name[5] for name in NAMES],
            "gender": "",
            "text": [name[2:5] for name in NAMES],
            "official_fold": "",
            "content": [*NAMES[:-1], NAMES[0]],
        }
    )
    test = [name for name in NAMES if name.startswith("03")]
    train = [name for name in NAMES if not name.startswith("03")]
    audit = audit_folder(write_folds(tmp_path, {(1, "train"): train, (1, "test"): test}), table=table)
    assert audit["verdict"] == "leaky: content duplicates"
    assert audit["folds"][0]["leaks"][0]["examples"] == [f"emodb/{NAMES[-1]} = emodb/{NAMES[0]}"]
    assert audit["notes"] == []


@pytest.mark.parametrize(
    ("spec", "name", "path", "utterance"),
    [
        (EMODB, "emodb-03a02Wb", "", "03a02Wb"),
        (EMODB, "03a02Wb", "", "03a02Wb"),
        (EMODB, "x", "some/where/03a02Wb.WAV", "03a02Wb"),
        (EMODB, "emodb/03a02Wb", "", "03a02Wb"),
        (SPEECH_SPEC, "03-01-01-01-01-01-20", "", "03-01-01-01-01-01-20"),
        (SPEECH_SPEC, "ravdess-03-01-01-01-01-01-20", "", "03-01-01-01-01-01-20"),
        (CREMAD, "cremad-1001-DFA-ANG-XX", "", "1001_DFA_ANG_XX"),
        (CREMAD, "cremad-1001-DFA-ANG-XX", "downloads/cremad/AudioWAV/1001_DFA_ANG_XX.wav", "1001_DFA_ANG_XX"),
        (SAVEE, "savee-DC-a01", "AudioData\\DC\\a01.wav", "DC_a01"),
    ],
)
def test_keys_of_benchmarks_are_matched_by_their_stem(spec, name, path, utterance):
    listing = pd.DataFrame({"name": [name], "path": [path]})
    matched, table, _ = match_listing(listing, spec, None, where="f")
    assert matched["id"].tolist() == [f"{spec.name}/{utterance}"]
    assert table["speaker"].str.startswith(spec.person_prefix + "/").all()
    with_audio, _, _ = match_listing(listing, spec, table, where="f")
    assert with_audio["id"].tolist() == matched["id"].tolist()


def test_variants_are_no_guesses_about_other_utterances():
    assert name_variants("03a02Wb", "", "emodb") == ["03a02Wb"]


def test_unknown_utterances_are_named_and_the_others_audited(tmp_path):
    folder = write_folds(tmp_path, {(1, "train"): [*NAMES[:4], "nobody"], (1, "test"): NAMES[5:]})
    found = audit_folder(folder)
    assert found["notes"][0] == "1 of 18 utterances are unknown to emodb: emodb-nobody; the others are audited"
    assert (found["folds"][0]["train"], found["folds"][0]["test"]) == (4, 13)


def test_a_side_of_which_nothing_is_known_is_named(tmp_path):
    folder = write_folds(tmp_path, {(1, "train"): ["nobody"], (1, "test"): NAMES})
    with pytest.raises(ProtocolError, match="fold 1: no training utterance is known"):
        audit_folder(folder)


def test_a_users_own_corpus_has_no_names_to_read(tmp_path):
    listing = pd.DataFrame({"name": ["a", "b"], "path": ["", ""]})
    with pytest.raises(ProtocolError, match="2 of 2 utterances are unknown to manifest: a, b"):
        match_listing(listing, MANIFEST, None, where="f")


def test_utterances_on_both_sides_are_named(tmp_path):
    folder = write_folds(tmp_path, {(1, "train"): NAMES[:4], (1, "test"): NAMES[3:]})
    with pytest.raises(ProtocolError, match="fold 1: 1 utterances are in both training and test: emodb/03b02Wa"):
        audit_folder(folder)


def test_two_formats_of_one_part_must_agree(tmp_path):
    parts = {(1, "train"): NAMES[:4], (1, "test"): NAMES[4:]}
    write_folds(tmp_path, parts)
    write_folds(tmp_path, parts, suffix=".json")
    assert len(read_fold_folder(tmp_path, "emodb")) == len(NAMES)
    write_folds(tmp_path, {(1, "train"): NAMES[:3]}, suffix=".json")
    with pytest.raises(ProtocolError, match="lists other utterances than emodb_train_fold_1"):
        read_fold_folder(tmp_path, "emodb")


def test_folders_without_sound_fold_files_are_clear_errors(tmp_path):
    with pytest.raises(ProtocolError, match="no fold files of emodb"):
        read_fold_folder(tmp_path, "emodb")
    with pytest.raises(ProtocolError, match="no fold files"):
        read_fold_folder(tmp_path / "absent", "emodb")
    write_folds(tmp_path, {(1, "train"): NAMES})
    with pytest.raises(ProtocolError, match="fold 1 has no test part"):
        read_fold_folder(tmp_path, "emodb")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "cannot read"),
        ('{"wav": "x"}', "cannot read"),
        ("[1]", "cannot read"),
        ('{"key":"a"}\n{"key":"a"}', "twice"),
    ],
)
def test_a_broken_fold_file_is_a_clear_error(tmp_path, text, message):
    (tmp_path / "emodb_train_fold_1.jsonl").write_text(text)
    with pytest.raises(ProtocolError, match=message):
        read_fold_folder(tmp_path, "emodb")


def write_split(folder, text):
    path = folder / "split.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_csv_stands_for_itself(tmp_path):
    listing = read_split_file(write_split(tmp_path, "Path,Speaker,Set\na.wav,x,train\nb.wav,x,dev\nc.wav,y,Test\n"))
    assert listing["role"].tolist() == ["train", "train", "test"]
    listing = listing.assign(id=listing["name"])
    audit = audit_splits(listing_as_table(listing), external_splits(listing, where="f"))
    assert audit["verdict"] == "speaker-independent"
    contents = {"a.wav": "same", "c.wav": "same"}
    audit = audit_splits(listing_as_table(listing, contents), external_splits(listing, where="f"))
    assert audit["verdict"] == "leaky: content duplicates"
    assert audit["notes"] == ["the audio of 1 of 3 utterances is absent: equal recordings are not seen"]


def test_a_csv_without_speakers_gets_no_clean_verdict(tmp_path):
    listing = read_split_file(write_split(tmp_path, "utterance,set\na,train\nb,test\n")).assign(id=["a", "b"])
    audit = audit_splits(listing_as_table(listing), external_splits(listing, where="f"))
    assert audit["verdict"] == "speakers unknown"


def test_our_own_export_is_read_back(tmp_path):
    from serbench.protocols.splitting import split, splits_table

    table = make_table()
    folds = split(table, "speaker_kfold", k=2)
    path = tmp_path / "splits.csv"
    splits_table("demo", "speaker_kfold", 0, folds, table).to_csv(path, index=False)
    listing = read_split_file(path)
    assert external_splits(listing.assign(id=listing["name"]), where="f") == folds


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("utterance,speaker\na,x\n", "has no column set; it has utterance, speaker"),
        ("speaker,set\nx,train\n", "has no column utterance or path"),
        ("utterance,set\na,train\nb,holdout\n", "unknown sets: holdout"),
        ("utterance,set\n", "lists no utterance"),
        ("utterance,set\na,train\n", "fold 1 has no test part"),
        ("", "cannot read the split"),
        ('utterance,set\n"a', "cannot read the split"),
    ],
)
def test_a_bad_csv_is_a_clear_error(tmp_path, text, message):
    with pytest.raises(ProtocolError) as caught:
        read_split_file(write_split(tmp_path, text))
    assert message in str(caught.value)
    assert caught.value.hint


def test_an_absent_csv_is_a_clear_error(tmp_path):
    with pytest.raises(ProtocolError, match="cannot read the split"):
        read_split_file(tmp_path / "none.csv")
