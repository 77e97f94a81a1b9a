"""Leaks planted in models, feature sets and files: found, or declared; none passes for speaker-independent unsaid."""

from __future__ import annotations

import json

import numpy as np
import pytest
from planted import ADAPTS, LOOKS_UP, NOISY, OVER_ALL_FILES, READS_NAMES, REMEMBERS, answers_by_features, write_answers

from serbench.features.api import extract

ONE_FOLD = ("--fold", "1")
INDEPENDENT = "speaker-independent"


def test_a_model_with_memory_across_folds_fails(audited):
    found = audited(plugin=REMEMBERS, model="planted")
    # Before anybody looked it is said that nobody did.
    assert found.before["verdict"] == f"{INDEPENDENT}; model declared" and found.before["headline"] == "declared"
    assert found.before["model_layer"] == "declared: plug-in planted"
    assert found.outcomes("answers") == {"PASS", "FAIL"} and found.gate == 1
    assert found.after["verdict"].startswith("leaky: 24 of 24") or "are others than recorded" in found.after["verdict"]
    assert (found.after["headline"], found.after["standing"]) == ("leaky", f"not {INDEPENDENT}")
    assert found.after["features_layer"] == found.after["split_layer"] == "audited"


def test_a_model_that_reads_labels_beside_the_corpus_fails(audited, spoken, tmp_path):
    file = write_answers(spoken / "tiny", spoken / "answers.json")
    plugin = LOOKS_UP.replace("LABELS", f'return json.loads(Path(r"{file}").read_text())')
    found = audited(plugin=plugin, model="planted", more=ONE_FOLD)
    assert found.before["uar"] == 1.0 and INDEPENDENT in found.before["verdict"] and found.gate == 1
    assert found.after["model_layer"] == f"leaky: reads {file}, where the test part is"


def test_a_model_that_reads_labels_elsewhere_fails_when_they_name_utterances(audited, spoken, tmp_path):
    file = write_answers(spoken / "tiny", tmp_path / "answers.json")
    named = {path.stem: "x" for path in (spoken / "tiny").rglob("*.wav")}
    file.write_text(json.dumps({**json.loads(file.read_text()), **named}))
    found = audited(
        plugin=LOOKS_UP.replace("LABELS", f'return json.loads(Path(r"{file}").read_text())'),
        model="planted",
        more=ONE_FOLD,
    )
    assert found.after["model_layer"] == f"leaky: reads {file}, which names test utterances"


def test_a_model_that_goes_on_without_the_labels_it_may_not_read_fails(audited, spoken):
    file = write_answers(spoken / "tiny", spoken / "answers.json")
    body = f'try:\n        return json.loads(Path(r"{file}").read_text())\n    except OSError:\n        return {{}}'
    found = audited(plugin=LOOKS_UP.replace("LABELS", body), model="planted", more=ONE_FOLD)
    assert found.outcomes("answers") == {"FAIL"}
    tried = found.after["model_layer"].partition("tried to read ")[2]
    assert str(file) in tried.split(", ")


def test_a_model_that_carries_the_labels_with_it_fails_on_permuted_labels(audited, spoken):
    body = f"return {answers_by_features(spoken / 'tiny')!r}"
    found = audited(plugin=LOOKS_UP.replace("LABELS", body), model="planted", more=ONE_FOLD)
    # Nothing is read, nothing remembered: it answers as recorded.
    assert found.outcomes("answers") == {"PASS"} and found.outcomes("permuted labels") == {"FAIL"}
    assert "UAR 1.00 with permuted training labels (chance 0.33" in found.after["model_layer"]


def test_a_model_that_adapts_to_the_batch_is_transductive(audited):
    found = audited(plugin=ADAPTS, model="planted", more=ONE_FOLD)
    assert found.found["transductive"] and found.outcomes("answers") == {"undecided"}
    assert found.after["verdict"] == "transductive; model declared" and found.after["standing"] == "transductive"
    assert "depend on the order of the test part" in found.after["model_layer"]


def test_a_model_that_is_another_each_time_stays_declared(audited):
    found = audited(plugin=NOISY, model="planted", more=ONE_FOLD)
    assert found.outcomes("answers") == found.outcomes("weights") == {"undecided"} and found.gate == 0
    assert (
        found.after["verdict"] == f"{INDEPENDENT}; model declared" and "not reproducible" in found.after["model_layer"]
    )


def test_a_feature_set_that_knows_the_label_from_the_file_name_fails(audited):
    found = audited(plugin=READS_NAMES, features="own", more=ONE_FOLD)
    assert found.before["verdict"] == f"{INDEPENDENT}; features declared"
    assert found.outcomes("features") == {"FAIL"} and found.gate == 1
    assert found.after["features_layer"].startswith("leaky: ") and found.after["headline"] == "leaky"


def test_a_feature_set_normalised_over_all_files_fails(audited, spoken):
    found = audited(plugin=OVER_ALL_FILES.replace("ROOT", str(spoken / "tiny")), features="own", more=ONE_FOLD)
    assert found.after["features_layer"].startswith("leaky: reads ") and "where the test part is" in str(found.after)
    assert "normalised over all utterances" in found.found["signs"] and found.gate == 1


@pytest.fixture(scope="module")
def raw(spoken):
    """MFCC of the corpus by utterance, their labels and speakers."""
    paths = sorted((spoken / "tiny").rglob("*.wav"))
    values = np.array([extract(path, "mfcc") for path in paths], dtype=np.float64)
    names = [f"tiny/{path.parent.name}/{path.stem}" for path in paths]
    return names, values, np.array([path.parent.name for path in paths]), np.array([path.stem[:2] for path in paths])


def fitted_to_all_labels(values, labels, speakers):
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    return LinearDiscriminantAnalysis().fit(values[:, :20], labels).transform(values[:, :20])


def best_of_noise(values, labels, speakers):
    from sklearn.feature_selection import SelectKBest

    noise = np.random.default_rng(1).normal(size=(len(values), 3000))
    return SelectKBest(k=30).fit_transform(noise, labels)


def with_the_label(values, labels, speakers):
    return np.column_stack([values, np.unique(labels, return_inverse=True)[1]])


def normalised_over_all(values, labels, speakers):
    return (values - values.mean(axis=0)) / values.std(axis=0)


def normalised_by_speaker(values, labels, speakers):
    values = values.copy()
    for name in np.unique(speakers):
        values[speakers == name] -= values[speakers == name].mean(axis=0)
    return values


FILES = {
    fitted_to_all_labels: ("leaky: columns are uncorrelated within the classes", "leaky"),
    best_of_noise: ("leaky: columns are the best of many that chance gave", "leaky"),
    with_the_label: ("leaky: column 80 is a function of the label", "leaky"),
    normalised_over_all: ("declared: features file own", "transductive; features declared"),
    normalised_by_speaker: ("declared: features file own", "transductive; features declared"),
}


@pytest.mark.parametrize("made", FILES, ids=lambda made: made.__name__)
def test_a_features_file_fitted_over_all_utterances(audited, raw, tmp_path, made):
    names, *known = raw
    np.savez(tmp_path / "own.npz", **dict(zip(names, made(*known).astype(np.float32), strict=True)))
    found = audited(features="own", files={"own": tmp_path / "own.npz"}, more=ONE_FOLD)
    assert found.before["features_layer"] == "declared: features file own"
    assert found.before["verdict"] == f"{INDEPENDENT}; features declared"
    layer, verdict = FILES[made]
    assert found.after["features_layer"].startswith(layer) and found.after["verdict"].startswith(verdict)
    assert found.gate == (verdict == "leaky")


def test_parameters_found_by_hand_are_declared(audited, call, tmp_path):
    # Whoever tries parameters on the board and writes the best of them down has chosen on the test part.
    found = audited(model="{name: knn, params: {n_neighbors: 7}}", more=ONE_FOLD)
    for row in (found.before, found.after):
        assert (
            row["selection_layer"] == "declared: parameters given by the suite (n_neighbors)"
            and row["headline"] == "declared"
        )
    status, _, said = call("run", tmp_path / "planted.yaml", "--no-tracking", "--require", "audited")
    weak = "selection declared: parameters given by the suite (n_neighbors)"
    assert status == 2 and f"not audited: knn(n_neighbors=7) on mfcc: {weak}" in said
    assert call("run", tmp_path / "planted.yaml", "--no-tracking", "--require", INDEPENDENT, "--dry-run")[0] == 0


ENSEMBLE = """\
title: Planted
corpora: [{name: tiny, adapter: folder, speaker: "/(s[0-9])_"}]
grid:
  - features: [mfcc]
    models: [lda, knn]
    protocols: [{name: speaker_kfold, params: {k: 2}}]
ensembles:
  both: {members: [lda@mfcc, knn@mfcc], weights: validation}
"""


@pytest.mark.parametrize("tampered", [False, True])
def test_weights_of_an_ensemble_that_are_not_those_of_the_validation_part_fail(call, tmp_path, tampered):
    from dataclasses import replace

    from serbench.records import cell_path, read_cell, write_cell

    suite = tmp_path / "planted.yaml"
    suite.write_text(ENSEMBLE)
    assert call("run", suite, "--executor", "in_process", "--no-tracking", *ONE_FOLD)[0] == 0
    board = json.loads(call("leaderboard", "planted", "--format", "json")[1])
    row = next(entry for entry in board if entry["features"] == "ensemble of 2")
    folder = tmp_path / "results" / "planted"
    if tampered:
        # As if somebody had looked for the weights that suit the test part.
        for path in (folder / "cells").glob("*.parquet"):
            record, predictions = read_cell(path)
            if record.cell.members:
                names = list(record.params["weights"])
                params = {**record.params, "weights": dict(zip(names, (0.123, 0.877), strict=True))}
                write_cell(folder, replace(record, params=params), predictions)
                assert cell_path(folder, record.cell.id) == path
    status, out, _ = call("audit", row["row"], "--canary", "--gate", "--suite", suite, "--format", "json")
    (found,) = json.loads(out)
    assert status == int(tampered)
    if tampered:
        assert found["layers"]["selection"].startswith("leaky: ensemble weights are not those of the validation part")
    else:
        assert found["headline"] == "audited" and len(found["canary"]["members"]) == 2
