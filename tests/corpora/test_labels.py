"""Label maps: complete for every corpus here, and strict about everything else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from serbench.corpora.labels import apply_labels, label_maps, resolve_labels
from serbench.errors import LabelError, UnknownName
from serbench.identity import canonical_json, content_id
from serbench.registry import build_registry
from serbench.reporting.frozen import frozen_records

OWN = [spec for spec in build_registry().all("corpus") if spec.labels]
EMODB = next(spec for spec in OWN if spec.name == "emodb")
RAVDESS = next(spec for spec in OWN if spec.name == "ravdess_speech")
SONG = next(spec for spec in OWN if spec.name == "ravdess_song")
RESULTS = Path(__file__).parents[2] / "results"


def table_of(*rows: tuple[str, str]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["corpus", "label"])
    frame["id"] = [f"{corpus}/{row}" for row, corpus in enumerate(frame["corpus"])]
    return frame


def test_the_maps_there_are():
    assert label_maps() == ["native", "common4", "common6", "common7"]


@pytest.mark.parametrize("name", ["common7", "common6", "common4"])
def test_every_own_label_is_mapped_explicitly(name):
    resolved = resolve_labels(name, OWN)
    assert len(resolved["labels"]) == int(name[-1])
    for spec in OWN:
        assert list(resolved["map"][spec.name]) == list(spec.labels) == list(spec.emotions)
        assert sum(target is not None for target in resolved["map"][spec.name].values()) >= 3


# Label maps are part of a cell's id: these ids were taken when the maps still stood in the files of configs/labels.
PINNED = {"common4": "62cb83c33307da18", "common6": "9d9d51ba84e12c4d", "common7": "2b36d2040d8451e5"}
FIRST_CORPORA = ("cremad", "emodb", "ravdess_song", "ravdess_speech", "savee", "synthetic", "tess")


@pytest.mark.parametrize("name", PINNED)
def test_maps_of_the_first_corpora_never_change(name):
    assert content_id(resolve_labels(name, [spec for spec in OWN if spec.name in FIRST_CORPORA])) == PINNED[name]


@pytest.mark.parametrize("path", sorted(RESULTS.glob("*/frozen.parquet")), ids=lambda path: path.parent.name)
def test_frozen_results_carry_the_maps_of_the_cards(path):
    specs = {spec.name: spec for spec in OWN}
    recorded = {canonical_json(record.cell.labels): record.cell.labels for record in frozen_records(path)}
    assert recorded
    for text, labels in recorded.items():
        if labels["name"] in label_maps():
            assert canonical_json(resolve_labels(labels["name"], [specs[name] for name in labels["map"]])) == text


def test_common_maps_by_hand():
    resolved = resolve_labels("common7", [EMODB])
    assert resolved == {
        "name": "common7",
        "labels": ["neutral", "happy", "sad", "angry", "fearful", "disgust"],
        "map": {
            "emodb": {
                "anger": "angry",
                "boredom": None,
                "disgust": "disgust",
                "fear": "fearful",
                "happiness": "happy",
                "neutral": "neutral",
                "sadness": "sad",
            }
        },
    }


def test_native_is_each_corpus_own():
    resolved = resolve_labels("native", [SONG, RAVDESS])
    assert resolved["labels"] == [*SONG.labels, "disgust", "surprised"]
    assert all(own == target for labels in resolved["map"].values() for own, target in labels.items())


def test_merge_and_drop():
    resolved = resolve_labels("native", [RAVDESS], drop=["disgust"], merge={"neutral": ["neutral", "calm"]})
    assert resolved["labels"] == ["neutral", "happy", "sad", "angry", "fearful", "surprised"]
    assert resolved["map"]["ravdess_speech"]["calm"] == "neutral"
    assert resolved["map"]["ravdess_speech"]["disgust"] is None
    assert resolved["name"] == "native (without disgust, neutral = calm + neutral)"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"drop": ["joy"]}, "lacks: joy"),
        ({"merge": {"low": ["sad", "blue"]}}, "lacks: blue"),
        ({"drop": ["sad"], "merge": {"low": ["sad", "calm"]}}, "twice: sad"),
        ({"merge": {"low": ["sad"], "flat": ["sad"]}}, "twice: sad"),
        ({"merge": {"happy": ["sad"]}}, "existing 'happy'"),
        ({"drop": list(RAVDESS.labels[1:])}, "only neutral"),
        ({"drop": list(RAVDESS.labels)}, "no label"),
    ],
)
def test_changes_that_make_no_sense(settings, message):
    with pytest.raises(LabelError, match=message):
        resolve_labels("native", [RAVDESS], **settings)


def test_own_map_from_a_file(tmp_path, monkeypatch):
    (tmp_path / "two.yaml").write_text("labels: [calm, aroused]\nmap:\n  emodb: {anger: aroused, neutral: calm}\n")
    with pytest.raises(LabelError) as caught:
        resolve_labels(str(tmp_path / "two.yaml"), [EMODB])
    for label in ("boredom", "disgust", "fear", "happiness", "sadness"):
        assert f"emodb: {label}" in str(caught.value)
    folder = tmp_path / "configs" / "labels"
    folder.mkdir(parents=True)
    others = ", ".join(f"{label}: null" for label in EMODB.labels if label not in ("anger", "neutral"))
    (folder / "two.yaml").write_text(
        f"labels: [calm, aroused]\nmap:\n  emodb: {{anger: aroused, neutral: calm, {others}}}\n"
    )
    monkeypatch.chdir(tmp_path)
    assert resolve_labels("two", [EMODB])["labels"] == ["calm", "aroused"]


def test_a_corpus_the_map_does_not_name_may_use_its_labels():
    mine = replace(EMODB, name="mine", labels=("sad", "angry"))
    assert resolve_labels("common4", [mine])["labels"] == ["sad", "angry"]
    with pytest.raises(LabelError, match="mine: bored"):
        resolve_labels("common4", [replace(mine, labels=("sad", "angry", "bored"))])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("labels: [a, b\n", "cannot be read"),
        ("- a\n", "holds labels and map"),
        ("labels: [a, b]\nmaps: {}\n", "holds labels and map"),
        ("labels: a\n", "give a list"),
        ("labels: [a, b]\nmap: [x]\n", "map is no mapping"),
        ("labels: [a, b]\nmap: {emodb: {anger: c}}\n", r"map\.emodb leads to c"),
    ],
)
def test_broken_maps_name_the_file(tmp_path, content, message):
    path = tmp_path / "own.yaml"
    path.write_text(content)
    with pytest.raises(LabelError, match=message) as caught:
        resolve_labels(str(path), [EMODB])
    assert str(path) in str(caught.value)


def test_unknown_map_names_the_nearest():
    with pytest.raises(UnknownName, match="did you mean 'common7'"):
        resolve_labels("comon7", [EMODB])
    with pytest.raises(LabelError, match="no such label map"):
        resolve_labels("nowhere/own.yaml", [EMODB])


def test_relabelling_drops_and_renames():
    resolved = resolve_labels("common4", [EMODB])
    table = table_of(("emodb", "anger"), ("emodb", "boredom"), ("emodb", "happiness"))
    relabelled = apply_labels(table, resolved)
    assert relabelled["label"].tolist() == ["angry", "happy"]
    assert relabelled["id"].tolist() == ["emodb/0", "emodb/2"]
    assert relabelled.index.tolist() == [0, 1]
    assert table["label"].tolist() == ["anger", "boredom", "happiness"]


def test_unmapped_labels_are_all_listed():
    resolved = resolve_labels("common4", [EMODB])
    table = table_of(("emodb", "anger"), ("emodb", "joy"), ("emodb", "awe"), ("other", "anger"))
    with pytest.raises(LabelError, match="emodb: awe, emodb: joy, other: anger"):
        apply_labels(table, resolved)


def test_one_class_is_refused():
    with pytest.raises(LabelError, match="single class angry"):
        apply_labels(table_of(("emodb", "anger"), ("emodb", "fear")), resolve_labels("common4", [EMODB]))
