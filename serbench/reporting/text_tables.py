"""The one writer of tables: columns and rows as Markdown, LaTeX, text or on a terminal; records as CSV or JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from serbench.errors import UsageError

if TYPE_CHECKING:
    from rich.table import Table

_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", "–": "--", "·": r"$\cdot$", "†": r"$\dagger$", "…": r"\ldots{}", "−": "$-$", "±": r"$\pm$",
    "×": r"$\times$",
}  # fmt: skip


def writer_named(style: str, writers: Mapping[str, Callable[..., Any]]) -> Callable[..., Any]:
    """The writer of a format.

    Raises
    ------
    UsageError
        For a format that is not among them.
    """
    if style not in writers:
        raise UsageError(f"unknown format '{style}'", where="--format", hint=f"one of: {', '.join(writers)}")
    return writers[style]


def to_markdown(columns: Sequence[str], rows: Sequence[Sequence[str]], rules: Sequence[str] | str = "---") -> str:
    """A Markdown table.

    Parameters
    ----------
    columns : sequence of str
    rows : sequence of sequence of str
        As long as `columns` each.
    rules : sequence of str or str
        What stands below each heading, such as ``:--`` and ``--:``.
    """
    rules = [rules] * len(columns) if isinstance(rules, str) else rules
    lines = [f"| {' | '.join(columns)} |", f"|{'|'.join(rules)}|"]
    return "\n".join([*lines, *(f"| {' | '.join(map(escaped_markdown, row))} |" for row in rows)])


def escaped_markdown(text: str) -> str:
    """Text that stays within its cell."""
    return str(text).replace("|", "\\|").replace("\n", " ")


def to_tabular(alignment: str, head: Sequence[str], rows: Sequence[Sequence[str]], above: Sequence[str] = ()) -> str:
    """A LaTeX `tabular` with booktabs rules; its texts are LaTeX already (`tex`), `above` are lines over the heads."""
    lines = [rf"\begin{{tabular}}{{{alignment}}}", r"\toprule", *above, " & ".join(head) + r" \\", r"\midrule"]
    return "\n".join([*lines, *(" & ".join(row) + r" \\" for row in rows), r"\bottomrule", r"\end{tabular}"])


def tex(text: str) -> str:
    """Text as LaTeX."""
    return "".join(_LATEX.get(letter, letter) for letter in text)


def to_aligned(columns: Sequence[str], rows: Sequence[Sequence[str]], words: int) -> str:
    """Columns of text for a terminal of any width: the first `words` of them to the left, numbers to the right."""
    lines = [columns, *rows]
    widths = [max(len(line[place]) for line in lines) for place in range(len(columns))]

    def aligned(line: Sequence[str]) -> str:
        pairs = zip(line, widths, strict=True)
        texts = [text.ljust(width) if place < words else text.rjust(width) for place, (text, width) in enumerate(pairs)]
        return "  ".join(texts).rstrip()

    return "\n".join(map(aligned, lines))


def to_terminal(
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    title: str | None = None,
    words: Sequence[str] | None = None,
    overflow: str = "ellipsis",
    **layout: Any,
) -> Table:
    """A rich table.

    Parameters
    ----------
    columns : sequence of str
    rows : iterable of sequences
        A text is shown as it stands, brackets and all; a rich `Text` has a style of its own.
    words : sequence of str, optional
        Columns to the left, the first one unless told; numbers stand to the right.
    overflow : str
        What becomes of a word that is wider than its column: ``ellipsis`` or ``fold``.
    **layout
        As for `rich.table.Table`; without lines and with the title to the left unless told.
    """
    from rich.markup import escape
    from rich.table import Table
    from rich.text import Text

    words = columns[:1] if words is None else words
    table = Table(title=title and escape(title), **{"box": None, "title_justify": "left", **layout})
    for name in columns:
        table.add_column(escape(name), justify="left" if name in words else "right", overflow=overflow)
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else Text(str(cell)) for cell in row))
    return table


def to_csv(records: Any, columns: Sequence[str] | None = None) -> str:
    """A table with headings; `records` is a DataFrame or a sequence of mappings."""
    import pandas as pd

    return pd.DataFrame(records, columns=columns).to_csv(index=False, lineterminator="\n")


def to_json(records: Any) -> str:
    """A DataFrame, a sequence of mappings or one of them; what is not known (None, NaN, NA) is null."""
    records = records.to_dict("records") if hasattr(records, "to_dict") else records
    return json.dumps(_plain(records), indent=1, ensure_ascii=False, allow_nan=False)


def percent(value: float) -> str:
    """A share as a percentage with one decimal; a dash where it is unknown."""
    return "–" if is_missing(value) else f"{100 * value:.1f}"


def signed(value: float) -> str:
    """A difference of shares in percentage points, e.g. ``+1.2``; empty where it is unknown."""
    return "" if is_missing(value) else f"{100 * value:+.1f}"


def interval_text(low: float, high: float) -> str:
    """Bounds as percentages, e.g. ``[48.1, 53.0]``."""
    return "" if is_missing(low) or is_missing(high) else f"[{percent(low)}, {percent(high)}]"


def rank_interval(entry: Mapping[str, Any]) -> str:
    """The ranks from `rank_low` to `rank_high`, e.g. ``1–16``; empty where they are unknown."""
    low, high = entry["rank_low"], entry["rank_high"]
    return "" if is_missing(low) or is_missing(high) else f"{low}–{high}"


def first_of(names: Sequence[str], most: int = 6, between: str = ", ") -> str:
    """The first names, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return between.join(names[:most]) + more


def is_missing(value: Any) -> bool:
    """Whether a value is not known: None, NaN or pandas' NA."""
    import pandas as pd

    return value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if is_missing(value):
        return None
    return value.tolist() if hasattr(value, "tolist") else value
