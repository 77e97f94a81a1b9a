"""Paper tables as LaTeX (booktabs), Markdown, CSV and HTML."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from itertools import groupby

from serbench.reporting import text_tables
from serbench.reporting.papers.table import MISSING, Column, Entry, PaperTable
from serbench.reporting.text_tables import tex, to_tabular, writer_named

DOCUMENT = r"""\documentclass[10pt]{article}
\usepackage[a4paper,landscape,margin=15mm]{geometry}
\usepackage[utf8]{inputenc}
\usepackage{booktabs}
\usepackage{graphicx}
\begin{document}
%s
\end{document}
"""


def write_paper(tables: Sequence[PaperTable], style: str, *, document: bool = False) -> str:
    """Write tables in one of `FORMATS`.

    Parameters
    ----------
    document : bool
        For LaTeX: a document that compiles by itself instead of `table` environments to be included in one (which
        then loads booktabs and graphicx).

    Raises
    ------
    UsageError
        For another format.
    """
    write = writer_named(style, {**_WRITERS, "csv": to_csv})
    if style == "csv":
        return write(tables)
    text = "\n".join(map(write, tables))
    return DOCUMENT % text if document and style == "latex" else text


def to_latex(table: PaperTable) -> str:
    """A `table` environment with booktabs rules; shrunk to the width of the text where it is wider."""
    alignment = "".join("l" if column.words else "r" for column in table.columns)
    groups = [_latex_groups(table.columns)] if any(column.group for column in table.columns) else []
    rows = [[_latex_entry(entry) for entry in row] for row in table.rows]
    tabular = to_tabular(alignment, [tex(column.name) for column in table.columns], rows, groups)
    notes = " ".join(tex(note) for note in table.notes)
    lines = [
        r"\begin{table}[htbp]",
        r"\centering",
        rf"\caption{{{tex(table.caption)}}}",
        rf"\label{{{table.label}}}",
        r"\setbox0=\hbox{%",
        tabular + "}",
        # Only what is too wide is shrunk: a small table keeps the size of the text.
        r"\ifdim\wd0>\linewidth\resizebox{\linewidth}{!}{\box0}\else\leavevmode\box0\fi",
        *([rf"\par\smallskip{{\footnotesize\raggedright {notes}\par}}"] if notes else []),
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def to_markdown(table: PaperTable) -> str:
    """A Markdown table under its caption."""
    head = [f"{column.group}: {column.name}" if column.group else column.name for column in table.columns]
    rule = [" :-- " if column.words else " --: " for column in table.columns]
    body = text_tables.to_markdown(head, [[_markdown_entry(entry) for entry in row] for row in table.rows], rule)
    notes = ["", *(f"{note}  " for note in table.notes)] if table.notes else []
    return "\n".join([f"**{table.caption}**", "", body, *notes]) + "\n"


def to_csv(tables: Sequence[PaperTable]) -> str:
    """Numbers alone: an estimate and its bounds are three columns; several tables are told apart by their caption."""
    import pandas as pd

    frames = []
    for table in tables:
        records = [_csv_row(table.columns, row) for row in table.rows]
        frame = pd.DataFrame(records)
        frames.append(frame.assign(table=table.caption) if len(tables) > 1 else frame)
    return text_tables.to_csv(pd.concat(frames, ignore_index=True))


def to_html(table: PaperTable) -> str:
    """A `table` element with caption, header scopes and notes."""
    groups = ""
    if any(column.group for column in table.columns):
        cells = "".join(
            f'<th colspan="{size}" scope="colgroup">{html.escape(name)}</th>' for name, size in _spans(table.columns)
        )
        groups = f"<tr>{cells}</tr>\n"
    head = "".join(f'<th scope="col">{html.escape(column.name)}</th>' for column in table.columns)
    body = "\n".join(
        "<tr>" + "".join(_html_entry(entry, first=not number) for number, entry in enumerate(row)) + "</tr>"
        for row in table.rows
    )
    notes = "".join(f"<p>{html.escape(note)}</p>\n" for note in table.notes)
    return (
        f"<table>\n<caption>{html.escape(table.caption)}</caption>\n<thead>\n{groups}<tr>{head}</tr>\n</thead>\n"
        f"<tbody>\n{body}\n</tbody>\n</table>\n{notes}"
    )


_WRITERS: dict[str, Callable[[PaperTable], str]] = {"latex": to_latex, "md": to_markdown, "html": to_html}
FORMATS = (*_WRITERS, "csv")
SUFFIXES = {"latex": "tex", "md": "md", "html": "html", "csv": "csv"}


def _spans(columns: Sequence[Column]) -> list[tuple[str, int]]:
    return [(name, len(list(members))) for name, members in groupby(columns, key=lambda column: column.group)]


def _latex_groups(columns: Sequence[Column]) -> str:
    cells, rules, start = [], [], 1
    for name, size in _spans(columns):
        cells.append(rf"\multicolumn{{{size}}}{{c}}{{{tex(name)}}}")
        if name:
            rules.append(rf"\cmidrule(lr){{{start}-{start + size - 1}}}")
        start += size
    return " & ".join(cells) + r" \\ " + "".join(rules)


def _latex_entry(entry: Entry) -> str:
    text = tex(entry.text)
    text = rf"\textbf{{{text}}}" if entry.bold else text
    return text + "".join(rf"\rlap{{$^{{{tex(mark).strip('$')}}}$}}" for mark in entry.mark)


def _markdown_entry(entry: Entry) -> str:
    return (f"**{entry.text}**" if entry.bold else entry.text) + entry.mark


def _html_entry(entry: Entry, *, first: bool) -> str:
    text = html.escape(entry.text)
    text = f"<strong>{text}</strong>" if entry.bold else text
    mark = f"<sup>{entry.mark}</sup>" if entry.mark else ""
    return f'<th scope="row">{text}{mark}</th>' if first else f"<td>{text}{mark}</td>"


def _csv_row(columns: Sequence[Column], row: Sequence[Entry]) -> dict[str, object]:
    values: dict[str, object] = {}
    for column, entry in zip(columns, row, strict=True):
        name = f"{column.group}: {column.name}" if column.group else column.name
        if column.words:
            values[name] = "" if entry.text == MISSING else entry.text
        else:
            values |= {f"{name}{part}": value for part, value in zip(column.parts, entry.numbers, strict=True)}
    return values
