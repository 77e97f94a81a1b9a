"""Running a user's code: where it exits, forks, changes the folder or closes streams, the program goes on as before."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from serbench.errors import SerbenchError

_STREAMS = {1: "stdout", 2: "stderr"}


class Escaped(SerbenchError):
    """Code of a plug-in that tried to end the program, or that does not end."""


@contextmanager
def contained(*, seconds: int | None = None) -> Iterator[None]:
    """Undo what foreign code does to the process, whatever way it ends.

    The working folder, standard output, standard error and the answer to Ctrl-C are as before; a child that it forked
    and that comes back ends here, so that nothing is done twice.

    Parameters
    ----------
    seconds : int, optional
        Time limit, in the main thread alone; elsewhere there is none.

    Raises
    ------
    Escaped
        If the code exits, raises what is no `Exception`, or takes longer. A real Ctrl-C passes.
    """
    process, folder = os.getpid(), Path.cwd()
    on_interrupt = signal.getsignal(signal.SIGINT)
    copies = {number: os.dup(number) for number in _STREAMS if _is_open(number)}
    try:
        with _limited(seconds):
            yield
    except (Exception, GeneratorExit):
        raise
    except KeyboardInterrupt:
        # Workers ignore Ctrl-C: there the code itself has raised it.
        if on_interrupt is not signal.SIG_IGN:
            raise
        raise Escaped("it raises KeyboardInterrupt") from None
    except SystemExit as error:
        raise Escaped(f"it exits (SystemExit: {error.code})") from error
    except BaseException as error:
        raise Escaped(f"it raises {type(error).__name__}, which is no Exception: {error}") from error
    finally:
        if os.getpid() != process:
            os._exit(0)
        os.chdir(folder)
        _restore_streams(copies)
        if threading.current_thread() is threading.main_thread() and on_interrupt is not None:
            signal.signal(signal.SIGINT, on_interrupt)


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def _restore_streams(copies: dict[int, int]) -> None:
    for number, copy in copies.items():
        if not (_is_open(number) and os.path.sameopenfile(number, copy)):
            os.dup2(copy, number)
        os.close(copy)
        stream = getattr(sys, _STREAMS[number])
        if stream is None or stream.closed:
            setattr(sys, _STREAMS[number], os.fdopen(number, "w", buffering=1, closefd=False, errors="replace"))


@contextmanager
def _limited(seconds: int | None) -> Iterator[None]:
    if seconds is None or threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_) -> None:
        raise Escaped(f"it takes longer than {seconds} s")

    previous = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, previous)
