"""One person under two names, names that nobody knows, and splits of corpora whose audio is elsewhere."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from serbench.protocols.audit import DOUBLED_PERSON, audit_split
from serbench.protocols.splitting import complete
from serbench.specs import Split


@pytest.mark.parametrize("other", ["03", "spk03", "SPK03", "Speaker_3", "s3", "3 "])
def test_one_person_under_two_names_is_pointed_out(other):
    table = complete(
        pd.DataFrame({"id": ["c/1", "c/2", "d/3"], "speaker": ["c/3", f"c/{other}", "d/3"], "label": list("aba")})
    )
    found = audit_split(table, Split("1", ("c/1", "d/3"), ("c/2",)))
    assert found["verdict"] == f"leaky: {DOUBLED_PERSON}" and found["speaker_independent"] is False
    assert found["leaks"][0]["examples"] == [f"c/{other} = c/3"]
    # Two corpora have each a speaker 3.
    assert audit_split(table, Split("1", ("d/3",), ("c/2",)))["verdict"] == "speaker-independent"


def test_a_row_of_such_a_corpus_is_not_speaker_independent(call, spoken, tmp_path):
    rows = []
    for path in sorted((spoken / "tiny").rglob("*.wav")):
        number, take = path.stem[1], path.stem[-1]
        speaker = f"spk0{number}" if take in "01" else f"SPK{number}"
        rows.append({"path": str(path), "label": path.parent.name, "speaker": speaker})
    pd.DataFrame(rows).to_csv(tmp_path / "manifest.csv", index=False)
    suite = tmp_path / "doubled.yaml"
    suite.write_text(
        "title: Doubled\ncorpora: [manifest]\ngrid: [{features: [mfcc], models: [majority], protocols: [loso]}]\n"
    )
    corpus = f"manifest={tmp_path / 'manifest.csv'}"
    words = ("run", suite, "--no-tracking", "--executor", "in_process", "--corpus-path", corpus)
    status, _, err = call(*words, "--require", "speaker-independent")
    assert status == 2 and DOUBLED_PERSON in err
    assert call(*words)[0] == 0
    (row,) = json.loads(call("leaderboard", "doubled", "--format", "json")[1])
    assert row["verdict"] == f"leaky: {DOUBLED_PERSON}" and row["headline"] == "leaky"
    assert row["split_layer"] == f"leaky: {DOUBLED_PERSON}" and call("audit", "doubled", "--gate")[0] == 1


def write_folds(folder, corpus, train, test):
    for role, names in (("train", train), ("test", test)):
        path = folder / "fold_1" / f"{corpus}_{role}_fold_1.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [json.dumps({"key": f"{corpus}-{name}", "wav": f"downloads/{corpus}/{name}.wav"}) for name in names]
        path.write_text("\n".join(lines))
    return folder


# As EmoBox writes them: EMOVO and TurEV have adapters here, ASED has none.
FOREIGN = {
    "emovo": (["dis-f1-b1", "gio-f1-b2"], ["dis-m2-b1", "neu-m2-l1"], ["gio-f1-b1"]),
    "turevdb": (["1157_kz_acik", "1157_mt_acik"], ["1984_sk_orgu"], ["1157_sk_orgu"]),
    "ased": (["a5-06-01-01-21", "n1-02-01-01-21"], ["a5-02-01-01-25"], ["a5-02-01-01-21"]),
}


@pytest.mark.parametrize("corpus", FOREIGN)
def test_fold_files_of_other_benchmarks_are_audited_without_audio(call, tmp_path, corpus):
    train, apart, shared = FOREIGN[corpus]
    known = ("--corpus", "turev" if corpus == "turevdb" else corpus) if corpus != "ased" else ("--speaker", r"(\d+)$")
    clean = call("audit", "--folds", write_folds(tmp_path / "clean", corpus, train, apart), "--gate", *known)
    assert clean[0] == 0 and ": speaker-independent\n" in clean[1], clean
    leaky = call("audit", "--folds", write_folds(tmp_path / "leaky", corpus, train, shared), "--gate", *known)
    assert leaky[0] == 1 and ": leaky: speakers shared" in leaky[1]


def test_without_a_corpus_or_an_expression_speakers_are_unknown(call, tmp_path):
    folder = write_folds(tmp_path, "ased", *FOREIGN["ased"][:2])
    assert f"{folder}: speakers unknown" in call("audit", "--folds", folder)[1]
    status, _, err = call("audit", "--folds", folder, "--speaker", "x(.)")
    assert status == 2 and "finds no speaker in ased-a5" in err


def test_a_manifest_without_audio_says_who_speaks(call, tmp_path):
    names = [f"{speaker}{take}" for speaker in "abc" for take in range(2)]
    manifest, split = tmp_path / "manifest.csv", tmp_path / "split.csv"
    rows = [
        {"path": f"away/{name}.wav", "utterance": name, "speaker": name[0], "label": "xy"[int(name[1])]}
        for name in names
    ]
    pd.DataFrame(rows).to_csv(manifest, index=False)
    for tested, verdict in (("c", "speaker-independent"), ("1", "leaky: speakers shared")):
        sides = [{"utterance": name, "set": "test" if tested in name else "train"} for name in names]
        pd.DataFrame(sides).to_csv(split, index=False)
        words = ("--corpus", "manifest", "--corpus-path", f"manifest={manifest}")
        status, out, err = call("audit", "--split", split, *words)
        assert status == 0, err
        assert out.splitlines()[0] == f"{split}: {verdict}" and "equal recordings are not seen" in out
