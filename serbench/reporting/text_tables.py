"""The one writer of tables: columns and rows of text as Markdown, LaTeX or aligned text; records as CSV or JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from serbench.errors import UsageError

_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", "–": "--", "·": r"$\cdot$", "†": r"$\dagger$", "…": r"\ldots{}", "−": "$-$", "±": r"$\pm$",
    "×": r"$\times$",
}  # fmt: skip


def writer_named(style: str, writers: Mapping[str, Callable[..., str]]) -> Callable[..., str]:
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


def to_csv(records: Any, columns: Sequence[str] | None = None) -> str:
    """A table with headings; `records` is a DataFrame or a sequence of mappings."""
    import pandas as pd

    return pd.DataFrame(records, columns=columns).to_csv(index=False, lineterminator="\n")


def to_json(records: Sequence[Any] | Mapping[str, Any]) -> str:
    """A list of objects; what is not known must be None."""
    return json.dumps(records, indent=1, ensure_ascii=False, allow_nan=False)
