"""Plug-ins that exit, fork, loop, close streams, change folders, or declare nonsense."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path

from hostile.cases import HEALED, NAMED, ROW, STOPPED, case
from hostile.place import CELLS, Place, statuses

OWN = """
class Own(Prior):
    def fit(self, X, y):
        {body}
        return super().fit(X, y)

OWN = ModelSpec(name="own", accepts="vector", build=lambda params, *, n_classes, seed: Own())
"""
FEATURE = """
def describe(signal, rate):
    {body}
    return np.array([signal.std(), len(signal)], dtype=np.float32)

OWN = FeatureSpec(name="own", version="1", kind="vector", extract=describe)
"""
PROTOCOL = """
def halves(table, seed):
    {body}

OWN = ProtocolSpec(name="own", version="1", split=halves)
"""


def _model(place: Place, body: str, *words: object) -> None:
    place.keep()
    place.plugin(OWN.format(body=body), "--model", "own", *words)


IMPORTS = {
    "does not parse": ("def (", "SyntaxError"),
    "raises": ("1 / 0", "ZeroDivisionError"),
    "exits": ("sys.exit(0)", "exit"),
    "raises what is no Exception": ("raise type('Base', (BaseException,), {})('base')", "Base"),
    "imports what is absent": ("import no_such_package", "no_such_package"),
    "recurses": ("f = lambda: f()\nf()", "RecursionError"),
    "declares nothing": ("", "declares no spec"),
    "is binary": ("\0", "plug"),
}
for title, (source, says) in IMPORTS.items():

    @case("plug-ins", f"a file that {title}", NAMED, says)
    def _(place: Place, source=source):
        place.plugin(source, "--model", "plug")


SPECS = {
    "a name that is None": "name=None, accepts='vector', build=print",
    "a name that is a number": "name=7, accepts='vector', build=print",
    "an empty name": "name='', accepts='vector', build=print",
    "a name with NUL": "name='a\\0b', accepts='vector', build=print",
    "a name that is a path": "name='../../escape', accepts='vector', build=print",
    "an unknown kind of input": "name='plug', accepts='smell', build=print",
    "params that are None": "name='plug', accepts='vector', build=print, params=None",
    "params that are a list": "name='plug', accepts='vector', build=print, params=[1]",
    "a build that is None": "name='plug', accepts='vector', build=None",
    "a version that is a number": "name='plug', accepts='vector', build=print, version=3",
    "features that are None": "name='plug', accepts='vector', build=print, features=None",
}
for title, words in SPECS.items():

    @case("plug-ins", f"a spec with {title}", NAMED, "plug")
    def _(place: Place, words=words):
        place.plugin(f"PLUG = ModelSpec({words})", "--model", "plug")


BODIES = {
    "exits with status 0": "sys.exit(0)",
    "exits at once": "os._exit(3)",
    "kills itself": "os.kill(os.getpid(), 9)",
    "crashes": "import ctypes; ctypes.string_at(0)",
    "raises KeyboardInterrupt": "raise KeyboardInterrupt",
    "recurses": "(lambda f: f(f))(lambda f: f(f))",
    "forks and kills its parent": "os.fork() == 0 and (os.kill(os.getppid(), 9), time.sleep(600))",
}
for title, body in BODIES.items():

    @case("plug-ins", f"a model that {title}", ROW, "cells failed")
    def _(place: Place, body=body):
        _model(place, body)


HARMLESS = {
    "changes the folder": "os.chdir('/')",
    "closes stdout": "sys.stdout.close()",
    "closes file 1 and 2": "os.close(1); os.close(2)",
    "prints 10 MB": "print('x' * 10_000_000)",
    "forks, and the child goes on": "os.fork()",
    "leaves a child behind": "os.fork() or time.sleep(600)",
    "leaves a thread behind": "__import__('threading').Thread(target=time.sleep, args=(600,)).start()",
    "handles every signal": "import signal; [signal.signal(n, signal.SIG_IGN) for n in (2, 15)]",
    "sets a recursion limit": "sys.setrecursionlimit(10**6)",
    "empties the environment": "os.environ.clear()",
}
for title, body in HARMLESS.items():

    @case("plug-ins", f"a model that {title}", HEALED)
    def _(place: Place, body=body):
        _model(place, body)
        _expect_rows(place)


def _expect_rows(place: Place) -> None:
    """Every cell has exactly one file, finished, in the place where results belong."""
    found = statuses(place.cells)
    strays = [path for path in place.folder.rglob("*.parquet") if "cells" in path.parts and path not in place.cells]
    if found != ["ok"] * (CELLS + 3) or strays:
        raise RuntimeError(f"cells: {found}, strays: {strays}")
    _nothing_left(place)


AT_IMPORT = {
    "changes the folder": "os.chdir('/')",
    "closes stdout": "sys.stdout.close(); sys.stderr.close()",
    "closes file 1 and 2": "os.close(1); os.close(2)",
    "ignores Ctrl-C": "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)",
    "forks": "if os.fork() == 0:\n    time.sleep(0.1)",
}
for title, source in AT_IMPORT.items():

    @case("plug-ins", f"a file that on import {title}", HEALED)
    def _(place: Place, source=source):
        place.keep()
        place.plugin(source + "\n" + OWN.format(body="pass"), "--model", "own")
        _expect_rows(place)


FEATURES = {
    "exits": ("sys.exit(0)", "SystemExit|exit"),
    "dies": ("os._exit(0)", "died"),
    "raises what is no Exception": ("raise type('Base', (BaseException,), {})('base')", "Base"),
    "gives NaN": ("return np.array([np.nan])", "finite"),
    "gives another number of values each time": ("return np.ones(np.random.randint(1, 99))", "shape"),
    "gives text": ("return 'many'", "own"),
    "gives None": ("return None", "own"),
    "gives an empty array": ("return np.zeros(0)", "own"),
}
for title, (body, says) in FEATURES.items():

    @case("plug-ins", f"a feature set that {title}", ROW, f"(?=.*{says}).*cells failed")
    def _(place: Place, body=body):
        place.keep()
        place.plugin(FEATURE.format(body=body), "--features", "own")


for title in ("changes the folder", "closes stdout", "forks, and the child goes on"):

    @case("plug-ins", f"a feature set that {title}", HEALED)
    def _(place: Place, title=title):
        place.keep()
        place.plugin(FEATURE.format(body=HARMLESS[title]), "--features", "own")


PROTOCOLS = {
    "raises": ("raise ValueError('no')", "no"),
    "exits": ("sys.exit(0)", "exit"),
    "gives None": ("return None", "own"),
    "gives text": ("return ['a', 'b']", "own"),
    "gives unknown ids": ("return [Split('1', ('x/1',), ('x/2',))]", "own"),
    "gives no split": ("return []", "own"),
    "gives one fold twice": ("s = Split('1', tuple(table['id'][:9]), tuple(table['id'][9:])); return [s, s]", "own"),
    "gives a fold named None": ("return [Split(None, tuple(table['id'][:9]), tuple(table['id'][9:]))]", "own"),
    "gives an empty side": ("return [Split('1', (), tuple(table['id']))]", ""),
}
for title, (body, says) in PROTOCOLS.items():

    @case("plug-ins", f"a protocol that {title}", NAMED, says)
    def _(place: Place, body=body):
        place.keep()
        place.plugin(PROTOCOL.format(body=body), "--protocol", "own")


ANSWERS = {
    "None": "None",
    "probabilities of another shape": "np.ones((2, 2))",
    "NaN": "np.full((len(X), 3), np.nan)",
    "text": "'high'",
    "complex numbers": "np.full((len(X), 3), 1j)",
}
for title, value in ANSWERS.items():

    @case("plug-ins", f"a model that answers with {title}", ROW, "cells failed")
    def _(place: Place, value=value):
        place.keep()
        source = OWN.format(body="self.predict_proba = lambda X: " + value)
        place.plugin(source, "--model", "own")


LOOPS = {
    "loops": "while True: time.sleep(0.1)",
    "loops in C": "sum(iter(int, 1))",
    "loops and catches everything": "exec('while True:\\n try:\\n  time.sleep(1)\\n except BaseException: pass')",
    "waits for a child that loops": "os.fork() == 0 and time.sleep(600); os.wait()",
    "starts a program that runs on": "import subprocess; subprocess.run(['sleep', '600'])",
    "forks a child that is dead to its group": "os.fork() == 0 and (os.setsid(), time.sleep(600)); os.wait()",
}
for title, body in LOOPS.items():

    @case("plug-ins", f"a model that {title}, under --cell-timeout 2", ROW, "cells failed")
    def _(place: Place, body=body):
        _model(place, body, "--cell-timeout", 2)
        _nothing_left(place)

    @case("plug-ins", f"a model that {title}, and Ctrl-C", STOPPED)
    def _(place: Place, body=body):
        begun = place.folder / "begun"
        place.write("plug.py", "import pathlib\n" + _SOURCE(f"pathlib.Path({str(begun)!r}).touch()\n        {body}"))
        place.keep()
        words = ("run", "tiny.yaml", "--jobs", "1", "--no-tracking", "--plugin", "plug.py", "--model", "own")
        place.interrupted(*words, ready=begun.exists)
        _nothing_left(place)


def _SOURCE(body: str) -> str:  # noqa: N802
    from hostile.place import MODEL

    return MODEL + OWN.format(body=body)


def _nothing_left(place: Place) -> None:
    """No process of the case may live on; each has the place's folder as its own or in its environment."""
    mark = os.fsencode(f"SERBENCH_CACHE={place.folder}/cache")
    patience = time.monotonic() + 10
    while (left := _marked(mark)) and time.monotonic() < patience:
        time.sleep(0.2)
    for process in left:
        os.kill(process, 9)
    if left:
        raise RuntimeError(f"{len(left)} processes were left behind")


def _marked(mark: bytes) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if mark in path.read_bytes() and "Z" not in (path.parent / "stat").read_text().rpartition(")")[2][:3]:
                found.append(int(path.parent.name))
    return found


@case("plug-ins", "a feature set that loops, under --cell-timeout 2", ROW, "(?=.*2 s).*cells failed")
def _(place: Place):
    place.keep()
    source = FEATURE.format(body="while True: time.sleep(0.1)")
    place.plugin(source, "--features", "own", "--cell-timeout", 2)


@case("plug-ins", "a feature set that loops, and Ctrl-C", STOPPED)
def _(place: Place):
    from hostile.place import MODEL

    begun = place.folder / "begun"
    body = f"open({str(begun)!r}, 'w').close()\n    while True: time.sleep(0.1)"
    place.write("plug.py", MODEL + FEATURE.format(body=body))
    words = ("run", "tiny.yaml", "--jobs", "1", "--no-tracking", "--plugin", "plug.py", "--features", "own")
    place.interrupted(*words, ready=begun.exists)


@case("plug-ins", "a protocol that loops, and Ctrl-C", STOPPED)
def _(place: Place):
    from hostile.place import MODEL

    begun = place.folder / "begun"
    body = f"open({str(begun)!r}, 'w').close()\n    while True: time.sleep(0.1)"
    place.write("plug.py", MODEL + PROTOCOL.format(body=body))
    words = ("run", "tiny.yaml", "--jobs", "1", "--no-tracking", "--plugin", "plug.py", "--protocol", "own")
    place.interrupted(*words, ready=begun.exists)


@case("plug-ins", "a suite's timeout: 2 and a model that loops", ROW, "cells failed")
def _(place: Place):
    place.write("tiny.yaml", place.suite.read_text() + "timeout: 2\n")
    place.plugin(OWN.format(body="while True: time.sleep(0.1)"), "--model", "own")


@case("plug-ins", "check of a file that exits", NAMED, "exit")
def _(place: Place):
    place.cli("check", place.write("plug.py", "import sys\nsys.exit(0)\n"))


@case("plug-ins", "check of a model that exits", ROW, "FAILED")
def _(place: Place):
    from hostile.place import MODEL

    place.cli("check", place.write("plug.py", MODEL + OWN.format(body="sys.exit(0)")))


@case("plug-ins", "check of a YAML file", NAMED)
def _(place: Place):
    place.cli("check", "tiny.yaml")
