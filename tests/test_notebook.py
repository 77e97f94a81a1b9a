"""The notebook runs top to bottom, on the synthetic corpus."""

from __future__ import annotations

from pathlib import Path

import pytest

NOTEBOOK = Path(__file__).parents[1] / "notebooks" / "explore.ipynb"
SCREEN = 45


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    folder = tmp_path_factory.mktemp("notebook")
    nbclient.NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(folder)}}).execute()
    return notebook


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
    assert "svm" in board and "knn" in board and "speaker-independent" in board


def test_cells_are_short_and_no_output_is_longer_than_a_screen(executed):
    for cell in executed.cells:
        assert len(cell.source.splitlines()) <= 12
    for output in outputs(executed):
        text = output.get("text") or output.get("data", {}).get("text/plain", "")
        assert len(text.splitlines()) <= SCREEN


def test_it_is_committed_without_outputs():
    nbformat = pytest.importorskip("nbformat")
    for cell in nbformat.read(NOTEBOOK, as_version=4).cells:
        assert not cell.get("outputs") and cell.get("execution_count") is None
