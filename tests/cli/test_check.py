"""`serbench check` on plug-in files: good, broken, empty."""

import pytest
import typer

from serbench.cli.check import check
from serbench.errors import BrokenPlugin

GOOD = """
from serbench.specs import FeatureSpec, ModelSpec

def build(params, *, n_classes, seed):
    from sklearn.naive_bayes import GaussianNB
    return GaussianNB()

def level(signal, rate):
    import numpy as np
    return np.array([signal.mean(), signal.std()], dtype=np.float32)

BAYES = ModelSpec(name="bayes", accepts="vector", build=build)
LEVEL = FeatureSpec(name="level", version="1", kind="vector", extract=level)
"""


def test_a_good_plugin_passes_every_check(tmp_path, capsys):
    file = tmp_path / "good.py"
    file.write_text(GOOD)
    check(file)
    shown = capsys.readouterr().out
    assert "model bayes" in shown and "features level" in shown
    assert "2 dimensions" in shown and "FAILED" not in shown


def test_a_broken_feature_set_is_named_and_the_status_is_one(tmp_path, capsys):
    file = tmp_path / "bad.py"
    file.write_text(GOOD.replace("dtype=np.float32", "dtype=np.float64"))
    with pytest.raises(typer.Exit) as caught:
        check(file)
    assert caught.value.exit_code == 1
    assert "float64, not float32" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "reason"),
    [("", "declares no spec"), ("import no_such_module_here", "cannot be imported"), ("x = (", "cannot be imported")],
)
def test_a_file_that_declares_nothing_or_breaks_is_an_error(text, reason, tmp_path):
    file = tmp_path / "odd.py"
    file.write_text(text)
    with pytest.raises(BrokenPlugin, match=reason):
        check(file)


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(BrokenPlugin, match="no such plug-in file"):
        check(tmp_path / "nowhere.py")


CORPUS = """
from pathlib import Path
import pandas as pd
from serbench.specs import CorpusSpec

def load(root, folder=""):
    paths = sorted(Path(root).rglob("*.wav"))
    return pd.DataFrame({"utterance": [path.stem for path in paths], "path": [str(path) for path in paths],
                         "speaker": [path.stem[:2] for path in paths], "label": [path.stem[2:] for path in paths]})

OWN = CorpusSpec(name="own", version="1", language="en", licence="own", citation="none yet", homepage="",
                 labels=("calm", "angry"), load=load, options={"folder": ""})
"""


def check_corpus_file(tmp_path, text):
    root = tmp_path / "own"
    root.mkdir()
    for name in ("01calm", "02angry"):
        # Names are read, audio is not.
        (root / f"{name}.wav").touch()
    file = tmp_path / "own.py"
    file.write_text(text)
    check(file, data=tmp_path)


def test_a_corpus_is_loaded_where_it_is_there(tmp_path, capsys):
    check_corpus_file(tmp_path, CORPUS)
    assert "2 utterances of 2 speakers" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("right", "wrong", "reason"),
    [
        ("paths = sorted", "raise KeyError('boom'); paths = sorted", "KeyError: 'boom'"),
        ('"label": [', '"emotion": [', "the utterance table lacks label"),
        ('folder=""', "", "unexpected keyword argument 'folder'"),
        ('("calm", "angry")', '("calm", "cross")', "labels that are not on the card of 'own': angry"),
        ("str(path) for", "path.stem for", "2 paths are no files, such as 01calm"),
    ],
)
def test_a_corpus_whose_load_breaks_the_rules_fails(right, wrong, reason, tmp_path, capsys):
    with pytest.raises(typer.Exit) as caught:
        check_corpus_file(tmp_path, CORPUS.replace(right, wrong, 1))
    assert caught.value.exit_code == 1 and reason in capsys.readouterr().out


def test_an_absent_corpus_says_that_its_load_was_not_checked(tmp_path, capsys):
    file = tmp_path / "own.py"
    file.write_text(CORPUS)
    (tmp_path / "empty").mkdir()
    check(file, data=tmp_path / "empty")
    assert "--corpus-path own=DIR" in capsys.readouterr().out
