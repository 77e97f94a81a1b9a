"""The notebook runs top to bottom, on the synthetic corpus and on one of a user's own."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path

import pytest

NOTEBOOK = Path(__file__).parents[1] / "notebooks" / "explore.ipynb"
SCREEN = 45
TINY_SUITE = """\
title: Tiny
corpora: [{name: tiny, adapter: folder, speaker: "/(s[0-9])_"}]
grid:
  - features: [handcrafted]
    models: [majority, svm, lda]
    protocols: [{name: speaker_kfold, params: {k: 3}}, {name: stratified_kfold, params: {k: 3}}]
"""


def execute(folder, first=None):
    """Run the notebook in a folder, with another first cell."""
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    if first:
        next(cell for cell in notebook.cells if cell.cell_type == "code").source = first
    nbclient.NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(folder)}}).execute()
    return notebook


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("notebook")
    (folder / "configs").mkdir()
    (folder / "configs" / "local.yaml").write_text("jobs: 1")
    return execute(folder)


def outputs(notebook):
    return [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]


def test_it_shows_pictures_a_player_a_leaderboard_and_no_warning(executed):
    kinds = [set(output.get("data", {})) for output in outputs(executed)]
    assert sum("image/png" in kind for kind in kinds) == 5
    assert any("<audio" in output["data"].get("text/html", "") for output in outputs(executed) if "data" in output)
    said = [output["text"] for output in outputs(executed) if output.get("name") == "stderr"]
    # tqdm, which librosa brings along, misses the widgets where only the kernel is installed.
    assert not [text for text in said if "IProgress not found" not in text]
    board = next(
        o["data"]["text/plain"] for o in outputs(executed) if "uar_low" in o.get("data", {}).get("text/plain", "")
    )
    assert "svm" in board and "lda" in board and "speaker-independent" in board


def test_cells_are_short_and_no_output_is_longer_than_a_screen(executed):
    for cell in executed.cells:
        assert len(cell.source.splitlines()) <= 12
    for output in outputs(executed):
        text = output.get("text") or output.get("data", {}).get("text/plain", "")
        assert len(text.splitlines()) <= SCREEN


def test_it_runs_on_an_own_corpus(tiny_data, tmp_path):
    (tmp_path / "mine.yaml").write_text(TINY_SUITE.replace("name: tiny", "name: mine"))
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs/local.yaml").write_text(f"corpus_paths: {{mine: {tiny_data / 'tiny'}}}\nexecutor: in_process")
    found = outputs(execute(tmp_path, 'SUITE, CORPUS = "mine", "mine"'))
    assert sum("image/png" in output.get("data", {}) for output in found) == 5
    assert any("mine/high/s0_high_0" in output.get("text", "") for output in found)


def test_it_is_committed_with_outputs_and_without_places(executed):
    nbformat = pytest.importorskip("nbformat")
    committed = nbformat.read(NOTEBOOK, as_version=4)
    told = [len(cell.outputs) > 0 for cell in committed.cells if cell.cell_type == "code"]
    # The first cell names the corpus.
    assert told == [False] + [True] * (len(told) - 1)
    assert sum("image/png" in output.get("data", {}) for output in outputs(committed)) == 5
    for place in (str(Path.home()), tempfile.gettempdir(), str(NOTEBOOK.parents[1])):
        assert f'"{place}/' not in NOTEBOOK.read_text(encoding="utf-8")


def test_it_uses_the_public_api_alone():
    code = "\n".join(cell["source"] for cell in cells("code"))
    assert re.findall(r"(?:from|import) (serbench\S*)", code) == ["serbench"]


def cells(kind):
    for cell in json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == kind:
            yield {**cell, "source": "".join(cell["source"])}
