import dataclasses
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import numpy as np
import pandas as pd
import plugins
import pytest
from in_one_process import Recording

from serbench.circumstances import Circumstances
from serbench.errors import ResultsError
from serbench.records import read_cell
from serbench.runner.cell.inputs import open_registry
from serbench.runner.cell.jobs import CellJob
from serbench.runner.cell.locks import lock
from serbench.runner.engine import run_plan
from serbench.runner.observers import Observer
from serbench.runner.planning.plan import make_plan
from serbench.runner.planning.selection import Filters
from serbench.runner.suite.file import load_suite


@pytest.fixture
def around(tiny_data, shared_cache, tmp_path) -> Circumstances:
    return Circumstances(data=tiny_data, cache=shared_cache, results=tmp_path / "results", jobs=2)


def run(suite, around, **filters):
    registry = open_registry(around)
    plan = make_plan(load_suite(str(suite)), registry, around, Filters(**filters))
    return plan, run_plan(plan, registry, around)


def cells_of(plan) -> dict[str, tuple]:
    return {item.cell.id: read_cell(plan.folder / "cells" / f"{item.cell.id}.parquet") for item in plan.cells}


def with_plugin(around, tmp_path, source: str) -> Circumstances:
    path = tmp_path / "own.py"
    path.write_text(source)
    return dataclasses.replace(around, plugins=(path,))


def test_a_run_leaves_probabilities_for_every_test_utterance(tiny_suite, around):
    plan, outcome = run(tiny_suite, around)
    assert (outcome.ran, outcome.failed, outcome.stopped) == (18, 0, False)
    tested = {}
    for record, predictions in cells_of(plan).values():
        assert record.status == "ok" and record.sizes["test"] == 18 and record.sizes["train"] == 36
        probabilities = predictions[["p:high", "p:low", "p:mid"]].to_numpy()
        np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-9)
        row = (record.cell.model_name, record.cell.protocol_name)
        tested.setdefault(row, []).extend(predictions["utterance"])
    assert all(len(names) == 54 and len(set(names)) == 54 for names in tested.values())
    again, outcome = run(tiny_suite, around)
    assert (outcome.ran, again.todo) == (0, [])


def test_results_are_bitwise_equal_for_any_number_of_jobs(tiny_suite, around, tmp_path):
    text = tiny_suite.read_text() + (
        "  - features: [mfcc_sequence]\n    models: [{name: cnn, params: {epochs: 2, filters: 8, blocks: 1}}]\n"
        "    protocols: [{name: speaker_kfold, params: {k: 2}}]\n"
    )
    tiny_suite.write_text(text)
    one, _ = run(tiny_suite, dataclasses.replace(around, jobs=1, results=tmp_path / "one"))
    two, _ = run(tiny_suite, around)
    found, expected = cells_of(two), cells_of(one)
    assert found.keys() == expected.keys() and len(found) == 20
    for key, (record, predictions) in expected.items():
        pd.testing.assert_frame_equal(found[key][1], predictions, check_exact=True)
        assert found[key][0].history == record.history


def test_the_record_says_where_it_comes_from(tiny_suite, around):
    plan, _ = run(tiny_suite, dataclasses.replace(around, executor="in_process"), model=["lda"])
    for record, _ in cells_of(plan).values():
        assert record.environment["packages"]["numpy"] == np.__version__
        assert record.environment["threads"] == 1
        assert record.corpus["used"] == 54
        honest = record.cell.protocol["name"] == "speaker_kfold"
        assert record.audit["speaker_independent"] is honest
        assert record.audit["verdict"].startswith("speaker-independent" if honest else "leaky")
        assert record.seconds.keys() >= {"features", "fit", "predict"}


@pytest.mark.parametrize(
    ("source", "model", "reason", "executor"),
    [(plugins.RAISES, "raises", "no luck today", "local"), (plugins.DIES, "dies", "worker process died", "local"),
     (plugins.NOT_FINITE, "not_finite", "not finite", "in_process")],
)  # fmt: skip
def test_a_failure_is_a_row_with_its_reason_and_runs_again(
    tiny_suite, around, tmp_path, source, model, reason, executor
):
    around = dataclasses.replace(with_plugin(around, tmp_path, source), executor=executor)
    only = {"model": [model, "lda"], "protocol": ["speaker_kfold"]}
    plan, outcome = run(tiny_suite, around, **only)
    assert (outcome.ran, outcome.failed) == (6, 3)
    records = [record for record, _ in cells_of(plan).values()]
    assert {record.status for record in records if record.cell.model["name"] == "lda"} == {"ok"}
    failed = [record for record in records if record.status == "failed"]
    assert len(failed) == 3 and all(reason in record.reason for record in failed)
    assert run(tiny_suite, around, **only)[1].ran == 3


def test_a_changed_plugin_makes_its_cells_stale(tiny_suite, around, tmp_path):
    around = dataclasses.replace(around, executor="in_process")
    source = plugins.SLOW.replace("SECONDS", "0")
    only = {"model": ["slow"], "protocol": ["speaker_kfold"]}
    run(tiny_suite, with_plugin(around, tmp_path, source), **only)
    assert run(tiny_suite, with_plugin(around, tmp_path, source), **only)[1].ran == 0
    plan, outcome = run(tiny_suite, with_plugin(around, tmp_path, source + "# changed\n"), **only)
    assert {item.state for item in plan.cells} == {"stale"} and outcome.ran == 3


def test_two_runs_at_once_train_no_cell_twice(tiny_suite, around, tmp_path):
    log = tmp_path / "fits.log"
    around = with_plugin(around, tmp_path, plugins.COUNTS.replace("LOG", str(log)))
    only = {"model": ["counts"]}
    with ThreadPoolExecutor() as pool:
        (plan, _), _ = pool.map(lambda _: run(tiny_suite, around, **only), range(2))
    assert log.read_text().split() == ["fit"] * 6
    assert {record.status for record, _ in cells_of(plan).values()} == {"ok"}


def test_cells_that_another_run_has_in_hand_are_tried_now_and_then(tiny_suite, around):
    plan = make_plan(load_suite(str(tiny_suite)), open_registry(around), around, Filters(model=("majority",)))
    executor, observed = Recording(), Observed()
    run = threading.Thread(
        target=run_plan, args=(plan, open_registry(around), around, [observed]), kwargs={"executor": executor}
    )
    held = {item.cell.id for item in plan.cells[:2]}
    with ExitStack() as others:
        for cell in held:
            others.enter_context(lock(plan.folder / "locks" / f"{cell}.lock", wait=False))
        run.start()
        while run.is_alive() and len(observed.finished_cells) < len(plan.cells) - len(held):
            time.sleep(0.01)
        time.sleep(1.0)
        tries = [job.cell.id for job in executor.jobs if isinstance(job, CellJob)]
    run.join()
    # The free cells once; the others at once and after half a second, but not without a pause.
    assert len(tries) <= len(plan.cells) + 2 * len(held)
    assert set(observed.finished_cells[-len(held) :]) == held and len(observed.finished_cells) == len(plan.cells)


class Observed(Observer):
    """Notes what an observer hears of finished cells."""

    def __init__(self):
        self.finished_cells, self.uars = [], []

    def finished(self, record, uar):
        self.finished_cells.append(record.cell.id)
        self.uars.append(uar)


def test_observers_hear_the_uar_of_a_cell_or_that_there_is_none(tiny_suite, around, tmp_path):
    around = with_plugin(around, tmp_path, plugins.RAISES)
    filters = Filters(model=("raises", "lda"), protocol=("speaker_kfold",))
    plan, observed = make_plan(load_suite(str(tiny_suite)), open_registry(around), around, filters), Observed()
    run_plan(plan, open_registry(around), around, [observed], executor=Recording())
    heard = dict(zip(observed.finished_cells, observed.uars, strict=True))
    for record, predictions in cells_of(plan).values():
        right = (predictions["truth"] == predictions["predicted"]).groupby(predictions["truth"]).mean().mean()
        assert heard[record.cell.id] == (pytest.approx(right) if record.status == "ok" else None)
    assert sum(uar is None for uar in observed.uars) == 3


def test_one_cell_left_to_run_has_its_features_extracted_by_all_workers(tiny_suite, around, tmp_path):
    source = plugins.WHO_EXTRACTS.replace("FOLDER", str(tmp_path / "workers"))
    (tmp_path / "workers").mkdir()
    around = dataclasses.replace(with_plugin(around, tmp_path, source), cache=tmp_path / "cache")
    only = {"features": ["who"], "model": ["lda"], "protocol": ["speaker_kfold"], "fold": ["1"]}
    plan, outcome = run(tiny_suite, around, **only)
    assert (len(plan.cells), outcome.ran, outcome.failed) == (1, 1, 0)
    assert len(list((tmp_path / "workers").iterdir())) == around.jobs == 2


def test_a_class_absent_from_training_gets_probability_zero(tiny_suite, around, tmp_path, tiny_data):
    folds = tmp_path / "folds.csv"
    names = sorted(path.stem for path in (tiny_data / "tiny").rglob("*.wav"))
    rows = [f"tiny/{name.split('_')[1]}/{name},{'1' if '_low_' in name else 'train'}" for name in names]
    folds.write_text("\n".join(["id,fold", *rows]))
    protocol = f"protocols: [{{name: fixed, params: {{file: '{folds}', partial: true}}}}]"
    tiny_suite.write_text(tiny_suite.read_text().split("    protocols")[0] + f"    {protocol}\n")
    plan, outcome = run(tiny_suite, around, model=["lda"])
    assert (outcome.ran, outcome.failed) == (1, 0)
    ((_, predictions),) = cells_of(plan).values()
    assert (predictions["p:low"] == 0).all() and set(predictions["truth"]) == {"low"}


def test_precomputed_features_take_part(tiny_suite, around, tmp_path, tiny_data):
    names = [f"{path.parent.name}/{path.stem}" for path in sorted((tiny_data / "tiny").rglob("*.wav"))]
    values = np.random.default_rng(0).normal(size=(len(names), 5)).astype(np.float32)
    table = pd.DataFrame(values, columns=[f"d{column}" for column in range(5)])
    table.insert(0, "utterance", names)
    table.to_parquet(tmp_path / "own.parquet")
    around = dataclasses.replace(around, features_files={"own": tmp_path / "own.parquet"})
    plan, outcome = run(tiny_suite, around, features=["own"], model=["lda"])
    assert (outcome.ran, outcome.failed) == (6, 0)
    assert {record.sizes["dimensions"] for record, _ in cells_of(plan).values()} == {5}


def test_speaker_normalised_features_are_called_transductive(tiny_suite, around):
    tiny_suite.write_text(tiny_suite.read_text().replace("[mfcc]", "[{name: mfcc, normalise: speaker}]"))
    plan, _ = run(tiny_suite, around, model=["lda"], protocol=["speaker_kfold"])
    verdicts = {record.audit["verdict"] for record, _ in cells_of(plan).values()}
    assert len(verdicts) == 1 and "transductive" in verdicts.pop()


def test_skipped_rows_go_when_their_protocol_becomes_available(tiny_suite, around):
    tiny_suite.write_text(tiny_suite.read_text().replace("protocols: [", "protocols: [official, "))
    plan, outcome = run(tiny_suite, around, model=["lda"])
    assert outcome.skipped == 1
    stand_in = plan.folder / "cells" / f"{plan.skipped[0].cell.id}.parquet"
    assert read_cell(stand_in)[0].status == "skipped"


def test_results_that_cannot_be_written_end_the_run(tiny_suite, around, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ResultsError, match="cannot write"):
        run(tiny_suite, dataclasses.replace(around, results=tmp_path / "file"))
