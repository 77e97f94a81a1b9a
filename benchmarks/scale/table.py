"""The table that a script of this folder prints, and writes as a page where it is told to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from serbench.reporting.text_tables import to_markdown


def show(columns: Sequence[str], rows: Sequence[Sequence[str]], page: Path | None, title: str, command: str) -> None:
    """Print a table whose numbers stand to the right; a page also has its title and the command that made it."""
    rules = ["---:" if rows[0][place][:1].isdigit() else "---" for place in range(len(columns))]
    table = to_markdown(columns, rows, rules)
    print(table)
    if page:
        page.write_text(f"# {title}\n\nWritten by `python {command}`.\n\n{table}\n", encoding="utf-8")
