"""The examples of CONTRIBUTING.md do what it says; what `serbench check` tells of them is in `test_docs`."""

from __future__ import annotations

import re
import sys
import types
from contextlib import closing
from pathlib import Path

import pytest
import yaml

import serbench
from serbench.registry import specs_in

ROOT = Path(__file__).parents[1]
EXAMPLES = dict(re.findall(r"^```python\n# (\S+)\n(.*?)^```", (ROOT / "CONTRIBUTING.md").read_text(), re.S | re.M))

FORMS = sorted(path for path in (ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml") if path.stem != "config")


def example(name: str, monkeypatch) -> types.ModuleType:
    """A module made of an example, importable by name as jobs in other processes need it."""
    path = next(path for path in EXAMPLES if path.endswith(f"/{name}.py"))
    assert (ROOT / path).parent.is_dir() and not (ROOT / path).exists()
    module = types.ModuleType(name)
    monkeypatch.setitem(sys.modules, name, module)
    exec(compile(EXAMPLES[path], path, "exec"), module.__dict__)
    return module


def test_there_is_an_example_of_each_kind(monkeypatch):
    modules = [example(name, monkeypatch) for name in ("extra_trees", "level", "toyspeech")]
    kinds = {type(spec).__name__ for module in modules for spec in specs_in(module)}
    assert kinds == {"ModelSpec", "FeatureSpec", "CorpusSpec"} and len(EXAMPLES) == 5


def test_the_figure_draws_committed_results(monkeypatch):
    from serbench.reporting.figures.views import suite_view
    from serbench.reporting.loading import load_finished

    kind = example("seconds", monkeypatch).SECONDS
    figure = kind.draw(suite_view(load_finished(ROOT / "results", ["demo"])))
    (line,) = figure.axes[0].lines
    assert kind.of == "suite" and len(line.get_xdata()) == 24


def test_the_executor_gives_results_exceptions_and_dead_workers_back(monkeypatch):
    import os

    from serbench.runner.executors.base import WorkerDied

    with closing(example("processes", monkeypatch).Processes(1)) as pool:
        found = []
        for function, job in ((int, "7"), (int, "x"), (os._exit, 3)):
            assert pool.has_room
            pool.submit(function, job)
            assert not pool.has_room
            while pool.running:
                found += pool.completed(timeout=5)
    assert found[0] == ("7", 7) and isinstance(found[1][1], ValueError) and isinstance(found[2][1], WorkerDied)


def test_the_citation_is_of_this_version():
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= set(cited) and cited["version"] == serbench.__version__
    assert f"## [{serbench.__version__}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_issue_forms_ask_for_something(path):
    form = yaml.safe_load(path.read_text(encoding="utf-8"))
    asked = [item["attributes"]["label"] for item in form["body"]]
    assert form["name"] and form["description"] and len(asked) == len(set(asked)) >= 3
