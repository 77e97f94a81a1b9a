"""Ctrl-C: the first stops after the running cells, the second at once."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable


class Interrupt:
    """Context manager that turns SIGINT into a request to stop.

    Outside the main thread, where no handler can be set, only `stop` stops.
    """

    def __init__(self):
        self.stopped = False
        self._kill: Callable[[], None] = lambda: None
        self._previous = None

    def __enter__(self) -> Interrupt:
        if threading.current_thread() is threading.main_thread():
            self._previous = signal.signal(signal.SIGINT, self._handle)
        return self

    def __exit__(self, *_) -> None:
        if self._previous is not None:
            signal.signal(signal.SIGINT, self._previous)

    def stop(self) -> None:
        """Start nothing more."""
        self.stopped = True

    def on_second(self, kill: Callable[[], None]) -> None:
        """What a second Ctrl-C calls before it raises KeyboardInterrupt."""
        self._kill = kill

    def _handle(self, *_) -> None:
        if self.stopped:
            self._kill()
            raise KeyboardInterrupt
        self.stopped = True
        print("\nstopping after the running cells; Ctrl-C again stops at once", file=sys.stderr, flush=True)
