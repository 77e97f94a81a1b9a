"""Where tables are printed."""

from __future__ import annotations

import sys


def make_console(width: int = 200):
    """A rich console for standard output; piped into a file, it is `width` columns wide, so that nothing is cut."""
    from rich.console import Console

    return Console() if sys.stdout.isatty() else Console(width=width)
