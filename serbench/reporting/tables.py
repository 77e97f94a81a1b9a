"""What a suite's results folder carries: leaderboard, per-class report and confusion matrices, and the audit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from serbench.records import atomic_path
from serbench.reporting.audits import audit_lines, audit_summaries
from serbench.reporting.formats import format_leaderboard
from serbench.reporting.leaderboard import leaderboard
from serbench.reporting.loading import load_records
from serbench.reporting.show import report_markdown, row_report
from serbench.reporting.text_tables import to_csv

if TYPE_CHECKING:
    import pandas as pd


# Where a run writes its tables: apart from the committed ones, which `serbench freeze` writes.
RUN = "run"


def write_tables(
    suite_folder: Path, records: pd.DataFrame | None = None, board: pd.DataFrame | None = None, *, below: str = ""
) -> list[Path]:
    """Write `leaderboard` and `rows` (per class and confusion), as CSV and Markdown, and `audit.txt` into a folder.

    Parameters
    ----------
    suite_folder : Path
        ``results/<suite>``.
    records, board : DataFrame, optional
        What `load_records` and `leaderboard` gave for it, where they are at hand.
    below : str
        Folder in the suite's where they go.

    Returns
    -------
    list of Path
        The files written.
    """
    folder = Path(suite_folder)
    records = load_records(folder.parent, folder.name) if records is None else records
    board = leaderboard(records) if board is None else board
    texts = {
        "leaderboard.csv": format_leaderboard(board, "csv"),
        "leaderboard.md": f"# {folder.name}\n\n{format_leaderboard(board, 'md')}",
    }
    texts |= _row_tables(folder.name, records, board)
    audits = [line for summary in audit_summaries(records) for line in audit_lines(summary)]
    texts["audit.txt"] = "".join(f"{line}\n" for line in audits)
    for name, text in texts.items():
        with atomic_path(folder / below / name) as temporary:
            temporary.write_text(text, encoding="utf-8")
    return [folder / below / name for name in texts]


def _row_tables(suite: str, records: pd.DataFrame, board: pd.DataFrame) -> dict[str, str]:
    by_row = dict(list(records.groupby("row", sort=False)))
    reports = [row_report(by_row[entry["row"]], summary=entry) for entry in board.to_dict("records")]
    done = [report for report in reports if report["summary"]["folds_done"]]
    classes = [
        {**_names(report), "class": label, **entry, **_counts(report, label)}
        for report in done
        for label, entry in report["per_class"].items()
    ]
    return {
        "rows.csv": to_csv(classes),
        "rows.md": "\n".join([f"# {suite}, row by row\n", *(report_markdown(report) for report in done)]),
    }


def _names(report: dict) -> dict[str, str]:
    return {name: report["summary"][name] for name in ("row", "corpus", "labels", "protocol", "features", "model")}


def _counts(report: dict, label: str) -> dict[str, int]:
    labels = report["labels"]
    counts = report["confusion"][labels.index(label)]
    return {f"predicted {name}": int(count) for name, count in zip(labels, counts, strict=True)}
