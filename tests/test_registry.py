import pytest

from serbench.errors import BrokenPlugin, DuplicateName, UnknownName
from serbench.registry import Origin, Registry, build_registry
from serbench.specs import ModelSpec

PLUGIN = """
from serbench import ModelSpec

def build(params, *, n_classes, seed):
    from sklearn.dummy import DummyClassifier
    return DummyClassifier(strategy="uniform", random_state=seed)

GUESS = ModelSpec(name="guess", accepts="vector", build=build)
"""


def make_spec(name: str) -> ModelSpec:
    return ModelSpec(name=name, accepts="vector", build=lambda params, *, n_classes, seed: None)


def test_the_package_has_what_the_suites_name():
    registry = build_registry()
    assert {"svm", "knn", "random_forest", "xgboost", "cnn", "lstm", "cnn_lstm", "rnn", "cnn2d", "majority",
            "logistic_regression", "lda"} <= set(registry.names("model"))  # fmt: skip
    assert {"mfcc", "handcrafted", "mfcc_sequence", "logmel", "handcrafted_sequence"} <= set(registry.names("features"))
    assert {"ravdess_speech", "ravdess_song", "emodb", "savee", "tess", "cremad", "folder", "manifest",
            "synthetic"} <= set(registry.names("corpus"))  # fmt: skip
    assert {"stratified_holdout", "stratified_kfold", "speaker_kfold", "loso", "official", "text_disjoint",
            "cross_corpus", "fixed"} <= set(registry.names("protocol"))  # fmt: skip
    assert registry.broken == {}


def test_a_doubled_name_raises_with_both_origins():
    registry = Registry()
    registry.add(make_spec("x"), Origin("first.py"))
    with pytest.raises(DuplicateName, match=r"first\.py and second\.py"):
        registry.add(make_spec("x"), Origin("second.py"))


def test_an_unknown_name_raises_with_the_nearest():
    with pytest.raises(UnknownName, match="did you mean 'random_forest'"):
        build_registry().get("model", "randomforest")


def test_a_plugin_file_is_collected_with_the_hash_of_its_source(tmp_path):
    path = tmp_path / "own.py"
    path.write_text(PLUGIN)
    registry = build_registry([path])
    assert registry.get("model", "guess").name == "guess"
    first = registry.source_hash("model", "guess")
    path.write_text(PLUGIN + "# changed\n")
    assert first and build_registry([path]).source_hash("model", "guess") != first
    assert registry.source_hash("model", "svm") == ""


@pytest.mark.parametrize(
    ("source", "reason"),
    [("import nothing_of_that_name", "nothing_of_that_name"), ("x = (", "SyntaxError"), ("x = 1", "declares no spec")],
)
def test_a_broken_plugin_is_listed_and_raises_when_asked_for(tmp_path, source, reason):
    path = tmp_path / "broken.py"
    path.write_text(source)
    registry = build_registry([path])
    assert reason in registry.broken["broken"]
    assert registry.get("model", "svm")
    with pytest.raises(BrokenPlugin, match=reason.split("_")[0]):
        registry.get("model", "broken")
    with pytest.raises(UnknownName, match="broken plug-ins: broken"):
        registry.get("model", "guess")


def test_a_missing_plugin_file_is_named(tmp_path):
    registry = build_registry([tmp_path / "absent.py"])
    assert "no such plug-in file" in registry.broken["absent"]


def test_entry_points_are_collected_and_a_broken_one_is_listed(tmp_path, monkeypatch):
    (tmp_path / "shipped_plugin.py").write_text(PLUGIN)
    info = tmp_path / "shipped-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: shipped\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[serbench.plugins]\nshipped = shipped_plugin\nabsent = not_there_at_all\n")
    monkeypatch.syspath_prepend(tmp_path)
    registry = build_registry()
    assert registry.get("model", "guess").accepts == "vector"
    assert "entry point shipped" in registry.origins["model", "guess"].where
    assert registry.source_hash("model", "guess")
    assert "not_there_at_all" in registry.broken["absent"]
