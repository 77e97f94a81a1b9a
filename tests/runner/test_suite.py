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


def test_a_path_that_is_too_long_is_no_suite():
    with pytest.raises(SuiteError, match="no such suite file"):
        load_suite("x" * 5000 + ".yaml")
    with pytest.raises(UnknownName):
        load_suite("x" * 5000)


ALIAS_BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "\n".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)
)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (WHOLE.replace("title: T", "title: Tür").encode("latin-1"), "not UTF-8 text"),
        (WHOLE.encode("utf-16"), "not UTF-8 text"),
        (bytes(range(256)), "not UTF-8 text"),
        (b"title: \x00", "not valid YAML"),
        (b"title: 2024-99-99\n", "not valid YAML"),
        (b"a: " + b"[" * 20_000, "nested too deep"),
        (b"title: T\nmore: " + b"[" * 300 + b"]" * 300, "nested too deep"),
        (b"title: T\ngrid: &a [*a]\n", "refers to itself"),
        (b"title: T\ngrid: &a {b: *a}\n", "refers to itself"),
        (ALIAS_BOMB.encode(), "aliases make too many values"),
    ],
)
def test_a_suite_that_is_no_text_or_has_no_end_is_refused(tmp_path, content, said):
    path = tmp_path / "own.yaml"
    path.write_bytes(content)
    with pytest.raises(SuiteError) as caught:
        load_suite(str(path))
    assert said in str(caught.value) and str(path) in str(caught.value)


def test_a_suite_with_a_byte_order_mark_is_read(tmp_path):
    path = tmp_path / "own.yaml"
    path.write_bytes(WHOLE.encode("utf-8-sig"))
    assert load_suite(str(path)).title == "T"


PARAMS = [(".nan", "finite"), (".inf", "finite"), ("[1, .nan]", "finite"), ("1" * 30, "64 bits")]
PARAMS += [("2024-01-01", "date"), ("{1: 2}", "no text"), ("[" * 25 + "]" * 25, "nested")]


@pytest.mark.parametrize(
    ("old", "new", "key", "said"),
    [
        *(("[svm]", f"[{{name: svm, params: {{C: {value}}}}}]", "grid.0.models.0.params.C", said)
          for value, said in PARAMS),
        ("title: T", "title: T\nseeds: [99999999999999999999]", "seeds.0", "less than or equal"),
        ("title: T", "title: T\nseeds: [true]", "seeds.0", "whole number"),
        ("title: T", "title: T\ntuning: {trials: 1000000000}", "tuning.trials", "less than or equal"),
        ("title: T", "title: T\naugment: {noise: {snr_db: 9}, copies: 1000000000}", "augment.copies", "less than"),
        ("title: T", "title: T\naugment: {stretch: {rate: 0.000001}}", "augment.stretch.rate", "from 0.1 to 10"),
        ("title: T", "title: T\naugment: {shift: {seconds: 1" + "0" * 400 + "}}", "augment.shift.seconds", "number"),
        ("[emodb]", '["a\\0b"]', "corpora", "control characters"),
        ("[emodb]", "[{name: a, adapter: folder, speaker: .nan}]", "corpora.0", "finite"),
        ("title: T", 'title: "\\ud800"', "title", "surrogate"),
        ("title: T", "title: T\naugment: {shift: {seconds: 1000000}}", "augment.shift.seconds", "at most 60 s"),
        ("title: T", "title: T\naugment: {pitch: {semitones: [-99, 0]}}", "augment.pitch.semitones", "at most 36"),
        ("title: T", "title: T\nrobustness: {reverb: [1000000]}", "robustness.reverb", "at most 60 s"),
        ("title: T", "title: T\nname: ../up", "name", "without slashes"),
        ("title: T", "title: T\ntimeout: 0", "timeout", "greater than 0"),
    ],
)  # fmt: skip
def test_values_that_no_cell_can_carry_are_refused_with_their_key(tmp_path, old, new, key, said):
    with pytest.raises(SuiteError) as caught:
        load_suite(write(tmp_path, WHOLE.replace(old, new)))
    assert said in str(caught.value) and f"key '{key}" in str(caught.value), caught.value
