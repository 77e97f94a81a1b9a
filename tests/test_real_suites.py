"""On the real corpora: every suite runs; the gap between a random split and unseen speakers, and the audit of it."""

from __future__ import annotations

import dataclasses

import pytest

import serbench
from serbench.circumstances import Circumstances
from serbench.corpora.files import find_audio
from serbench.errors import CorpusError
from serbench.records import cell_path, read_cell
from serbench.runner.cell.inputs import open_registry
from serbench.runner.engine import run_plan
from serbench.runner.planning.plan import make_plan
from serbench.runner.suite.file import PUBLISHED, load_suite, suite_names

pytestmark = pytest.mark.real
CORPORA = ("ravdess_speech", "ravdess_song", "emodb", "savee", "tess")


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return tmp_path_factory.mktemp("results")


@pytest.fixture(scope="module")
def every_eleventh(tmp_path_factory, real_data):
    """A data root with links to every eleventh file of the real corpora: all speakers, little time."""
    homes = {**{name: real_data / name for name in CORPORA}, "cremad": real_data / "cremad_part"}
    return linked(tmp_path_factory.mktemp("every_eleventh"), homes, 11)


def linked(root, homes, step):
    """Link every n-th file of corpora, by their names below a data root, and return the root."""
    for name, home in homes.items():
        for path in sorted(find_audio(home))[::step] if home.is_dir() else ():
            link = root / name / path.relative_to(home)
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(path)
    return root


@pytest.mark.parametrize("suite", [*suite_names(), *suite_names(PUBLISHED)])
def test_one_fold_of_each_suite_runs_end_to_end(every_eleventh, results, shared_cache, suite):
    # In this process: a worker for each suite would import TensorFlow anew.
    where = {"data": every_eleventh, "cache": shared_cache, "results": results / "one fold"}
    around = Circumstances(**where, jobs=1, executor="in_process")
    registry = open_registry(around)
    try:
        plan = make_plan(load_suite(suite), registry, around)
    except CorpusError as absent:
        pytest.skip(f"{suite}: {absent.what}")
    # The plan lists the cheapest rows first; a network is trained for one epoch.
    item = min(plan.cells, key=lambda item: bool(item.cell.augment))
    if "epochs" in registry.get("model", item.cell.model["name"]).params:
        model = {**item.cell.model, "params": {**item.cell.model["params"], "epochs": 1}}
        item = dataclasses.replace(item, cell=dataclasses.replace(item.cell, model=model))
    outcome = run_plan(dataclasses.replace(plan, cells=(item,), skipped=()), registry, around)
    record, predictions = read_cell(cell_path(plan.folder, item.cell.id))
    assert (outcome.ran, outcome.failed, record.reason) == (1, 0, "")
    assert (predictions["role"] == "test").sum() >= len(item.split.test) > 0


# Of RAVDESS every second file will do: all speakers, labels and sentences, said once.
@pytest.mark.parametrize(("suite", "corpus", "step", "honest"), [
    ("emodb", "emodb", 1, "loso"), ("ravdess", "ravdess_speech", 2, "official"),
])  # fmt: skip
def test_random_splits_flatter_and_the_audit_says_why(
    real_data, results, shared_cache, tmp_path, suite, corpus, step, honest
):
    data = linked(tmp_path, {corpus: real_data / corpus}, step)
    where = {"data": data, "cache": shared_cache, "results": results, "executor": "in_process"}
    only = {"model": ["svm", "majority"], "features": ["handcrafted"]}
    board = serbench.run(suite, filters=only, **where)
    rows = {(row.protocol, row.model): row for row in board.itertuples()}
    unseen, random = rows[honest, "svm"], rows["stratified_kfold", "svm"]
    assert unseen.verdict == "speaker-independent" and random.verdict.startswith("leaky: speakers shared")
    assert random.uar - unseen.uar > 0.1
    assert unseen.uar_low < unseen.uar < unseen.uar_high
    assert unseen.uar > 2.5 * rows[honest, "majority"].uar
    assert (board["folds_done"] == board["folds_planned"]).all()


def test_a_part_of_cremad_is_called_partial_and_its_official_folds_unavailable(real_data, results, shared_cache):
    only = {"model": ["lda"], "features": ["mfcc"]}
    where = {"data": real_data, "cache": shared_cache, "results": results, "executor": "in_process"}
    place = {"cremad": real_data / "cremad_part"}
    board = serbench.run("cremad", filters=only, corpus_paths=place, **where)
    assert board["corpus_note"].str.contains("647 of 7442").all()
    skipped = board[board["protocol"] == "official"]
    assert skipped["folds_done"].tolist() == [0]
    assert set(board["protocol"]) == {"official", "speaker_kfold", "stratified_kfold"}
