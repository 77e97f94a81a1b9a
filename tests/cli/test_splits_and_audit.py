import json

import numpy as np
import pandas as pd
import pytest
import typer
from typer.testing import CliRunner

from serbench.cli import audit, splits
from serbench.errors import CorpusError, ProtocolError, UnknownName, UsageError
from serbench.protocols.fixed import FIXED


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """A manifest of 4 speakers, 2 labels and 2 takes; one recording is there twice."""
    import soundfile

    folder = tmp_path_factory.mktemp("corpus")
    rng = np.random.default_rng(0)
    rows = []
    for speaker in "abcd":
        for label in ("joy", "anger"):
            for take in (1, 2):
                name = f"{speaker}_{label}_{take}.wav"
                soundfile.write(folder / name, rng.uniform(-0.5, 0.5, 4000), 16000)
                rows.append({"path": name, "speaker": speaker, "label": label, "text": "one", "take": take})
    (folder / "d_joy_2.wav").write_bytes((folder / "a_joy_1.wav").read_bytes())
    pd.DataFrame(rows).to_csv(folder / "manifest.csv", index=False)
    return folder / "manifest.csv"


@pytest.fixture
def call(corpus, tmp_path):
    """Run a verb; errors of the program come through."""
    program = typer.Typer()
    program.command("audit")(audit.audit)
    program.add_typer(splits.app, name="splits")
    where = ["--corpus-path", f"manifest={corpus}", "--cache", str(tmp_path / "cache")]

    def run(*words):
        result = CliRunner().invoke(program, [*map(str, words), *where], catch_exceptions=True)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == 0, result.output
        return result.stdout

    return run


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_export_writes_every_fold(call, tmp_path, suffix):
    output = tmp_path / f"splits.{suffix}"
    text = call("splits", "export", "manifest", "speaker_kfold", "--param", "k=2", "--seed", 3, "--output", output)
    assert "2 folds" in text
    frame = pd.read_csv(output, dtype=str) if suffix == "csv" else pd.read_parquet(output)
    # The doubled recording is filed under another speaker too: the second file is left out.
    assert frame.groupby("fold").size().tolist() == [15, 15]
    assert set(frame["role"]) == {"train", "test"}
    assert frame["seed"].astype(int).unique().tolist() == [3]
    tested = frame[frame["role"] == "test"]
    assert (tested.groupby("speaker")["fold"].nunique() == 1).all()


def test_an_export_can_be_used_as_fixed_folds(call, tmp_path, corpus):
    output = tmp_path / "splits.csv"
    call("splits", "export", "manifest", "speaker_kfold", "--param", "k=2", "--output", output)
    tested = pd.read_csv(output, dtype=str).query("role == 'test'")
    tested[["utterance", "fold"]].to_csv(tmp_path / "folds.csv", index=False)
    table = tested.rename(columns={"utterance": "id"}).assign(label=["x", "y"] * 7 + ["x"], official_fold="")
    table["utterance"] = table["id"].str.partition("/")[2]
    folds = FIXED.split(table, 0, file=str(tmp_path / "folds.csv"))
    assert [set(fold.test) for fold in folds] == [set(rows["utterance"]) for _, rows in tested.groupby("fold")]


@pytest.mark.parametrize(
    ("words", "error", "message"),
    [
        (["manifest", "losso"], UnknownName, "did you mean 'loso'"),
        (["manifestt", "loso"], UnknownName, "did you mean 'manifest'"),
        (["manifest", "speaker_kfold", "--param", "k"], UsageError, "not NAME=VALUE"),
        (["manifest", "speaker_kfold", "--param", "folds=3"], UnknownName, "unknown parameter"),
        (["manifest", "speaker_kfold"], ProtocolError, "4 speakers, 5 needed"),
        (["manifest", "official"], ProtocolError, "no official folds"),
        (["manifest", "cross_corpus"], ProtocolError, "1 recording project"),
        (["manifest+emodb", "loso"], CorpusError, "emodb"),
    ],
)
def test_export_refuses_what_cannot_be(call, tmp_path, monkeypatch, words, error, message):
    monkeypatch.setenv("SERBENCH_DATA", str(tmp_path / "nothing"))
    with pytest.raises(error) as caught:
        call("splits", "export", *words, "--output", tmp_path / "s.csv")
    assert message in str(caught.value)
    assert not (tmp_path / "s.csv").exists()


def test_export_needs_a_known_format(call, tmp_path):
    with pytest.raises(UsageError, match="cannot tell the format"):
        call("splits", "export", "manifest", "loso", "--output", tmp_path / "s.txt")


def write(path, rows):
    path.write_text("\n".join(["path,speaker,set", *rows]) + "\n")
    return path


def test_a_split_file_is_audited_with_its_audio(call, corpus):
    clean = [f"{speaker}_{label}_1.wav,{speaker}" for speaker in "ab" for label in ("joy", "anger")]
    rows = [f"{row},{'train' if row.endswith('a') else 'test'}" for row in clean]
    text = call("audit", "--split", write(corpus.parent / "clean.csv", rows))
    assert "clean.csv: speaker-independent" in text
    doubled = write(corpus.parent / "doubled.csv", [*rows, "d_joy_2.wav,d,test"])
    found = json.loads(call("audit", "--split", doubled, "--format", "json"))
    assert found["verdict"] == "leaky: content duplicates"
    assert found["folds"][0]["leaks"][0]["examples"] == ["a_joy_1.wav = d_joy_2.wav"]
    assert "content duplicates: 1 (a_joy_1.wav = d_joy_2.wav)" in call("audit", "--split", doubled)


def test_a_corpus_tells_what_the_split_file_does_not(call, tmp_path):
    path = tmp_path / "split.csv"
    path.write_text("path,set\na_joy_1.wav,train\na_joy_2.wav,test\nb_joy_1.wav,train\n")
    assert "speakers unknown" in call("audit", "--split", path)
    text = call("audit", "--split", path, "--corpus", "manifest")
    assert "leaky: speakers shared, repetitions shared" in text
    assert "speakers shared: 1 (manifest/a)" in text


def test_fold_files_are_audited_by_names_alone(call, tmp_path, monkeypatch):
    monkeypatch.setenv("SERBENCH_DATA", str(tmp_path / "nothing"))
    for role, names in (("train", ("03a01Fa", "08a01Fa")), ("test", ("03a02Nc", "08b02Wa"))):
        path = tmp_path / "fold_1" / f"emodb_{role}_fold_1.jsonl"
        path.parent.mkdir(exist_ok=True)
        path.write_text("\n".join(json.dumps({"key": f"emodb-{name}"}) for name in names))
    text = call("audit", "--folds", tmp_path, "--corpus", "emodb")
    assert "leaky: speakers shared" in text
    assert "speakers shared: 2 (emodb/03, emodb/08)" in text
    assert "equal recordings are not seen" in text


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "name one thing to audit"),
        (["--split", "a.csv", "--folds", "b"], "name one thing to audit"),
        (["--split", "a.csv", "--format", "xml"], "unknown format 'xml'"),
    ],
)
def test_audit_refuses_combinations_that_make_no_sense(call, words, message):
    with pytest.raises(UsageError, match=message):
        call("audit", *words)


@pytest.mark.real
def test_random_folds_of_a_real_corpus_share_all_speakers(call, tmp_path, real_data, monkeypatch):
    monkeypatch.setenv("SERBENCH_DATA", str(real_data))
    call("splits", "export", "emodb", "stratified_kfold", "--output", tmp_path / "emodb.csv")
    found = json.loads(call("audit", "--split", tmp_path / "emodb.csv", "--corpus", "emodb", "--format", "json"))
    assert found["verdict"] == "leaky: speakers shared, repetitions shared"
    assert {
        leak["count"] for fold in found["folds"] for leak in fold["leaks"] if leak["kind"] == "speakers shared"
    } == {10}
