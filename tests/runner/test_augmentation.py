"""Augmented and degraded rows, the deliberate mistakes, and permuted labels: run in this process, without workers."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from in_one_process import Recording, carried_out

from serbench.circumstances import Circumstances
from serbench.errors import ProtocolError, SuiteError, UnknownName
from serbench.runner.cell import recipe
from serbench.runner.cell.copies import alterations, followed_by_copies, with_permuted_labels
from serbench.runner.cell.inputs import open_registry
from serbench.runner.cell.jobs import CellJob, ExtractJob
from serbench.runner.planning.audits import Audits, require_verdict
from serbench.runner.planning.copies import with_copies
from serbench.runner.planning.plan import make_plan
from serbench.runner.suite.file import load_suite

AUGMENT = "augment: {noise: {snr_db: [10, 20]}, stretch: {rate: [0.9, 1.1]}, copies: 2}\n"
ROBUSTNESS = "robustness: {noise_snr_db: [20, 0], bandwidth: telephone}\n"


@pytest.fixture
def around(tiny_data, tmp_path):
    return Circumstances(data=tiny_data, cache=tmp_path / "cache", results=tmp_path / "results", jobs=1)


def planned(path, around, **filters):
    from serbench.runner.planning.selection import Filters

    return make_plan(load_suite(str(path)), open_registry(around), around, Filters(**filters))


def suite(path, *, models="lda", protocols="{name: speaker_kfold, params: {k: 3}}", extra=""):
    text = path.read_text().split("grid:")[0]
    path.write_text(f"{text}{extra}grid:\n  - features: [mfcc]\n    models: [{models}]\n    protocols: [{protocols}]\n")
    return path


def test_copies_train_and_originals_are_tested(tiny_suite, around):
    plain = planned(suite(tiny_suite), around)
    plan = planned(suite(tiny_suite, extra=AUGMENT.replace("{noise", "[none, {noise").replace("2}", "2}]")), around)
    assert {item.cell.id for item in plain.cells} < {item.cell.id for item in plan.cells}
    done = carried_out(plan, around)
    assert len(done) == 6
    for record, predictions in done.values():
        assert not predictions["utterance"].str.contains("#").any()
        assert len(predictions) == 18 and record.sizes["train"] == 36
        assert record.audit["verdict"] == "speaker-independent"
    by_fold = {}
    for record, predictions in done.values():
        by_fold.setdefault(record.cell.fold, {})[bool(record.cell.augment)] = predictions
    for pair in by_fold.values():
        assert list(pair[True]["utterance"]) == list(pair[False]["utterance"])
        assert not np.allclose(pair[True]["p:high"], pair[False]["p:high"])


def test_the_model_is_fitted_to_copies_of_its_own_fit_part_alone(tiny_suite, around, monkeypatch):
    seen = {}
    real = recipe.fit_model

    def spy(spec, params, matrix, table, labels, training, **settings):
        seen.update(table=table, training=training, matrix=matrix)
        return real(spec, params, matrix, table, labels, training, **settings)

    monkeypatch.setattr(recipe, "fit_model", spy)
    plan = planned(suite(tiny_suite, extra=AUGMENT), around, fold=["1"])
    carried_out(plan, around)
    table, fitted = seen["table"], seen["table"].iloc[seen["training"].fit]
    (fold,) = {item.split.fold: item.split for item in plan.cells}.values()
    assert sorted(fitted["id"]) == sorted(f"{name}{mark}" for name in fold.train for mark in ("", "#1", "#2"))
    assert not set(fitted["parent"]) & set(fold.test)
    assert list(seen["matrix"].ids) == list(table["id"])
    copies = seen["matrix"].select([f"{fold.train[0]}{mark}" for mark in ("", "#1", "#2")]).values
    assert len(np.unique(copies, axis=0)) == 3


def test_warped_copies_train_and_are_audited_like_others(tiny_suite, around):
    plan = planned(suite(tiny_suite, extra="augment: [none, {vtlp: {semitones: [-3, 3]}, copies: 2}]\n"), around)
    answered = {}
    for record, predictions in carried_out(plan, around).values():
        assert record.audit["verdict"] == "speaker-independent"
        assert record.sizes["train"] == 36 and not predictions["utterance"].str.contains("#").any()
        answered.setdefault(record.cell.fold, []).append(predictions["p:high"].to_numpy())
    assert all(not np.allclose(first, second) for first, second in answered.values())


def test_features_of_copies_are_cached(tiny_suite, around):
    plan = planned(suite(tiny_suite, extra=AUGMENT), around)
    first, second = Recording(), Recording()
    carried_out(plan, around, first)
    jobs = [job for job in first.jobs if isinstance(job, ExtractJob)]
    assert {job.alteration.copy if job.alteration else 0 for job in jobs} == {0, 1, 2}
    assert sum(len(job.items) for job in jobs) == 3 * 54
    carried_out(dataclasses.replace(plan, force=True), around, second)
    assert [type(job) for job in second.jobs] == [CellJob] * 3


def test_a_trained_model_answers_degraded_audio_too(tiny_suite, around):
    plain = planned(suite(tiny_suite), around)
    carried_out(plain, around)
    plan = planned(suite(tiny_suite, extra=ROBUSTNESS), around)
    # The same cells, which lack the predictions now requested.
    assert {item.cell.id for item in plan.cells} == {item.cell.id for item in plain.cells}
    assert {item.state for item in plan.cells} == {"stale"}
    before = {cell: frame for cell, (_, frame) in carried_out(plain, around).items()}
    for cell, (record, frame) in carried_out(plan, around).items():
        names = ["noise 20 dB", "noise 0 dB", "telephone band"]
        assert record.degradations == names
        assert set(frame["role"]) == {"test", *(f"degraded: {name}" for name in names)}
        clean = frame[frame["role"] == "test"].reset_index(drop=True)
        pd.testing.assert_frame_equal(clean, before[cell])
        for name in names:
            part = frame[frame["role"] == f"degraded: {name}"]
            assert list(part["utterance"]) == list(clean["utterance"])
            assert not np.allclose(part["p:low"], clean["p:low"])
    assert {item.state for item in planned(tiny_suite, around).cells} == {"done"}


def test_augmenting_before_the_split_tests_copies_and_is_called_leaky(tiny_suite, around):
    protocols = "leaky_augment_before_split, speaker_kfold"
    plan = planned(suite(tiny_suite, protocols=protocols, extra=AUGMENT.replace("augment: ", "augment: [none, ")
                         .replace("2}\n", "2}]\n")), around, protocol=["leaky_augment_before_split"])  # fmt: skip
    (item,) = plan.cells
    assert item.cell.augment and len(item.split.test) == round(0.2 * 3 * 54)
    ((record, predictions),) = carried_out(plan, around).values()
    assert predictions["utterance"].str.contains("#").any()
    assert record.sizes["train"] == 3 * 54 - len(predictions)
    assert "augmented copies of test parents in training" in record.audit["verdict"]


def test_choosing_on_test_hands_the_test_part_to_early_stopping(tiny_suite, around, tmp_path):
    source = tmp_path / "stopper.py"
    source.write_text(
        "import numpy as np\nfrom serbench import ModelSpec\n"
        "class Stopper:\n"
        "    def fit(self, X, y, validation):\n"
        "        self.classes_, self.history = np.unique(y), {'validated': [float(len(validation[0]))]}\n"
        "        return self\n"
        "    def predict_proba(self, X):\n"
        "        return np.full((len(X), len(self.classes_)), 1 / len(self.classes_))\n"
        "STOPPER = ModelSpec(name='stopper', accepts='vector', validation=True,\n"
        "                    build=lambda params, *, n_classes, seed: Stopper())\n"
    )
    around = dataclasses.replace(around, plugins=(source,))
    protocols = "leaky_select_on_test, stratified_holdout"
    plan = planned(suite(tiny_suite, models="stopper, lda", protocols=protocols), around)
    made = {(item.cell.model["name"], item.cell.protocol["name"]) for item in plan.cells}
    # lda chooses nothing, so it cannot choose wrongly.
    assert ("lda", "leaky_select_on_test") not in made and len(made) == 3
    done = {
        (record.cell.model["name"], record.cell.protocol["name"]): record
        for record, _ in carried_out(plan, around).values()
    }
    wrong, right = done["stopper", "leaky_select_on_test"], done["stopper", "stratified_holdout"]
    assert wrong.validation == "test" and wrong.history["validated"] == [wrong.sizes["test"]]
    assert wrong.sizes["train"] == right.sizes["train"] + right.sizes["validation"]
    assert "epoch chosen on test" in wrong.audit["verdict"] and "epoch" not in right.audit["verdict"]


def test_permuted_labels_teach_nothing_and_leave_the_test_part_alone():
    table = pd.DataFrame({"id": [f"c/{n}" for n in range(90)], "label": ["a", "b", "c"] * 30})
    table = pd.concat([table.assign(parent=table["id"]), table.assign(id=table["id"] + "#1", parent=table["id"])])
    table = table.reset_index(drop=True)
    train, test = np.arange(60), np.arange(60, 90)
    permuted = with_permuted_labels(table, train, test, seed=1)
    assert list(permuted["label"][60:90]) == list(table["label"][60:90])
    assert sorted(permuted["label"][:60]) == sorted(table["label"][:60])
    assert (permuted["label"][:60] != table["label"][:60]).mean() > 0.4
    assert list(permuted["label"][90:]) == list(permuted["label"][:90])
    assert followed_by_copies(table, np.array([3, 5])).tolist() == [3, 5, 93, 95]


def test_permuted_labels_leave_the_truth_of_tested_copies_alone(tiny_suite, around):
    protocols = "leaky_augment_before_split, {name: speaker_kfold, params: {k: 3}}"
    plan = planned(suite(tiny_suite, protocols=protocols, extra=AUGMENT), around, permute_labels=True)
    done = carried_out(plan, around)
    assert len(done) == 4
    for record, predictions in done.values():
        # The folder of an utterance is its label.
        assert list(predictions["truth"]) == [name.partition("/")[0] for name in predictions["utterance"]]
        assert record.cell.permute_labels
    assert sum(frame["utterance"].str.contains("#").any() for _, frame in done.values()) == 1


def test_only_speaker_independent_rows_pass_when_they_are_required(tiny_suite, around):
    plan = planned(suite(tiny_suite, protocols="speaker_kfold, stratified_kfold", extra=AUGMENT), around)
    honest = [item for item in plan.cells if item.cell.protocol["name"] == "speaker_kfold"]
    places = (plan.folder, around.cache)
    require_verdict(honest, "speaker-independent", *places)
    with pytest.raises(ProtocolError, match=r"tiny under stratified_kfold is leaky: speakers shared"):
        require_verdict(plan.cells, "speaker-independent", *places)
    with pytest.raises(UnknownName, match="did you mean 'speaker-independent'"):
        require_verdict(honest, "speaker-independant", *places)
    assert Audits(around.cache).of(honest[0])["speaker_independent"] is True


def test_a_task_with_copies_keeps_its_originals(tiny_suite, around):
    (task,) = planned(suite(tiny_suite), around).tasks
    augment = {"noise": {"snr_db": 10}, "copies": 2}
    more = with_copies(task, augment)
    assert more.key != task.key and more.summary() == task.summary()
    assert list(more.originals["id"]) == list(task.table["id"])
    assert more.table["id"].is_unique and more.table["content"].nunique() == 3 * len(task.table)
    assert alterations({}) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("augment: {noise: {snr_db: loud}}\n", "line 3, key 'augment.noise.snr_db': found 'loud'.*give a number"),
        ("augment: {noise: {snr_db: [30, 10]}}\n", "lower end"),
        ("augment: {noise: {snr_db: .nan}}\n", "give a number"),
        ("augment: {copies: 2}\n", "no change is named"),
        ("augment: {stretch: {rate: 0}}\n", "above zero"),
        ("augment: {vtlp: {semitones: 13}}\n", "at most 12 semitones"),
        ("augment: {noize: {snr_db: 3}}\n", "did you mean 'noise'"),
        ("augment: {noise: {snr_db: 3}, copies: 0}\n", "greater than or equal to 1"),
        ("robustness: {noise_snr_db: [20, high]}\n", "give a number"),
        ("robustness: {bandwidth: radio}\n", "telephone"),
        ("robustness: {}\n", "no degradation is named"),
    ],
)
def test_what_a_suite_cannot_mean_is_said_with_its_place(tiny_suite, text, message):
    with pytest.raises(SuiteError, match=message):
        load_suite(str(suite(tiny_suite, extra=text)))


def test_speaker_normalised_rows_are_not_altered(tiny_suite, around):
    suite(tiny_suite, extra=AUGMENT)
    tiny_suite.write_text(tiny_suite.read_text().replace("[mfcc]", "[{name: mfcc, normalise: speaker}]"))
    with pytest.raises(SuiteError, match="no statistics of a speaker"):
        planned(tiny_suite, around)
