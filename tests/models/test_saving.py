import json
import subprocess
import sys

import numpy as np
import pytest

from serbench.errors import ModelError
from serbench.models.contract import make_data
from serbench.models.saving import META, load_model, save_model
from serbench.registry import build_registry

LABELS = ["angry", "happy", "sad", "neutral"]
SMALL = {
    "cnn": {"epochs": 1, "filters": 4, "blocks": 1},
    "cnn_lstm": {"epochs": 1, "filters": 4, "units": 4},
    "xgboost": {"n_estimators": 3},
}


def save(name, folder, seen=(0, 1, 3)):
    spec = build_registry().get("model", name)
    X, y = make_data(spec.accepts, len(seen), seed=0)
    params = {**spec.params, **SMALL.get(name, {})}
    model = spec.build(params, n_classes=len(seen), seed=0)
    model.fit(X, y)
    meta = {"cell": {"model": {"name": name}}, "params": params, "labels": LABELS, "seen": list(seen)}
    return model, X, save_model(model, folder, meta)


@pytest.mark.parametrize("name", ["svm", "xgboost", "cnn"])
def test_a_saved_model_predicts_the_same_over_all_labels(name, tmp_path):
    model, X, files = save(name, tmp_path)
    loaded = load_model(tmp_path, build_registry())
    found = loaded.predict_proba(X)
    assert list(loaded.classes_) == LABELS
    np.testing.assert_allclose(found[:, [0, 1, 3]], model.predict_proba(X), atol=1e-6)
    assert not found[:, 2].any()
    assert set(loaded.predict(X)) <= set(LABELS)
    assert sorted(tmp_path.iterdir()) == sorted(files)


def test_a_process_that_has_built_no_network_loads_one(tmp_path):
    model, X, _ = save("cnn_lstm", tmp_path)
    np.save(tmp_path / "one.npy", X[0])
    program = (
        "import sys, numpy; from pathlib import Path; from serbench.models.saving import load_model; "
        "from serbench.registry import build_registry; folder = Path(sys.argv[1]); "
        "found = load_model(folder, build_registry()).predict_proba([numpy.load(folder / 'one.npy')]); "
        "print(*found[0])"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found = np.array(done.stdout.split()[-len(LABELS) :], dtype=float)
    np.testing.assert_allclose(found[[0, 1, 3]], model.predict_proba(X[:1])[0], atol=1e-6)


def test_no_file_is_a_pickle(tmp_path):
    import pickle

    for name in ("svm", "xgboost", "cnn"):
        for file in save(name, tmp_path / name)[2]:
            with pytest.raises(Exception), file.open("rb") as stream:  # noqa: B017
                pickle.load(stream)


def test_a_class_that_is_not_trusted_is_refused_by_name(tmp_path):
    class Stranger:
        pass

    import sys

    Stranger.__qualname__ = "Stranger"
    sys.modules[__name__].Stranger = Stranger
    save("svm", tmp_path)
    import skops.io
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer

    skops.io.dump(make_pipeline(FunctionTransformer(kw_args={"x": Stranger()})), tmp_path / "model.skops")
    with pytest.raises(ModelError, match="damaged: its hash"):
        load_model(tmp_path, build_registry())
    meta = json.loads((tmp_path / META).read_text())
    # As it was saved before there were hashes.
    (tmp_path / META).write_text(json.dumps({name: value for name, value in meta.items() if name != "hashes"}))
    with pytest.raises(ModelError, match=r"not trusted.*Stranger"):
        load_model(tmp_path, build_registry())


def test_an_empty_folder_holds_no_model(tmp_path):
    with pytest.raises(ModelError, match="no saved model"):
        load_model(tmp_path, build_registry())


@pytest.mark.parametrize(
    ("name", "file"), [("svm", "model.skops"), ("xgboost", "model.json"), ("cnn", "network.keras")]
)
def test_a_damaged_file_is_an_error_that_names_it(name, file, tmp_path):
    save(name, tmp_path)
    (tmp_path / file).write_bytes((tmp_path / file).read_bytes()[:100])
    with pytest.raises(ModelError) as caught:
        load_model(tmp_path, build_registry())
    assert file in str(caught.value)


def test_a_network_without_tensorflow_names_the_extra(tmp_path, monkeypatch):
    save("svm", tmp_path)
    meta = tmp_path / "meta.json"
    meta.write_text(json.dumps({**json.loads(meta.read_text()), "format": "network.keras"}))
    monkeypatch.setitem(sys.modules, "keras", None)
    with pytest.raises(ModelError, match="TensorFlow is not installed") as told:
        load_model(tmp_path, build_registry())
    assert "serbench[deep]" in told.value.hint


def test_an_unknown_format_is_an_error(tmp_path):
    save("svm", tmp_path)
    meta = json.loads((tmp_path / META).read_text())
    (tmp_path / META).write_text(json.dumps({**meta, "format": "model.exe"}))
    with pytest.raises(ModelError, match="unknown format"):
        load_model(tmp_path, build_registry())


def test_an_estimator_without_a_format_is_an_error(tmp_path):
    class Odd:
        def __reduce__(self):
            raise TypeError("not for keeping")

    with pytest.raises(ModelError, match="cannot be saved"):
        save_model(Odd(), tmp_path, {})
