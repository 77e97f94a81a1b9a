"""A copy with other samples on the other side of a split is a leak, whoever made the split; clean ones raise none."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from serbench.corpora import duplicates
from serbench.protocols.audit import NEAR, audit_split
from serbench.specs import Split

RATE = 16_000
SPEAKERS, LABELS = "abcd", ("calm", "cross")
ORIGINAL = "a_calm_0"
COPIES = {
    "mp3": lambda x: x,
    "trimmed": lambda x: x[800:-1600],
    "louder": lambda x: 2 * x,
}


def rustle(seed: int) -> np.ndarray:
    """0.8 s of noise in bursts, another for each seed."""
    random = np.random.default_rng(seed)
    bursts = np.interp(np.arange(12_800), np.arange(0, 12_800, 800), random.random(16))
    return (0.05 * bursts * random.standard_normal(12_800)).astype(np.float32)


@pytest.fixture
def corpus(tmp_path) -> Path:
    """A folder per label, four speakers with two utterances of each."""
    names = [f"{speaker}_{label}_{take}" for speaker in SPEAKERS for label in LABELS for take in range(2)]
    for seed, name in enumerate(names):
        path = tmp_path / "data" / "own" / name.split("_")[1] / f"{name}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, rustle(seed), RATE)
    return tmp_path / "data" / "own"


@pytest.fixture(params=COPIES)
def planted(corpus, request) -> str:
    """One more utterance of speaker d that is speaker a's, another file of other samples; its path in the corpus."""
    signal = soundfile.read(corpus / "calm" / f"{ORIGINAL}.wav", dtype="float32")[0]
    path = corpus / "calm" / f"d_calm_2.{'mp3' if request.param == 'mp3' else 'wav'}"
    soundfile.write(path, COPIES[request.param](signal), RATE)
    return f"calm/{path.name}"


@pytest.fixture
def split(corpus) -> Callable[[], Path]:
    """Write a split file beside the audio, in which speaker d is tested."""

    def write() -> Path:
        paths = sorted(path for path in corpus.rglob("*.*") if path.suffix in (".wav", ".mp3"))
        rows = [
            (str(path.relative_to(corpus)), path.stem[0], "test" if path.stem[0] == "d" else "train") for path in paths
        ]
        pd.DataFrame(rows, columns=["path", "speaker", "set"]).to_csv(corpus / "split.csv", index=False)
        return corpus / "split.csv"

    return write


def test_a_split_file_with_a_copy_on_the_other_side_leaks(call, split, planted):
    status, out, _ = call("audit", "--split", split(), "--gate", "--format", "json")
    found = json.loads(out)
    assert status == 1 and found["verdict"] == f"leaky: {NEAR}" and not found["speaker_independent"]
    (leak,) = found["folds"][0]["leaks"]
    assert (leak["kind"], leak["count"], leak["examples"]) == (NEAR, 1, [f"calm/{ORIGINAL}.wav = {planted}"])


def test_fold_files_of_a_corpus_with_a_copy_leak(call, corpus, planted, tmp_path):
    rows = [
        {"path": str(path), "utterance": path.stem, "label": path.parent.name, "speaker": path.stem[0]}
        for path in sorted(corpus.rglob("*.*"))
    ]
    pd.DataFrame(rows).to_csv(tmp_path / "manifest.csv", index=False)
    for role in ("train", "test"):
        lines = [json.dumps({"key": row["utterance"]}) for row in rows if (row["speaker"] == "d") == (role == "test")]
        place = tmp_path / "folds" / "fold_1" / f"manifest_{role}_fold_1.jsonl"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text("\n".join(lines))
    words = ("--corpus", "manifest", "--corpus-path", f"manifest={tmp_path / 'manifest.csv'}", "--format", "json")
    found = json.loads(call("audit", "--folds", tmp_path / "folds", *words)[1])
    assert found["verdict"] == f"leaky: {NEAR}"
    assert found["folds"][0]["leaks"][0]["examples"] == [f"manifest/{ORIGINAL} = manifest/d_calm_2"]


def test_a_clean_split_file_raises_no_alarm(call, split):
    status, out, _ = call("audit", "--split", split(), "--gate")
    assert status == 0 and "speaker-independent" in out
    # What was found is kept: a second audit listens to no file.
    assert call("audit", "--split", split(), "--gate")[0] == 0


SUITE = """\
title: Own
corpora: [{name: own, adapter: folder, speaker: "/([abcd])_"}]
grid: [{features: [mfcc], models: [majority], protocols: [loso]}]
"""


def run_suite(call, corpus, tmp_path):
    suite = tmp_path / "own.yaml"
    suite.write_text(SUITE)
    words = ("run", suite, "--no-tracking", "--executor", "in_process", "--corpus-path", f"own={corpus}")
    assert call(*words)[0] == 0
    return call("audit", "own", "--gate", "--format", "json"), words


@pytest.mark.parametrize("planted", ["mp3"], indirect=True)
def test_the_audit_of_a_suite_names_the_copy(call, corpus, planted, tmp_path):
    (status, out, _), words = run_suite(call, corpus, tmp_path)
    (found,) = json.loads(out)
    (leak,) = found["leaks"]
    # Each of the two speakers is tested once while the other one trains.
    assert status == 1 and (leak["kind"], leak["folds"], leak["most"]) == (NEAR, 2, 1)
    status, _, err = call(*words, "--require", "speaker-independent")
    assert status == 2 and NEAR in err


def test_the_audit_of_a_clean_suite_raises_no_alarm(call, corpus, tmp_path):
    (status, out, _), words = run_suite(call, corpus, tmp_path)
    assert status == 0 and json.loads(out)[0]["leaks"] == []
    assert call(*words, "--require", "speaker-independent")[0] == 0


def table(recordings: list[str], contents: list[str]) -> pd.DataFrame:
    ids = [f"own/{number}" for number in range(len(contents))]
    rows = {"id": ids, "corpus": "own", "utterance": ids, "speaker": ids, "text": "", "label": ["x", "y"] * 2}
    return pd.DataFrame({**rows, "content": contents, "recording": recordings})


def test_an_exact_copy_is_told_once_and_one_side_is_no_leak():
    fold = Split("1", ("own/0", "own/1"), ("own/2", "own/3"))

    def kinds(*columns):
        return {leak["kind"]: leak["examples"] for leak in audit_split(table(*columns), fold)["leaks"]}

    assert kinds(["r", "", "r", ""], ["a", "b", "c", "d"]) == {NEAR: ["own/0 = own/2"]}
    assert kinds(["r", "r", "", ""], ["a", "b", "c", "d"]) == {}
    # Recording r is there in three files, two of them of equal samples.
    exact = {"content duplicates": ["own/0 = own/2"]}
    assert kinds(["r", "", "r", "r"], ["a", "b", "a", "d"]) == {**exact, NEAR: ["own/0 = own/3"]}
    assert kinds(["r", "r", "r", ""], ["a", "b", "a", "d"]) == exact


@pytest.mark.parametrize("planted", ["louder"], indirect=True)
def test_what_was_found_is_kept_and_a_damaged_file_is_made_again(corpus, planted, tmp_path, monkeypatch):
    paths = sorted(str(path) for path in corpus.rglob("*.*"))
    made = pd.DataFrame({"path": [*paths, paths[0]], "content": [*map(str, range(len(paths))), "copy for training"]})
    found = duplicates.with_recordings(made, tmp_path / "cache")
    named = found[found["recording"] != ""]
    assert {Path(path).stem for path in named["path"]} == {ORIGINAL, "d_calm_2"} and named["recording"].nunique() == 1
    (kept,) = (tmp_path / "cache").rglob("*.json")
    kept.write_text("{")
    pd.testing.assert_frame_equal(duplicates.with_recordings(made, tmp_path / "cache"), found)
    monkeypatch.setattr(duplicates, "same_recordings", lambda paths: pytest.fail("listened again"))
    pd.testing.assert_frame_equal(duplicates.with_recordings(made, tmp_path / "cache"), found)
