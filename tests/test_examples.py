"""The examples work as they stand: each passes the contract tests and is measured beside the built-in models."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest

from serbench.cli.check import check
from serbench.contracts import Check
from serbench.errors import BrokenPlugin
from serbench.models.contract import check_model
from serbench.models.saving import load_model, save_model
from serbench.registry import build_registry, load_plugin, specs_in
from serbench.runner.cell.environment import thread_variables
from serbench.specs import ModelSpec

EXAMPLES = Path(__file__).parents[1] / "examples"
LIGHTGBM = EXAMPLES / "lightgbm_model.py"


def test_the_example_of_a_model_declares_itself():
    (spec,) = specs_in(load_plugin(LIGHTGBM)[0])
    assert (spec.name, spec.accepts, bool(spec.space)) == ("lightgbm", "vector", True)
    assert "lightgbm" in build_registry([LIGHTGBM]).names("model")


def test_without_its_library_the_example_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr("serbench.cli.check.find_spec", lambda package: None)
    with pytest.raises(BrokenPlugin, match="'lightgbm' needs lightgbm") as caught:
        check(LIGHTGBM)
    assert caught.value.hint == "pip install lightgbm"


@pytest.mark.skipif(find_spec("lightgbm") is None, reason="lightgbm is not installed")
def test_the_example_of_a_model_passes_every_check_and_is_quiet(capfd):
    check(LIGHTGBM)
    shown = capfd.readouterr()
    assert "FAILED" not in shown.out and "[LightGBM]" not in shown.out + shown.err and not shown.err
    lines = {line[9:33].strip(): line for line in shown.out.splitlines()}
    assert all(lines[name].split()[0] == "ok" for name in ("learns", "save and load", "search space"))


NOISY = """
import os
from serbench import ModelSpec

def build(params, *, n_classes, seed):
    from sklearn.naive_bayes import GaussianNB
    os.write(1, b"chatter below Python\\n")
    print("chatter", os.environ["OMP_NUM_THREADS"])
    return GaussianNB()

NOISY = ModelSpec(name="noisy", accepts="vector", build=build)
"""


def test_what_libraries_print_goes_into_a_log_that_is_named(tmp_path, capfd, shared_cache, monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS")
    (tmp_path / "noisy.py").write_text(NOISY)
    check(tmp_path / "noisy.py")
    shown = capfd.readouterr()
    log = shared_cache / "logs" / "check-noisy.log"
    assert "chatter" not in shown.out + shown.err and f"what its libraries said: {log}" in shown.out
    assert "chatter below Python" in log.read_text() and "chatter 1" in log.read_text()


OWN = """
from serbench import ModelSpec
from sklearn.naive_bayes import GaussianNB

class Own(GaussianNB):
    pass

def build(params, *, n_classes, seed):
    return Own()

OWN = ModelSpec(name="own", accepts="vector", build=build, trusted=(f"{__name__}.Own",))
"""


def test_a_model_is_saved_with_the_classes_that_its_plugin_declares(tmp_path):
    def saving(spec: ModelSpec) -> Check:
        return next(item for item in check_model(spec) if item.name == "save and load")

    (tmp_path / "own.py").write_text(OWN)
    (spec,) = specs_in(load_plugin(tmp_path / "own.py")[0])
    assert saving(spec).ok is True
    untrusted = saving(replace(spec, trusted=()))
    assert untrusted.ok is None and "not trusted" in untrusted.detail


def test_a_saved_model_is_shown_on_one_line(tmp_path):
    from sklearn.naive_bayes import GaussianNB

    meta = {
        "cell": {"model": {"name": "majority"}, "fold": "3"},
        "params": {},
        "labels": ["calm", "angry"],
        "seen": [0, 1],
    }
    save_model(GaussianNB().fit([[0.0], [1.0]], [0, 1]), tmp_path, meta)
    assert repr(load_model(tmp_path, build_registry())) == "<SavedModel majority (GaussianNB), fold 3: calm, angry>"


def test_every_library_is_held_to_the_threads_of_a_cell():
    held = thread_variables(2)
    assert {held[name] for name in ("OMP_NUM_THREADS", "LOKY_MAX_CPU_COUNT", "NUMBA_NUM_THREADS")} == {"2"}
