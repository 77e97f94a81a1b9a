import socket
import subprocess
import sys
from types import SimpleNamespace

from serbench.reporting.loading import load_records
from serbench.tracking.mirror import mirror
from serbench.tracking.observer import Tracker


def plan_of(results, done=()):
    """What a tracker reads of a plan: the suite, the folder, all cells and those to run."""
    records = load_records(results, "toy")
    cells = [SimpleNamespace(cell=cell) for cell in records["cell"]]
    todo = [item for item in cells if item.cell.id not in done]
    plan = SimpleNamespace(folder=results / "toy", suite=SimpleNamespace(name="toy"), cells=cells, todo=todo)
    return plan, list(records["record"])


def test_a_run_is_tracked_by_its_end(results, store, tracked):
    warnings = []
    tracker = Tracker(store, warnings.append)
    plan, records = plan_of(results)
    tracker.planned(plan)
    for record in records:
        tracker.finished(record, None)
    tracker.ended()
    assert warnings == []
    assert len(tracked("row")) == 4
    assert mirror(results, "toy", store).rows == 0


def test_a_row_is_written_once_it_is_complete_while_others_run(results, store, tracked, monkeypatch):
    seen = []
    monkeypatch.setattr(
        "serbench.tracking.mirror.mirror", lambda *args, rows: seen.append(set(rows)) or mirror(*args, rows=rows)
    )
    tracker = Tracker(store, print, interval=0.05)
    plan, _ = plan_of(results)
    by_row = load_records(results, "toy").groupby("row")["record"].apply(list)
    tracker.planned(plan)
    for record in by_row.iloc[0]:
        tracker.finished(record, None)
    tracker.finished(by_row.iloc[1][0], None)
    while not seen:
        tracker._thread.join(0.05)
    assert seen[0] == {by_row.index[0]}
    tracker.ended()
    assert len(tracked("row")) == 4


def test_the_rows_of_a_resumed_run_are_all_there(results, store, tracked):
    plan, records = plan_of(results)
    plan, _ = plan_of(results, done={record.cell.id for record in records[:-1]})
    tracker = Tracker(store, print)
    tracker.planned(plan)
    tracker.finished(records[-1], None)
    tracker.ended()
    assert len(tracked("row")) == 4


def test_without_a_cell_run_nothing_is_imported_or_written(results, tmp_path):
    code = (
        "import sys; from serbench.tracking.observer import Tracker; from types import SimpleNamespace as N;"
        f"t = Tracker('sqlite:///{tmp_path}/none.db', print);"
        f"t.planned(N(folder=__import__('pathlib').Path(r'{results}/toy'), suite=N(name='toy'), cells=[], todo=[]));"
        "t.ended(); print('mlflow' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
    assert not (tmp_path / "none.db").exists()


def test_a_server_that_is_down_is_told_of_once(results):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        warnings = []
        tracker = Tracker(f"http://127.0.0.1:{listener.getsockname()[1]}", warnings.append, interval=0.01)
        plan, records = plan_of(results)
        tracker.planned(plan)
        for record in records:
            tracker.finished(record, None)
        tracker.ended()
    assert len(warnings) == 1
    assert "serbench track toy" in warnings[0]


def test_a_server_that_never_answers_does_not_hold_the_run_up(results):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        warnings = []
        tracker = Tracker(f"http://127.0.0.1:{listener.getsockname()[1]}", warnings.append, patience=0.2)
        plan, records = plan_of(results)
        tracker.planned(plan)
        tracker.finished(records[0], None)
        tracker.ended()
        assert len(warnings) == 1
        assert "serbench track toy" in warnings[0]
    tracker._thread.join(30)
