"""Write a suite's whole report: tables, figures and the page that links them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from serbench.errors import SerbenchError, UsageError
from serbench.records import atomic_path
from serbench.reporting.figures.canvas import FORMATS, save
from serbench.reporting.figures.catalogue import draw, kinds
from serbench.reporting.figures.kind import FigureKind, SuiteView
from serbench.reporting.figures.views import corpus_view, recorded, row_view
from serbench.reporting.leaderboard import leaderboard
from serbench.reporting.loading import load_records
from serbench.reporting.origin import origins
from serbench.reporting.page.render import write_page
from serbench.reporting.papers.make import ENROLMENT, ROW_KINDS, TEXT, enrolment_paper, row_paper, suite_paper
from serbench.reporting.papers.writers import SUFFIXES

if TYPE_CHECKING:
    import pandas as pd

    from serbench.circumstances import Circumstances
    from serbench.specs import CorpusSpec

PARTS = ("tables", "figures", "page")
Said = Callable[[str], None]
# Name of the file, kind, and what opens its view.
Planned = tuple[str, FigureKind, Callable[[], Any]]


def write_report(
    suite: str,
    circumstances: Circumstances,
    *,
    parts: Sequence[str] = PARTS,
    styles: Sequence[str] = FORMATS,
    claims: Sequence[Mapping[str, Any]] = (),
    corpora: Mapping[str, CorpusSpec] | None = None,
    said: Said = lambda line: None,
) -> Path:
    """Write ``results/<suite>/report``.

    Parameters
    ----------
    suite : str
        A suite with results.
    circumstances : Circumstances
        Where results are, and the corpora for the three figures that need them.
    parts : sequence of str
        Of `PARTS`.
    styles : sequence of str
        Formats of the figures.
    claims : sequence of mapping
        Rows of `claims_table` that the page shows.
    corpora : mapping, optional
        Cards of the corpora that the suite's file describes, by name.
    said : callable
        Told where the rows come from, then what was left out, and why, line by line.

    Returns
    -------
    Path
        The report's folder.

    Raises
    ------
    UnknownName
        If the suite has no results.
    UsageError
        For an unknown part or format.
    ResultsError
        If the folder cannot be written.
    """
    for kind, given, known in (("part", parts, PARTS), ("format", styles, FORMATS)):
        if unknown := sorted(set(given) - set(known)):
            raise UsageError(f"unknown {kind} '{unknown[0]}'", hint=f"one of: {', '.join(known)}")
    records = load_records(circumstances.results, suite)
    for line in origins(records):
        said(line)
    board = leaderboard(records)
    folder = Path(circumstances.results) / suite / "report"
    if "tables" in parts:
        _write_tables(folder / "tables", circumstances.results, records, board, said)
    if "figures" in parts:
        planned = _planned_figures(circumstances, records, board, corpora or {})
        _write_figures(folder / "figures", planned, styles, said)
    if "page" in parts:
        files = sorted(path for name in ("figures", "tables") for path in (folder / name).glob("*.*"))
        write_page(circumstances.results, suite, records=records, board=board, files=files, claims=claims)
    return folder


def best_rows(board: pd.DataFrame) -> Iterator[tuple[str, str]]:
    """Corpus and row id of the best complete row of each corpus and label set, speaker-independent if there is one."""
    complete = board[board["complete"] & board["enrol"].isna()] if len(board) else board
    for _, group in complete.groupby(["corpus", "labels", "options"], sort=False):
        # The leaderboard has the speaker-independent protocols first, and the best row first in each.
        first = group.iloc[0]
        yield first["corpus"], first["row"]


def _write_tables(folder: Path, results: Path, records: pd.DataFrame, board: pd.DataFrame, said: Said) -> None:
    made: dict[str, Callable[[], str]] = {}
    names = ["results"] + (["wide"] if board["corpus"].nunique() > 1 else [])
    for style, suffix in SUFFIXES.items():
        for name in names:
            made[f"{name}.{suffix}"] = lambda name=name, style=style: suite_paper(board, name, style)
        if board["enrol"].notna().any():
            made[f"{ENROLMENT}.{suffix}"] = lambda style=style: enrolment_paper(records, board, style)
    made["results-document.tex"] = lambda: suite_paper(board, "results", "latex", document=True)
    for corpus, row in best_rows(board):
        cells = records[records["row"] == row]
        for kind in ROW_KINDS:
            for style, suffix in SUFFIXES.items():
                made[f"{kind}-{corpus}-{row}.{suffix}"] = lambda cells=cells, kind=kind, style=style: row_paper(
                    results, cells, kind, style
                )
        made[f"per-class-{corpus}-{row}.txt"] = lambda cells=cells: row_paper(results, cells, "per-class", TEXT)
    for name, make in made.items():
        text = _tried(make, f"table {name}", said)
        if text is not None:
            with atomic_path(folder / name) as temporary:
                temporary.write_text(text, encoding="utf-8")


def _write_figures(folder: Path, planned: Iterator[Planned], styles: Sequence[str], said: Said) -> None:
    for name, kind, open_view in planned:
        figure = _tried(lambda kind=kind, open_view=open_view: draw(kind.name, open_view()), f"figure {name}", said)
        for style in styles if figure is not None else ():
            save(figure, folder / f"{name}.{style}")


def _planned_figures(
    circumstances: Circumstances, records: pd.DataFrame, board: pd.DataFrame, corpora: Mapping[str, CorpusSpec]
) -> Iterator[Planned]:
    results = Path(circumstances.results)
    rows = dict(best_rows(board))
    for kind in kinds().values():
        if kind.of == "suite" and (not kind.needs or recorded(records, kind.needs).any()):
            yield kind.name, kind, lambda: SuiteView(records, board)
        elif kind.of == "row":
            for corpus, row in rows.items():
                own = records[records["corpus"] == corpus]
                if kind.needs and not recorded(own, kind.needs).any():
                    continue
                wanted = None if kind.needs else row
                yield (
                    f"{kind.name}-{corpus}",
                    kind,
                    lambda own=own, wanted=wanted, kind=kind: row_view(own, results, wanted, needs=kind.needs),
                )
    by_corpus = records[records["corpus"] != ""].drop_duplicates("corpus")
    for corpus, cell in zip(by_corpus["corpus"], by_corpus["cell"], strict=True):
        view = cache(lambda corpus=corpus, cell=cell: corpus_view(corpus, circumstances, cell=cell, own=corpora))
        for kind in kinds().values():
            if kind.of == "corpus":
                yield f"{kind.name}-{corpus}", kind, view


def _tried(make: Callable[[], Any], name: str, said: Said) -> Any:
    try:
        return make()
    except SerbenchError as error:
        said(f"no {name}: {error.what}")
        return None
