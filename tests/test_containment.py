"""What a plug-in does to the process is undone, and what would end it is an error with a name."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from serbench.containment import Escaped, contained
from serbench.errors import BrokenPlugin
from serbench.registry import build_registry


def test_a_changed_folder_and_another_answer_to_ctrl_c_are_undone(tmp_path):
    before, answer = Path.cwd(), signal.getsignal(signal.SIGINT)
    with contained():
        os.chdir(tmp_path)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    assert Path.cwd() == before and signal.getsignal(signal.SIGINT) is answer


@pytest.mark.parametrize(
    ("error", "said"), [(SystemExit(3), "exits"), (type("Base", (BaseException,), {})("base"), "Base.*no Exception")]
)
def test_what_would_end_the_program_is_an_error(error, said):
    with pytest.raises(Escaped, match=said), contained():
        raise error


def test_an_ordinary_error_and_a_real_ctrl_c_pass(monkeypatch):
    # A run in the background of a shell ignores it.
    monkeypatch.setattr(signal, "getsignal", lambda number: signal.default_int_handler)
    for error in (ValueError, KeyboardInterrupt):
        with pytest.raises(error), contained():
            raise error


def test_a_time_limit_ends_a_loop():
    began = time.monotonic()
    with pytest.raises(Escaped, match="longer than 1 s"), contained(seconds=1):
        while True:
            time.sleep(0.01)
    assert time.monotonic() - began < 5


def test_a_forked_child_ends_where_it_would_come_back_and_closed_streams_are_open_again():
    script = textwrap.dedent("""
        import os, sys
        from serbench.containment import contained
        with contained():
            os.fork()
            os.close(2)
            sys.stdout.close()
        print("once", flush=True)
        print("again", file=sys.stderr, flush=True)
        """)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("once\n", "again\n")


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("name=None", "name is None"),
        ("name=7", "name is 7"),
        ("name='../x'", "without slashes"),
        ("name='m', params=None", "params is None"),
        ("name='m', build=None", "build is None"),
        ("name='m', accepts='smell'", "accepts is 'smell'"),
    ],
)
def test_a_spec_with_a_wrong_field_is_a_broken_plug_in(tmp_path, field, said):
    given = {"accepts": "accepts='vector'", "build": "build=print"}
    rest = ", ".join(value for name, value in given.items() if name not in field)
    (tmp_path / "odd.py").write_text(f"from serbench import ModelSpec\nODD = ModelSpec({field}, {rest})\n")
    registry = build_registry([tmp_path / "odd.py"])
    assert said in registry.broken["odd"]
    with pytest.raises(BrokenPlugin, match="odd"):
        registry.get("model", "odd")
