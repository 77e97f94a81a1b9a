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
