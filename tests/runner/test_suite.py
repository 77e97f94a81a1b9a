import pytest

from serbench.errors import SuiteError, UnknownName
from serbench.runner.suite.file import load_suite, suite_names

WHOLE = """\
title: T
corpora: [emodb]
grid:
  - features: [mfcc]
    models: [svm]
    protocols: [loso]
"""


def write(tmp_path, text: str) -> str:
    path = tmp_path / "own.yaml"
    path.write_text(text)
    return str(path)


def test_every_suite_of_the_package_is_valid():
    names = suite_names()
    assert {"demo", "ravdess", "emodb", "savee", "tess", "cremad", "cross_corpus"} <= set(names)
    for name in names:
        assert load_suite(name).name == name


def test_short_forms_mean_the_long_ones(tmp_path):
    long = WHOLE.replace("[mfcc]", "[{sets: [{name: mfcc, params: {}}], normalise: none}]").replace(
        "[svm]", "[{name: svm, params: {}}]"
    )
    assert load_suite(write(tmp_path, WHOLE)) == load_suite(write(tmp_path, long))


def test_concatenated_features_merged_corpora_and_labels(tmp_path):
    text = WHOLE.replace("[mfcc]", "[[mfcc, handcrafted], {name: mfcc, normalise: speaker}]")
    text = text.replace("[emodb]", "[[emodb, savee]]") + "labels: common6\n"
    suite = load_suite(write(tmp_path, text))
    assert [item.name for item in suite.grid[0].features[0].sets] == ["mfcc", "handcrafted"]
    assert suite.grid[0].features[1].normalise == "speaker"
    assert [item.name for item in suite.corpora[0]] == ["emodb", "savee"]
    assert suite.labels.map == "common6"


@pytest.mark.parametrize(
    ("old", "new", "line", "key", "said"),
    [
        ("title: T", "titel: T", 1, "titel", "did you mean 'title'"),
        ("    models", "    modles", 5, "grid.0.modles", "did you mean 'models'"),
        ("[mfcc]", "[{name: mfcc, normalise: people}]", 4, "grid.0.features.0.normalise", "'people'"),
        ("[svm]", "[{name: svm, parms: {C: 1}}]", 5, "grid.0.models.0.parms", "did you mean 'params'"),
        ("[emodb]", "[]", 2, "corpora", "at least 1"),
        ("title: T", "title: T\nseeds: many", 2, "seeds", "'many'"),
        ("title: T", "title: T\nlabels: {map: native, drp: [x]}", 2, "labels.drp", "did you mean 'drop'"),
        ("title: T\n", "", 1, "title", "Field required"),
    ],
)
def test_an_error_names_file_line_key_and_what_is_allowed(tmp_path, old, new, line, key, said):
    path = write(tmp_path, WHOLE.replace(old, new))
    with pytest.raises(SuiteError) as caught:
        load_suite(path)
    assert f"{path}, line {line}, key '{key}'" in str(caught.value)
    assert said in str(caught.value)


@pytest.mark.parametrize("text", ["title: [x\n", "a: b: c\n", "\t- x"])
def test_broken_yaml_is_named_with_its_line(tmp_path, text):
    with pytest.raises(SuiteError, match=r"own\.yaml, line \d+.*not valid YAML"):
        load_suite(write(tmp_path, text))


def test_a_suite_that_is_a_list_is_refused(tmp_path):
    with pytest.raises(SuiteError, match="mapping"):
        load_suite(write(tmp_path, "- a\n- b\n"))


def test_unknown_suites_get_the_nearest_name():
    with pytest.raises(UnknownName, match="did you mean 'ravdess'"):
        load_suite("ravdes")
    with pytest.raises(SuiteError, match="no such suite file"):
        load_suite("nowhere/own.yaml")
