import io
import itertools
import json
import sys

import numpy as np
import pandas as pd
import pytest
import soundfile

from serbench.cli.main import build_app
from serbench.errors import AudioError, ModelError, UnknownName, UsageError
from serbench.inference.answers import SILENCE, UNSURE, Respondent
from serbench.inference.clips import read_clip, samples_clip
from serbench.inference.inputs import measure
from serbench.inference.model import SpeechModel, load_model
from serbench.inference.outputs import audacity_labels, spans
from serbench.inference.recordings import output_names
from serbench.inference.sheet import Cut
from serbench.inference.timeline import Windows, timeline

RATE = 16_000


def predict(*words):
    return build_app()(["predict", *map(str, words)], standalone_mode=False) or 0


def tone(pitch, seconds, level=0.3):
    times = np.arange(int(seconds * RATE)) / RATE
    noise = np.random.default_rng(0).normal(0, 0.02, len(times))
    return (level * np.sin(2 * np.pi * pitch * times) + noise).astype(np.float32)


@pytest.fixture(scope="module")
def model(trained):
    return load_model(trained)


@pytest.fixture(scope="module")
def folder(tiny_data):
    return tiny_data / "tiny" / "low"


def test_a_line_gives_label_probability_and_what_it_is_worth(trained, folder, capsys):
    assert predict(trained, folder) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 18
    sheet = load_model(trained).sheet
    low = next(item.precision for item in sheet.classes if item.label == "low")
    worth = f"right {100 * low.value:.0f} % of the time [{100 * low.low:.0f}, {100 * low.high:.0f}] (tiny)"
    assert all(": low " in line and "to people it has not heard" in line and worth in line for line in lines)


def test_every_format_says_the_same(trained, folder, tmp_path, capsys):
    predict(trained, folder, "--format", "json")
    told = json.loads(capsys.readouterr().out)
    predict(trained, folder, "--format", "csv")
    csv = pd.read_csv(io.StringIO(capsys.readouterr().out))
    predict(trained, folder, "--format", "parquet", "--output", tmp_path / "answers.parquet")
    parquet = pd.read_parquet(tmp_path / "answers.parquet")
    assert list(parquet["file"]) == list(csv["file"]) == [item["file"] for item in told]
    for column in ("p:low", "p:mid", "p:high"):
        found = [item["probabilities"][column[2:]] for item in told]
        np.testing.assert_allclose(parquet[column], found)
        np.testing.assert_allclose(csv[column], found)


def test_broken_files_are_named_and_the_rest_is_answered(trained, folder, tmp_path, capsys):
    (tmp_path / "broken.wav").write_bytes(b"RIFF")
    soundfile.write(tmp_path / "empty.wav", np.zeros(0), RATE)
    (tmp_path / "nothing.wav").touch()
    good = next(folder.iterdir())
    assert predict(trained, tmp_path, good) == 1
    out, err = capsys.readouterr()
    assert out.count("\n") == 1 and good.name in out
    assert all(name in err for name in ("broken.wav", "empty.wav", "nothing.wav", "3 not answered"))


def test_standard_input_is_a_recording(trained, folder, capsys, monkeypatch):
    class Stream:
        buffer = io.BytesIO(next(folder.iterdir()).read_bytes())

    monkeypatch.setattr(sys, "stdin", Stream)
    assert predict(trained, "-") == 0
    assert capsys.readouterr().out.startswith("standard input: low ")


@pytest.mark.parametrize(
    ("words", "error", "message"),
    [
        (("--format", "xml"), UnknownName, "format"),
        (("--format", "parquet"), UsageError, "--output"),
        (("--timeline-files", "x"), UsageError, "--timeline"),
        (("--timeline", "--window", "0.1"), UsageError, "window"),
        (("--timeline", "--step", "9"), UsageError, "step"),
        (("--abstain", "1.5"), UsageError, "between 0 and 1"),
        (("--enrol", "x"), AudioError, "no such file or folder"),
    ],
)
def test_options_that_make_no_sense_say_so(words, error, message, trained, folder):
    with pytest.raises(error) as caught:
        predict(trained, folder, *words)
    assert message in str(caught.value)


def test_what_is_no_model_or_no_audio_is_told(trained, folder, tmp_path):
    with pytest.raises(ModelError, match="no saved model"):
        predict(tmp_path, folder)
    with pytest.raises(AudioError, match="no audio in this folder"):
        predict(trained, tmp_path)
    with pytest.raises(AudioError, match="no such file"):
        predict(trained, tmp_path / "absent.wav")


def test_an_hour_is_no_utterance_and_is_refused_before_it_is_decoded(trained, tmp_path, capsys):
    path = tmp_path / "hour.flac"
    with soundfile.SoundFile(path, "w", RATE, 1) as stream:
        for _ in range(60):
            stream.write(np.zeros(60 * RATE, dtype=np.int16))
    assert predict(trained, path) == 1
    assert "lasts 3600 s" in (told := capsys.readouterr().err) and "--timeline" in told


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("rate", [8_000, 44_100])
def test_any_rate_and_number_of_channels_is_taken(channels, rate, model, tmp_path):
    signal = 0.3 * np.sin(2 * np.pi * 150 * np.arange(rate // 2) / rate)
    noise = np.random.default_rng(0).normal(0, 0.02, (len(signal), channels))
    soundfile.write(tmp_path / "a.wav", signal[:, None] + noise, rate)
    (answer,) = Respondent(model).ask([read_clip(tmp_path / "a.wav")])
    assert sum(answer.probabilities.values()) == pytest.approx(1)
    assert any(item.startswith("narrow band") for item in answer.warnings) == (rate == 8_000)


@pytest.mark.parametrize(
    ("signal", "warning"),
    [
        (tone(150, 0.05), "short"),
        (tone(150, 4), "long"),
        (tone(150, 0.4) / 50, "quiet"),
        (np.clip(8 * tone(150, 0.4), -1, 1), "clipped"),
        (np.zeros(RATE // 2, dtype=np.float32), "silence"),
        (np.random.default_rng(0).uniform(-1, 1, RATE // 2).astype(np.float32), "features far from training"),
    ],
)
def test_input_that_training_did_not_hear_is_warned_of(signal, warning, model):
    (answer,) = Respondent(model).ask([samples_clip(signal, RATE)])
    assert any(item.startswith(warning) for item in answer.warnings), answer.warnings


def test_training_utterances_give_few_warnings(model, folder):
    answers = Respondent(model).ask([read_clip(path) for path in folder.iterdir()])
    assert sum(bool(answer.warnings) for answer in answers) <= 2


def test_measures_are_those_of_the_signal():
    found = measure(samples_clip(tone(1000, 2, level=0.5), RATE))
    assert found["seconds"] == 2 and found["level_db"] == pytest.approx(10 * np.log10(0.125), abs=0.3)
    assert found["clipped"] == 0


def test_abstaining_keeps_the_answers_that_reach_the_share(model):
    kept = [
        Cut(probability=p, answered=a, precision=q) for p, a, q in ((0.3, 1, 0.5), (0.6, 0.6, 0.7), (0.9, 0.2, 0.9))
    ]
    sheet = model.sheet.model_copy(update={"cuts": kept})
    modest = SpeechModel(model.members, model.registry, 500.0, sheet)
    (answer,) = Respondent(modest, abstain=0.65).ask([samples_clip(tone(220, 0.4), RATE)])
    assert answer.probability < 0.6 and answer.label == UNSURE and answer.likeliest in answer.probabilities
    assert Respondent(model_with(model, sheet), abstain=0.4).threshold == 0.3
    with pytest.raises(UsageError, match="95 %") as caught:
        Respondent(modest, abstain=0.95)
    assert "the best is 0.90" in caught.value.hint


def model_with(model, sheet):
    return SpeechModel(model.members, model.registry, model.temperature, sheet)


@pytest.fixture
def long_file(tmp_path):
    parts = [tone(150, 8), np.zeros(6 * RATE, dtype=np.float32), tone(600, 8)]
    soundfile.write(tmp_path / "long.wav", np.concatenate(parts), RATE)
    return tmp_path / "long.wav"


def test_a_timeline_tells_silence_from_speech_and_one_emotion_from_another(model, long_file):
    answers = list(timeline(Respondent(model), str(long_file), "long", Windows()))
    assert [answer.start for answer in answers] == [float(second) for second in range(len(answers))]
    assert answers[-1].end == pytest.approx(22)
    at = {answer.start: answer.label for answer in answers}
    assert at[0.0] == at[4.0] == "low" and at[10.0] == SILENCE and at[16.0] == "high"
    found = spans(answers)
    assert found[0][0] == 0 and found[-1][1] == pytest.approx(22)
    assert all(before[1] == after[0] and before[2] != after[2] for before, after in itertools.pairwise(found))
    assert audacity_labels(answers).splitlines()[0].startswith("0.000\t")


def test_a_window_is_answered_as_the_file_that_it_would_be(model, long_file):
    answers = list(timeline(Respondent(model), str(long_file), "long", Windows(2.0, 0.5)))
    samples, _ = soundfile.read(long_file, dtype="float32")
    expected = model.predict_proba(samples[RATE : 3 * RATE], rate=RATE)
    np.testing.assert_allclose(list(answers[2].probabilities.values()), expected, atol=1e-9)


def test_a_timeline_is_written_for_audacity_praat_and_the_eye(trained, long_file, tmp_path, capsys):
    out = tmp_path / "out"
    assert predict(trained, long_file, "--timeline", "--timeline-files", out) == 0
    assert sorted(path.name for path in out.iterdir()) == ["long.TextGrid", "long.png", "long.txt"]
    grid = (out / "long.TextGrid").read_text()
    assert 'class = "IntervalTier"' in grid and f"intervals: size = {grid.count('text = ')}" in grid
    assert (out / "long.png").read_bytes().startswith(b"\x89PNG")
    assert "0.0–3.0 s: low" in capsys.readouterr().out


def test_recordings_of_one_name_have_a_timeline_each(trained, long_file, tmp_path):
    for speaker in ("ann", "ben"):
        (tmp_path / "in" / speaker).mkdir(parents=True)
        (tmp_path / "in" / speaker / "01.wav").write_bytes(long_file.read_bytes())
    assert predict(trained, tmp_path / "in", "--timeline", "--timeline-files", tmp_path / "out") == 0
    written = sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.txt"))
    assert written == ["ann/01.txt", "ben/01.txt"]
    names = output_names(["x/a.wav", "x/a.mp3", "x/b/a.wav"])
    assert list(names.values()) == ["a.wav", "a.mp3", "b/a.wav"]


def test_memory_of_a_timeline_does_not_grow_with_the_recording(model, tmp_path):
    import tracemalloc

    def peak(minutes):
        path = tmp_path / f"{minutes}.flac"
        with soundfile.SoundFile(path, "w", 8_000, 1) as stream:
            for number in range(minutes):
                stream.write(np.random.default_rng(number).normal(0, 0.1, 60 * 8_000))
        tracemalloc.start()
        for _ in timeline(Respondent(model), str(path), "long", Windows(10.0, 10.0)):
            pass
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    assert peak(12) < 1.3 * peak(4)
