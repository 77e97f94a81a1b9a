"""Where tables are printed, and what is said beside them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


def make_console(width: int = 200):
    """A rich console for standard output; piped into a file, it is `width` columns wide, so that nothing is cut."""
    from rich.console import Console

    return Console() if sys.stdout.isatty() else Console(width=width)


def show(output: Any, width: int = 200) -> None:
    """Print a text as it is, or a rich table on a console of `make_console`."""
    if isinstance(output, str):
        print(output.rstrip("\n"))
    else:
        make_console(width).print(output, highlight=False)


def tell_origins(records: pd.DataFrame) -> None:
    """Say on standard error which rows were run here and which are the committed ones."""
    from serbench.reporting.origin import origins

    for line in origins(records):
        print(f"serbench: {line}", file=sys.stderr)
