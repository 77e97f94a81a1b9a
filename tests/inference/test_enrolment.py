"""A trained model that hears a speaker before it answers."""

import dataclasses
import json
import shutil

import numpy as np
import pandas as pd
import pytest

import serbench
from serbench.api import run
from serbench.circumstances import Circumstances
from serbench.cli.main import build_app
from serbench.errors import EnrolmentError
from serbench.inference.describe import sheet_text
from serbench.inference.training import train
from serbench.reporting.loading import load_records
from serbench.reporting.robustness import robustness_table

SUITE = """\
title: Enrolling
corpora: [{name: tiny, adapter: folder, speaker: "/(s[0-9])_"}]
grid:
  - features: [mfcc]
    models: [logistic_regression]
    protocols: [{name: speaker_kfold, params: {k: 3}}]
    enrol: [0, 2]
"""


@pytest.fixture(scope="module")
def folders(tmp_path_factory, tiny_data):
    root = tmp_path_factory.mktemp("enrolling")
    (root / "enrolling.yaml").write_text(SUITE)
    around = Circumstances(data=tiny_data, cache=root / "cache", results=root / "results", executor="in_process")
    run(root / "enrolling.yaml", around=around)
    return [
        train(
            f"enrolling/*/*/mfcc (enrolled {n})/logistic_regression",
            root / f"model-{n}",
            around,
            suite=str(root / "enrolling.yaml"),
        )
        for n in (0, 2)
    ]


@pytest.fixture(scope="module")
def models(folders):
    return [serbench.load_model(folder) for folder in folders]


def test_what_it_hears_changes_its_answers_and_not_itself(models, tiny_data):
    model, folder = models[1], tiny_data / "tiny" / "low"
    before = model.predict_proba(folder / "s5_low_0.wav")
    heard = [folder / f"s5_low_{take}.wav" for take in (1, 2)]
    enrolled = model.enrol(heard)
    after = enrolled.predict_proba(folder / "s5_low_0.wav")
    assert not np.allclose(before, after) and after.sum() == pytest.approx(1)
    np.testing.assert_allclose(model.predict_proba(folder / "s5_low_0.wav"), before)
    np.testing.assert_allclose(enrolled.enrol(heard).predict_proba(folder / "s5_low_0.wav"), after)


def test_the_answer_is_that_of_the_features_shifted_by_hand(models, tiny_data):
    model, path = models[1], tiny_data / "tiny" / "mid" / "s1_mid_0.wav"
    (member,) = model.members
    x = serbench.inference.clips.read_clip(path).describe(member.sets, model.registry)
    mean, deviation = member.adaptation.of_utterances([x])
    expected = member.saved.predict_proba(((x - mean) / deviation)[None].astype(np.float32))[0]
    plain = dataclasses.replace(model.enrol([path]), temperature=1.0)
    np.testing.assert_allclose(plain.predict_proba(path), expected, atol=1e-6)


def test_the_command_line_enrols_the_speaker_of_a_folder(folders, models, tiny_data, tmp_path, capsys):
    heard = [shutil.copy(path, tmp_path) for path in sorted((tiny_data / "tiny" / "low").glob("s5_low_[12].wav"))]
    asked = str(tiny_data / "tiny" / "mid" / "s5_mid_0.wav")

    def told(*words):
        build_app()(["predict", *map(str, words), asked, "--format", "json"], standalone_mode=False)
        return list(json.loads(capsys.readouterr().out)[0]["probabilities"].values())

    np.testing.assert_allclose(told(folders[1], "--enrol", tmp_path), models[1].enrol(heard).predict_proba(asked))
    assert not np.allclose(told(folders[1]), told(folders[1], "--enrol", tmp_path))
    with pytest.raises(EnrolmentError, match="was not trained to enrol"):
        told(folders[0], "--enrol", tmp_path)


def test_a_row_that_trains_on_copies_hears_speakers_as_they_spoke(tmp_path, tiny_data, capsys):
    file = tmp_path / "copied.yaml"
    file.write_text(SUITE + "    augment: {vtlp: {semitones: [-3, 3]}, copies: 2}\n")
    around = Circumstances(data=tiny_data, cache=tmp_path / "cache", results=tmp_path / "results", jobs=1)
    run(file, around=around)
    row = "copied/*/*/mfcc (enrolled 2)/logistic_regression"
    folder = train(row, tmp_path / "model", around, suite=str(file))
    model = serbench.load_model(folder)
    # What a speaker is like is known of originals: the mean over speakers of their own means.
    (member,) = model.members
    spoken = pd.DataFrame({"path": sorted((tiny_data / "tiny").rglob("*.wav"))})
    means = spoken.groupby(spoken["path"].map(lambda path: path.name[:2]))["path"].apply(
        lambda paths: np.mean([serbench.extract(path, "mfcc") for path in paths], axis=0)
    )
    np.testing.assert_allclose(member.adaptation.population.mean, np.mean(list(means), axis=0), rtol=1e-4, atol=1e-4)
    heard = tmp_path / "heard"
    heard.mkdir()
    for path in (tiny_data / "tiny" / "low").glob("s5_low_[12].wav"):
        shutil.copy(path, heard)
    asked = str(tiny_data / "tiny" / "mid" / "s5_mid_0.wav")
    words = ["predict", str(folder), asked, "--enrol", str(heard), "--format", "json"]
    build_app()(words, standalone_mode=False)
    told = list(json.loads(capsys.readouterr().out)[0]["probabilities"].values())
    np.testing.assert_allclose(told, model.enrol(sorted(heard.iterdir())).predict_proba(asked))
    assert not np.allclose(told, model.predict_proba(asked))


def test_a_model_of_a_row_that_hears_nothing_cannot_enrol(models, tiny_data):
    with pytest.raises(EnrolmentError, match="was not trained to enrol"):
        models[0].enrol([tiny_data / "tiny" / "mid" / "s1_mid_0.wav"])


def test_silence_no_file_and_no_list(models, make_wav, tmp_path):
    silent = make_wav(tmp_path / "silent.wav", signal=np.zeros(16_000, dtype=np.int16))
    with pytest.raises(EnrolmentError, match=r"silent\.wav: cannot be enrolled: is silent"):
        models[1].enrol([silent])
    with pytest.raises(EnrolmentError, match=r"absent\.wav: cannot be enrolled"):
        models[1].enrol([tmp_path / "absent.wav"])
    for nothing in ([], str(silent)):
        with pytest.raises(EnrolmentError, match="no utterances to enrol"):
            models[1].enrol(nothing)


def test_the_error_sheet_tells_how_the_twins_of_the_row_do(folders, models):
    told = [(item.condition, item.uar.value) for item in models[0].sheet.enrolment]
    assert told == [(item.condition, item.uar.value) for item in models[1].sheet.enrolment]
    assert [words for words, _ in told] == ["0 unlabelled utterances", "2 unlabelled utterances"]
    assert [told[0][1], told[1][1]] == [model.sheet.priors.row_uar for model in models]
    assert "trained to hear 2 unlabelled utterances of the speaker first: UAR" in sheet_text(models[0].sheet)


def test_the_error_sheet_tells_how_the_row_stands_degraded_audio(tmp_path, tiny_data):
    file = tmp_path / "noisy.yaml"
    file.write_text(SUITE.replace("    enrol: [0, 2]\n", "") + "robustness: {noise_snr_db: [0]}\n")
    where = {"data": tiny_data, "cache": tmp_path / "cache", "results": tmp_path / "results"}
    around = Circumstances(**where, executor="in_process")
    run(file, around=around)
    row = "noisy/*/*/mfcc/logistic_regression"
    sheet = serbench.load_model(train(row, tmp_path / "model", around, suite=str(file))).sheet
    table = robustness_table(around.results, load_records(around.results, "noisy"))
    assert [(item.condition, item.uar.value) for item in sheet.robustness] == [
        (item["condition"], item["uar"]) for item in table
    ]
    assert [item.condition for item in sheet.robustness] == ["clean", "noise 0 dB"] and not sheet.enrolment
    assert "noise 0 dB: UAR" in sheet_text(sheet)
