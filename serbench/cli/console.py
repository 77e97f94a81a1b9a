"""Where tables are printed."""

from __future__ import annotations

import sys


def make_console():
    """A rich console for standard output; piped into a file, tables keep their full width: nothing is cut."""
    from rich.console import Console

    return Console() if sys.stdout.isatty() else Console(width=200)
