import numpy as np
import pytest

from serbench.models.saving import load_model, save_model
from serbench.registry import build_registry
from serbench.tracking.mirror import mirror
from serbench.tracking.store import open_client

# One class of the label list is absent from training, as can happen in a fold.
SEEN = [0, 2]


def fit(name, dimensions, **params):
    generator = np.random.default_rng(0)
    spec = build_registry().get("model", name)
    codes = np.arange(24) % 2
    if spec.accepts == "vector":
        features = generator.normal(size=(24, dimensions)).astype(np.float32) + codes[:, None]
    else:
        features = [generator.normal(size=(30, dimensions)).astype(np.float32) + code for code in codes]
    estimator = spec.build({**spec.params, **params}, n_classes=2, seed=1)
    arguments = {"validation": (features[:6], codes[:6])} if spec.validation else {}
    return estimator.fit(features, codes, **arguments)


def logged(name, results, store, suite_tools, **params):
    """Save a model as `--save-models` does, mirror its suite, and return what was saved and the model's address."""
    make_cell, save_cell = suite_tools
    cell = make_cell(name, "official", 1)
    record = save_cell(results / "models", cell, params=params, history={})
    folder = results / "models" / "models" / cell.id
    labels = cell.labels["labels"]
    estimator = fit(name, 5, **params)
    full = {**build_registry().get("model", name).params, **params}
    save_model(estimator, folder, {"cell": cell.to_json(), "params": full, "labels": labels, "seen": SEEN})
    mirror(results, "models", store)
    client = open_client(store)
    experiment = client.get_experiment_by_name("models").experiment_id
    (model,) = client.search_logged_models([experiment])
    (run,) = client.search_runs([experiment], f"tags.`serbench.cell` = '{record.cell.id}'")
    assert [output.model_id for output in run.outputs.model_outputs] == [model.model_id]
    assert model.source_run_id == run.info.run_id
    assert model.status.value == "READY"
    return load_model(folder, build_registry()), model.artifact_location


@pytest.mark.parametrize(
    ("name", "flavour", "params"),
    [
        ("svm", "sklearn", {}),
        ("xgboost", "xgboost", {"n_estimators": 5}),
        ("cnn", "keras", {"epochs": 1}),
    ],
)
def test_a_logged_model_answers_as_the_saved_one(name, flavour, params, results, store, suite_tools, monkeypatch):
    import importlib

    import mlflow.pyfunc

    saved, address = logged(name, results, store, suite_tools, **params)
    model = mlflow.pyfunc.load_model(address)
    shape = (4, 5) if name != "cnn" else (4, 40, 5)
    features = np.random.default_rng(3).normal(size=shape).astype(np.float32)
    expected = saved.predict_proba(features if features.ndim == 2 else list(features))
    answer = model.predict(features)
    assert list(answer.columns) == list(saved.classes_)
    np.testing.assert_array_equal(answer.to_numpy(), expected)
    assert np.allclose(answer.sum(axis=1), 1)
    example = model.input_example
    assert example.shape[-1] == 5
    assert len(model.predict(example)) == len(example)
    assert [spec.shape for spec in model.metadata.signature.inputs.inputs] == [(*[-1] * (features.ndim - 1), 5)]
    assert len(model.metadata.signature.outputs.inputs) == 3
    native = importlib.import_module(f"mlflow.{flavour}").load_model(address)
    if flavour == "keras":
        assert native.count_params() == saved.estimator.model.count_params()
    else:
        np.testing.assert_array_equal(native.predict_proba(features), expected[:, SEEN])


def test_a_model_that_cannot_be_logged_costs_only_itself(results, store, suite_tools, tracked):
    make_cell, _ = suite_tools
    cell = make_cell("svm", "official", 1)
    folder = results / "toy" / "models" / cell.id
    save_model(fit("svm", 5), folder, {"cell": cell.to_json(), "params": {}, "labels": ["a", "b"], "seen": [0, 1]})
    (folder / "model.skops").write_bytes(b"torn")
    mirror(results, "toy", store)
    client = open_client(store)
    assert not client.search_logged_models([client.get_experiment_by_name("toy").experiment_id])
    notes = [run.data.tags.get("model_not_logged") for run in tracked("fold")]
    assert sum(note is not None for note in notes) == 1
    assert len(tracked("row")) == 4
