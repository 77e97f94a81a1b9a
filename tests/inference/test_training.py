import dataclasses
import json
import shutil

import numpy as np
import pytest

from serbench.api import load_model
from serbench.errors import ModelError, UnknownName, UsageError
from serbench.inference import results
from serbench.inference.describe import sheet_text
from serbench.inference.folder import MANIFEST, read_manifest, write_manifest
from serbench.inference.training import train
from serbench.reporting.calibration import pooled_probabilities
from serbench.reporting.leaderboard import leaderboard
from serbench.reporting.loading import load_predictions, load_records
from serbench.reporting.papers.details import class_report, pooled_confusion
from serbench.scoring import at_temperature, fit_temperature

LDA = "spoken/tiny/speaker_kfold*/mfcc/lda"


@pytest.fixture
def copied(trained, tmp_path):
    return shutil.copytree(trained, tmp_path / "copy")


def changed(folder, **values):
    path = folder / MANIFEST
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def test_a_model_says_of_itself_what_the_leaderboard_says_of_its_row(trained, spoken):
    _, around = spoken
    sheet = read_manifest(trained).sheet
    records = load_records(around.results, "spoken")
    entry = leaderboard(records).set_index("row").loc[sheet.row]
    assert (sheet.uar.value, sheet.uar.low, sheet.uar.high) == (entry["uar"], entry["uar_low"], entry["uar_high"])
    cells = records[records["row"] == sheet.row]
    assert np.array_equal(sheet.confusion, pooled_confusion(cells)[1])
    for found, expected in zip(sheet.classes, class_report(cells), strict=False):
        assert found.precision.value == expected["precision"] and found.support == expected["support"]
        assert found.precision.low <= found.precision.value <= found.precision.high
    assert sheet.verdict == "speaker-independent" and sheet.trained_on == 54 and sheet.folds == "3/3"
    assert sheet.corpora[0].name == "tiny"


def test_the_temperature_is_fitted_on_answers_about_unseen_speakers(trained, spoken):
    _, around = spoken
    manifest = read_manifest(trained)
    records = load_records(around.results, "spoken")
    frames = load_predictions(around.results, records[records["row"] == manifest.sheet.row])
    pooled = pooled_probabilities(frames, manifest.labels)
    assert manifest.temperature == pytest.approx(fit_temperature(pooled.truth, pooled.probabilities), rel=1e-3)


def test_class_priors_that_help_are_used_and_the_sheet_tells_of_the_answers_with_them(
    spoken, tmp_path, tiny_data, monkeypatch
):
    file, around = spoken

    def skewed(frames, labels):
        # As if the row said `mid` far too often.
        pooled = pooled_probabilities(frames, labels)
        found = at_temperature(pooled.probabilities, 1.0, 6.0 * (np.arange(len(labels)) == labels.index("mid")))
        return dataclasses.replace(pooled, probabilities=found, predicted=found.argmax(axis=1))

    monkeypatch.setattr(results, "pooled_probabilities", skewed)
    folder = train(LDA, tmp_path / "model", around, suite=str(file))
    sheet = read_manifest(folder).sheet
    bias = dict(zip(sheet.labels, sheet.priors.log_bias, strict=True))
    assert sheet.priors.log_loss_with < sheet.priors.log_loss_without and bias["mid"] < min(bias["low"], bias["high"])
    assert sum(map(sum, sheet.confusion)) == 54 and "class priors:" in sheet_text(sheet)
    recalls = [item.recall.value for item in sheet.classes]
    assert sheet.uar.value == pytest.approx(np.mean(recalls)) and sheet.priors.row_uar > 0.5
    model, path = load_model(folder), next((tiny_data / "tiny" / "low").iterdir())
    plain = dataclasses.replace(model, sheet=None).predict_proba(path)
    expected = at_temperature(plain[None], 1.0, sheet.priors.log_bias)[0]
    np.testing.assert_allclose(model.predict_proba(path), expected, atol=1e-9)


def test_class_priors_that_do_not_help_are_told_of_and_not_used(trained, tiny_data):
    model = load_model(trained)
    assert model.sheet.priors.log_loss_with >= model.sheet.priors.log_loss_without and model.log_bias == []
    assert "class priors: not used (log-loss" in sheet_text(model.sheet)


def test_a_bias_of_another_number_of_labels_is_refused(copied):
    sheet = read_manifest(copied).sheet.model_dump(mode="json")
    changed(copied, sheet=sheet | {"priors": sheet["priors"] | {"log_bias": [0.5]}})
    with pytest.raises(ModelError, match="1 biases for 3 labels"):
        load_model(copied)


def test_a_model_answers_for_files_and_for_samples_alike(trained, tiny_data):
    import soundfile

    model = load_model(trained)
    path = next((tiny_data / "tiny" / "high").iterdir())
    samples, rate = soundfile.read(path, dtype="float32")
    found = model.predict_proba(path)
    np.testing.assert_allclose(found, model.predict_proba(samples, rate=rate), atol=1e-6)
    assert found.sum() == pytest.approx(1) and model.predict(path) == "high"
    stereo = np.column_stack([samples, samples])
    np.testing.assert_allclose(found, model.predict_proba(stereo, rate=rate), atol=1e-6)


def test_an_ensemble_averages_what_its_members_answer(trained_pair, tiny_data):
    model = load_model(trained_pair)
    assert len(model.members) == 2 and sum(member.weight for member in model.members) == pytest.approx(1)
    path = next((tiny_data / "tiny" / "low").iterdir())
    assert model.predict(path) == "low"
    assert model.predict_proba(path).sum() == pytest.approx(1)


def test_training_twice_gives_the_same_answers(trained, spoken, tmp_path, tiny_data):
    file, around = spoken
    again = train(LDA, tmp_path / "again", around, suite=str(file))
    path = next((tiny_data / "tiny" / "mid").iterdir())
    assert np.array_equal(load_model(again).predict_proba(path), load_model(trained).predict_proba(path))


@pytest.mark.parametrize(
    ("row", "error", "message"),
    [
        ("nosuch/lda", UnknownName, "suite with results"),
        ("lda", UsageError, "'lda' is not SUITE/ROW(.|\\n)*such as spoken/lda"),
        ("spoken", UsageError, "'spoken' is not SUITE/ROW(.|\\n)*`serbench leaderboard spoken`"),
        ("spoken/nosuch", UnknownName, "unknown row"),
        ("spoken/tiny/stratified_kfold*/mfcc/lda", ModelError, "no honest ones.*leaky"),
        ("spoken/tiny/speaker_kfold*/mfcc (speaker-normalised)/lda", ModelError, "normalised by speaker"),
    ],
)
def test_rows_that_make_no_honest_model_are_refused(row, error, message, spoken, tmp_path):
    file, around = spoken
    with pytest.raises(error, match=message):
        train(row, tmp_path / "model", around, suite=str(file))
    assert not (tmp_path / "model").exists()


def test_a_row_that_is_not_complete_is_refused_with_the_command_that_completes_it(spoken, tmp_path):
    file, around = spoken
    copy = shutil.copytree(around.results, tmp_path / "results")
    records = load_records(copy, "spoken")
    one = records[(records["model"] == "lda") & (records["protocol"].str.startswith("speaker"))].iloc[0]
    (copy / "spoken" / "cells" / f"{one['id']}.parquet").unlink()
    with pytest.raises(ModelError, match="not complete") as caught:
        train(LDA, tmp_path / "model", dataclasses.replace(around, results=copy), suite=str(file))
    assert "serbench run spoken --row" in caught.value.hint


def test_a_folder_with_something_in_it_is_left_alone(spoken, tmp_path):
    file, around = spoken
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "mine.txt").write_text("mine")
    with pytest.raises(ModelError, match="something already"):
        train(LDA, tmp_path / "model", around, suite=str(file))
    assert (tmp_path / "model" / "mine.txt").read_text() == "mine"


def test_a_changed_missing_or_added_file_is_named(copied):
    (copied / "member-0" / "extra.py").write_text("raise SystemExit")
    with pytest.raises(ModelError, match=r"extra.py does not belong"):
        load_model(copied)
    (copied / "member-0" / "extra.py").unlink()
    weights = copied / "member-0" / "model.skops"
    content = weights.read_bytes()
    weights.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(ModelError, match=r"model.skops has changed"):
        load_model(copied)
    weights.unlink()
    with pytest.raises(ModelError, match=r"model.skops is missing"):
        load_model(copied)


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"kind": "other"}', "[" * 100_000])
def test_what_is_no_model_is_told(content, tmp_path):
    (tmp_path / MANIFEST).write_text(content)
    with pytest.raises(ModelError, match="not a model of serbench") as caught:
        load_model(tmp_path)
    assert "serbench train" in caught.value.hint


def test_an_absent_or_foreign_folder_is_no_model(tmp_path):
    (tmp_path / "weights.pkl").write_bytes(b"cos\nsystem\n(S'touch hacked'\ntR.")
    for folder in (tmp_path / "absent", tmp_path):
        with pytest.raises(ModelError, match="no saved model here"):
            load_model(folder)


def test_a_model_of_another_schema_names_both(copied):
    changed(copied, schema=99, serbench="9.0")
    with pytest.raises(ModelError, match=r"schema 99, made by serbench 9.0; .* reads 2"):
        load_model(copied)


def test_members_outside_of_the_folder_are_refused(copied):
    changed(copied, members=[{"folder": "../elsewhere", "weight": 1.0, "temperature": 1.0}])
    with pytest.raises(ModelError, match=r"description is damaged: members.0.folder"):
        load_model(copied)


def test_features_of_another_version_are_refused(copied):
    manifest = read_manifest(copied)
    meta = copied / "member-0" / "meta.json"
    content = json.loads(meta.read_text())
    meta.write_text(json.dumps(content | {"feature_versions": {"mfcc": "0.1"}}))
    (copied / MANIFEST).unlink()
    write_manifest(copied, manifest.members, manifest.labels, manifest.temperature, manifest.sheet)
    with pytest.raises(ModelError, match=r"'mfcc' of version 0.1, here it is of version"):
        load_model(copied)


def test_a_file_with_foreign_classes_is_not_run(copied, tmp_path):
    import skops.io
    from sklearn.preprocessing import FunctionTransformer

    manifest = read_manifest(copied)
    harmful = FunctionTransformer(func=shutil.rmtree, kw_args={"path": str(tmp_path)})
    skops.io.dump(harmful, copied / "member-0" / "model.skops")
    # Whoever means harm gives the hashes of what he wrote.
    meta = json.loads((copied / "member-0" / "meta.json").read_text())
    (copied / "member-0" / "meta.json").write_text(json.dumps({**meta, "hashes": {}}))
    write_manifest(copied, manifest.members, manifest.labels, manifest.temperature, manifest.sheet)
    with pytest.raises(ModelError, match="not trusted"):
        load_model(copied)
    assert copied.is_dir()
