"""Shut a process off from the files that it has no business with.

Two locks: an audit hook of the interpreter, which names what was tried, and where the kernel has it (Linux from 5.13)
Landlock, which also binds libraries that open files themselves and processes that are started from here.
"""

from __future__ import annotations

import ctypes
import os
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path

# linux/landlock.h: numbers of the system calls (the same on every architecture) and bits of access rights.
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
NO_NEW_PRIVILEGES, PATH_BENEATH, VERSION_REQUEST = 38, 1, 1
EXECUTE, READ_FILE, READ_DIR, REFER, TRUNCATE = 1 << 0, 1 << 2, 1 << 3, 1 << 13, 1 << 14
FIRST_VERSION = (1 << 13) - 1
SYSTEM = ("/usr", "/lib", "/lib64", "/bin", "/etc", "/proc", "/sys", "/dev", "/opt")
READING = ("open", "os.listdir", "os.scandir")


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


def seal(readable: Iterable[Path], writable: Path) -> list[str]:
    """Let this process, from now on, read nothing but Python, the system and `readable`, and write below `writable`.

    It cannot be undone.

    Returns
    -------
    list of str
        Grows by each path that is tried in vain.
    """
    program = {sys.prefix, sys.base_prefix, sys.exec_prefix, *sysconfig.get_paths().values(), *SYSTEM}
    allowed = [str(Path(place).resolve()) for place in (*program, *readable, writable) if Path(place).exists()]
    tried: list[str] = []
    for name in ("home", "tmp"):
        (writable / name).mkdir(exist_ok=True)
    os.environ |= {"HOME": str(writable / "home"), "TMPDIR": str(writable / "tmp")}
    os.chdir(writable)
    _landlock(allowed, str(writable.resolve()))
    roots = tuple(place if place == os.sep else place + os.sep for place in allowed)
    # Else every import would look into folders that are shut, and be taken for somebody who tries to read them.
    sys.path[:] = [place for place in sys.path if (os.path.realpath(place) + os.sep).startswith(roots)]

    def watch(event: str, arguments: tuple) -> None:
        if event not in READING or not arguments or not isinstance(arguments[0], (str, bytes, os.PathLike)):
            return
        path = os.path.realpath(os.fsdecode(arguments[0]))
        if (path + os.sep).startswith(roots) or not os.path.exists(path):  # noqa: PTH110 - a Path costs too much here
            return
        tried.append(path)
        raise PermissionError(f"sealed: {path} may not be read here")

    sys.addaudithook(watch)
    return tried


def _landlock(readable: Iterable[str], writable: str) -> None:
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    version = libc.syscall(CREATE_RULESET, None, 0, VERSION_REQUEST)
    if version < 1:
        return
    everything = FIRST_VERSION | (REFER if version > 1 else 0) | (TRUNCATE if version > 2 else 0)
    handled = ctypes.c_uint64(everything)
    ruleset = libc.syscall(CREATE_RULESET, ctypes.byref(handled), ctypes.sizeof(handled), 0)
    if ruleset < 0:
        return
    rights = {place: EXECUTE | READ_FILE | READ_DIR for place in readable} | {writable: everything, "/dev": everything}
    for place, allowed in rights.items():
        if not Path(place).is_dir():
            allowed &= EXECUTE | READ_FILE
        parent = os.open(place, os.O_PATH | os.O_CLOEXEC)
        rule = _PathBeneath(allowed, parent)
        libc.syscall(ADD_RULE, ruleset, PATH_BENEATH, ctypes.byref(rule), 0)
        os.close(parent)
    libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    libc.syscall(RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)
