"""On the real corpora: the gap between a random split and unseen speakers, and the audit that explains it."""

from __future__ import annotations

import pytest

import serbench

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return tmp_path_factory.mktemp("results")


@pytest.mark.parametrize(("suite", "honest"), [("emodb", "loso"), ("ravdess", "official")])
def test_random_splits_flatter_and_the_audit_says_why(real_data, results, shared_cache, suite, honest):
    only = {"model": ["svm", "majority"], "features": ["handcrafted"]}
    board = serbench.run(suite, filters=only, data=real_data, cache=shared_cache, results=results, jobs=2)
    rows = {(row.protocol, row.model): row for row in board.itertuples()}
    unseen, random = rows[honest, "svm"], rows["stratified_kfold", "svm"]
    assert unseen.verdict == "speaker-independent" and random.verdict.startswith("leaky: speakers shared")
    assert random.uar - unseen.uar > 0.1
    assert unseen.uar_low < unseen.uar < unseen.uar_high
    assert unseen.uar > 2.5 * rows[honest, "majority"].uar
    assert (board["folds_done"] == board["folds_planned"]).all()


def test_a_part_of_cremad_is_called_partial_and_its_official_folds_unavailable(real_data, results, shared_cache):
    only = {"model": ["lda"], "features": ["mfcc"]}
    where = {"data": real_data, "cache": shared_cache, "results": results, "jobs": 2}
    place = {"cremad": real_data / "cremad_part"}
    board = serbench.run("cremad", filters=only, corpus_paths=place, **where)
    assert board["corpus_note"].str.contains("647 of 7442").all()
    skipped = board[board["protocol"] == "official"]
    assert skipped["folds_done"].tolist() == [0]
    assert set(board["protocol"]) == {"official", "speaker_kfold", "stratified_kfold"}
