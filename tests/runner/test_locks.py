import subprocess
import sys

import pytest

from serbench.errors import ResultsError
from serbench.runner.cell.locks import lock

HOLDS = """
import sys, time
from pathlib import Path
from serbench.runner.cell.locks import lock
with lock(Path(sys.argv[1]), wait=True) as held:
    print(held, flush=True)
    time.sleep(60)
"""


def test_a_lock_keeps_others_out_and_dies_with_its_holder(tmp_path):
    path = tmp_path / "locks" / "cell.lock"
    holder = subprocess.Popen([sys.executable, "-c", HOLDS, str(path)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout.readline().strip() == "True"
    with lock(path, wait=False) as held:
        assert held is False
    holder.kill()
    holder.wait()
    with lock(path, wait=False) as held:
        assert held is True
    with lock(path, wait=True) as held:
        assert held is True


def test_an_error_of_the_work_is_not_taken_for_one_of_the_lock(tmp_path):
    path = tmp_path / "cell.lock"
    with pytest.raises(TimeoutError, match="own"), lock(path, wait=False):
        raise TimeoutError("own")
    with lock(path, wait=False) as held:
        assert held is True


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ResultsError, match="cannot write"), lock(tmp_path / "file" / "cell.lock", wait=False):
        pass
    assert (tmp_path / "file").read_text() == ""  # A user's file stays where it is.


def test_what_stands_where_a_lock_has_to_be_is_set_aside(tmp_path):
    (tmp_path / "locks").write_text("")
    (tmp_path / "cell.lock").mkdir()
    for path in (tmp_path / "locks" / "cell.lock", tmp_path / "cell.lock"):
        with lock(path, wait=False) as held:
            assert held is True
    assert (tmp_path / "locks.damaged").is_file() and (tmp_path / "cell.lock.damaged").is_dir()
