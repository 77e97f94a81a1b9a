import json
import shutil
import socket
import subprocess
import urllib.request
from dataclasses import replace

import pytest

from serbench.cli.ui import ui
from serbench.errors import UsageError
from serbench.records import read_cell, write_cell
from serbench.tracking.mirror import mirror
from serbench.tracking.store import open_client
from serbench.tracking.ui import addresses, port_taken, start_server, stop_server
from serbench.tracking.views import COMPARISON, CURVES, NAMES, TAG, UNSEEN, view_address, view_tags

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--window-size=1600,900",
]  # fmt: skip


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def server(results, store):
    """MLflow's pages over suite `toy`; its port."""
    mirror(results, "toy", store)
    port = free_port()
    process = start_server(store, port)
    yield port
    stop_server(process)
    assert not port_taken(port)


def test_a_taken_port_is_told_of_before_anything_starts(store):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        assert port_taken(port)
        with pytest.raises(UsageError, match=f"port {port} is taken") as caught:
            start_server(store, port)
    assert "--port" in caught.value.hint


def test_nothing_tracked_yet_says_how_to_begin(tmp_path):
    with pytest.raises(UsageError, match="nothing has been tracked") as caught:
        start_server(f"sqlite:///{tmp_path}/mlflow.db", free_port())
    assert "serbench track" in caught.value.hint


def test_a_server_has_pages_of_its_own():
    with pytest.raises(UsageError, match="pages of its own"):
        start_server("http://127.0.0.1:1", free_port())


def test_views_ask_for_what_is_tracked(results, store, tracked):
    mirror(results, "toy", store)
    runs = tracked()
    metrics = {name for run in runs for name in run.data.metrics}
    tags = {name for run in runs for name in run.data.tags}
    client = open_client(store)
    experiment = client.get_experiment_by_name("toy")
    for key in NAMES:
        view = json.loads(experiment.tags[f"{TAG}{key}"])
        state = json.loads(view["state"])
        kinds = {column.split("`")[1]: column.split(".")[0] for column in state["selectedColumns"]}
        assert all(name in (metrics if kind == "metrics" else tags) for name, kind in kinds.items())
        found = client.search_runs([experiment.experiment_id], state["searchFilter"])
        assert len(found) == {UNSEEN: 2, COMPARISON: 2, CURVES: 12}.get(key, 4)


def test_a_view_that_a_user_has_changed_stays(results, store):
    client = open_client(store)
    mine = {**view_tags(), f"{TAG}{UNSEEN}": "my own"}
    client.create_experiment("toy", tags=mine)
    mirror(results, "toy", store)
    assert client.get_experiment_by_name("toy").tags[f"{TAG}{UNSEEN}"] == "my own"


def test_addresses_name_the_suites_alone(results, store):
    mirror(results, "toy", store)
    experiment = open_client(store).get_experiment_by_name("toy").experiment_id
    found = addresses(store, 5001)
    assert list(found) == ["toy"]
    page = f"http://127.0.0.1:5001/#/experiments/{experiment}/runs"
    assert found["toy"][NAMES[UNSEEN]] == view_address(page, UNSEEN)


def test_a_suite_without_epochs_has_no_view_of_their_curves(results, store):
    for path in (results / "toy" / "cells").glob("*.parquet"):
        record, predictions = read_cell(path)
        write_cell(results / "toy", replace(record, history={}), predictions)
    mirror(results, "toy", store)
    assert f"{TAG}{CURVES}" not in open_client(store).get_experiment_by_name("toy").tags
    assert list(addresses(store, 5001)["toy"]) == [name for key, name in NAMES.items() if key != CURVES]


@pytest.mark.parametrize("asked", [True, False])
def test_the_saved_view_is_printed_first_and_opened(results, store, monkeypatch, capsys, asked):
    class Server:
        def wait(self):
            raise KeyboardInterrupt

    opened = []
    mirror(results, "toy", store)
    monkeypatch.setattr("serbench.tracking.ui.start_server", lambda uri, port: Server())
    monkeypatch.setattr("serbench.tracking.ui.stop_server", lambda server: None)
    monkeypatch.setattr("webbrowser.open", opened.append)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    ui(port=5001, browser=asked, tracking_uri=store, results=results)
    view = addresses(store, 5001)["toy"][NAMES[UNSEEN]]
    assert capsys.readouterr().out.splitlines()[0] == f"open {view}"
    assert opened == ([view] if asked else [])


@pytest.mark.browser
@pytest.mark.skipif(BROWSER is None, reason="no browser is installed")
def test_the_browser_shows_the_rows_best_first(server, store, tmp_path):
    health = urllib.request.urlopen(f"http://127.0.0.1:{server}/health")
    assert health.status == 200
    address = addresses(store, server)["toy"][NAMES[UNSEEN]]
    command = [BROWSER, *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=60000", "--dump-dom"]
    done = subprocess.run([*command, address], capture_output=True, text=True, timeout=240)
    page = done.stdout
    assert NAMES[UNSEEN] in page
    assert "uar_low" in page
    first, second = page.find("svm · mfcc · official"), page.find("cnn · mfcc · official")
    assert 0 < first < second
    assert "stratified_kfold" not in page
