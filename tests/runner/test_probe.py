import json

import numpy as np
import pytest

from serbench.features.matrix import FeatureMatrix
from serbench.features.normalise import normalise_by_speaker
from serbench.runner.probe import probe_fit

ROWS, TRAIN, TEST = 40, np.arange(30), np.arange(30, 40)
CODES = np.arange(ROWS) % 2


@pytest.fixture(params=["vector", "sequence"])
def matrix(request):
    rng = np.random.default_rng(0)
    ids = [f"c/{row}" for row in range(ROWS)]
    shape = (5,) if request.param == "vector" else (4, 5)
    return FeatureMatrix.from_arrays(ids, [rng.normal(CODES[row], 1, shape) for row in range(ROWS)])


def pooled(matrix, rows):
    """(rows, 5) of either kind."""
    return np.array([np.atleast_2d(values).mean(axis=0) for values in matrix.take(rows)])


class Centroids:
    """Softmax of the distances to the class means; `seen` are the rows that the means are taken of."""

    def __init__(self, matrix, seen, *, centre_batch=False):
        values = pooled(matrix, seen)
        self.means = np.array([values[CODES[seen] == code].mean(axis=0) for code in (0, 1)])
        self.centre_batch = centre_batch

    def predict_proba(self, features):
        values = np.array([np.atleast_2d(item).mean(axis=0) for item in features])
        if self.centre_batch:
            values = values - values[0]
        distances = ((values[:, None] - self.means) ** 2).sum(axis=2)
        weights = np.exp(-distances + distances.min(axis=1, keepdims=True))
        return weights / weights.sum(axis=1, keepdims=True)


def same(matrix):
    return matrix


def test_a_model_of_the_training_rows_alone_does_not_move(matrix):
    found = probe_fit(lambda m: Centroids(m, TRAIN), same, matrix, TRAIN, TEST)
    assert found == {"moved": 0.0, "fit_on_test": False, "order": 0.0, "order_dependent": False}


def test_a_model_that_has_seen_the_test_rows_is_caught(matrix):
    found = probe_fit(lambda m: Centroids(m, np.arange(ROWS)), same, matrix, TRAIN, TEST)
    assert found["fit_on_test"]
    assert found["moved"] > 0.01


def test_statistics_over_the_whole_table_are_caught(matrix):
    def scaled(raw):
        return FeatureMatrix(raw.ids, (raw.values - raw.values.mean(axis=0)) / raw.values.std(axis=0), raw.offsets)

    assert probe_fit(lambda m: Centroids(m, TRAIN), scaled, matrix, TRAIN, TEST)["fit_on_test"]


@pytest.mark.parametrize(("speakers", "caught"), [(np.arange(ROWS) // 10, False), (np.arange(ROWS) % 4, True)])
def test_normalising_speakers_reaches_training_only_where_they_are_shared(matrix, speakers, caught):
    def normalised(raw):
        return normalise_by_speaker(raw, [f"s{speaker}" for speaker in speakers])

    assert probe_fit(lambda m: Centroids(m, TRAIN), normalised, matrix, TRAIN, TEST)["fit_on_test"] is caught


def test_answers_that_depend_on_the_batch_are_noted(matrix):
    found = probe_fit(lambda m: Centroids(m, TRAIN, centre_batch=True), same, matrix, TRAIN, TEST)
    assert found["order_dependent"]
    assert not found["fit_on_test"]


def test_the_features_that_were_handed_in_stay_as_they_are(matrix):
    before = matrix.values.copy()
    probe_fit(lambda m: Centroids(m, TRAIN), same, matrix, TRAIN, TEST)
    assert np.array_equal(matrix.values, before)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A tiny corpus run under two protocols; its folder, with a function that audits a row with the probe."""
    import soundfile
    import typer
    from typer.testing import CliRunner

    from serbench.circumstances import Circumstances
    from serbench.cli.audit import audit
    from serbench.registry import build_registry
    from serbench.runner.engine import run_plan
    from serbench.runner.planning.plan import make_plan
    from serbench.runner.suite.file import load_suite

    folder = tmp_path_factory.mktemp("probe")
    rng = np.random.default_rng(0)
    for speaker in "abcd":
        for label, level in (("loud", 0.5), ("soft", 0.05)):
            for take in range(3):
                path = folder / "data" / "voices" / label / f"{speaker}{take}.wav"
                path.parent.mkdir(parents=True, exist_ok=True)
                soundfile.write(path, level * rng.uniform(-1, 1, 6400), 16000)
    suite = folder / "voices.yaml"
    suite.write_text(
        "title: Voices\n"
        "corpora: [{name: voices, adapter: folder, speaker: '/([a-d])'}]\n"
        "grid: [{features: [mfcc], models: [svm], protocols: [loso]}]\n"
    )
    around = Circumstances(folder / "data", folder / "cache", folder / "results", jobs=1)
    registry = build_registry()
    run_plan(make_plan(load_suite(str(suite)), registry, around), registry, around)
    program = typer.Typer()
    program.command()(audit)
    where = {"data": "data", "cache": "cache", "results": "results"}
    options = [word for name, place in where.items() for word in (f"--{name}", str(folder / place))]

    def call(*words):
        result = CliRunner().invoke(program, [*words, *options])
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.stdout

    return folder, call


def test_a_finished_row_is_probed_from_the_command_line(finished, monkeypatch):
    folder, call = finished
    monkeypatch.chdir(folder)
    (folder / "benchmarks").mkdir(exist_ok=True)
    (folder / "benchmarks" / "voices.yaml").write_text((folder / "voices.yaml").read_text())
    (found,) = json.loads(call("voices/loso/mfcc/svm", "--probe", "--format", "json"))
    assert found["verdict"] == "speaker-independent"
    assert found["probe"]["fold"] == "a"
    assert found["probe"]["moved"] == 0.0
    assert "nothing that was fitted moves" in call("voices/loso/mfcc/svm", "--probe")


def test_only_a_row_can_be_probed(finished):
    from serbench.errors import UsageError

    for words in (["voices", "--probe"], ["--split", "x.csv", "--probe"]):
        with pytest.raises(UsageError, match="only a row can be probed"):
            finished[1](*words)
