"""Write the committed results into the README: its tables are never typed.

    python docs/fill_readme.py

A block `<!-- rows SUITE PROTOCOL N -->` holds the N best rows of a leaderboard, `<!-- tuned SUITE PROTOCOL -->` those
that were tuned, `<!-- claims -->` the published claims, all from the frozen files; `<!-- end -->` ends a block. A test
holds the README to the same.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pandas as pd

from serbench.reporting.claims import claims_table, format_claims
from serbench.reporting.formats import format_leaderboard
from serbench.reporting.leaderboard import leaderboard
from serbench.reporting.loading import load_finished
from serbench.runner.suite.published import published_claims, published_suites

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"(<!-- (rows|tuned|claims)([^>]*) -->\n).*?(<!-- end -->)", flags=re.DOTALL)


def filled(text: str, results: Path) -> str:
    """The README with every block as the frozen files have it."""
    with tempfile.TemporaryDirectory() as temporary:
        frozen = Path(temporary)
        for path in results.glob("*/frozen.parquet"):
            # Alone: cells of a run on this machine would hide what is committed.
            (frozen / path.parent.name).mkdir()
            shutil.copy(path, frozen / path.parent.name)
        makers = {
            "rows": partial(best_rows, frozen),
            "tuned": partial(tuned_rows, frozen),
            "claims": partial(claims, frozen),
        }
        return BLOCK.sub(lambda found: _block(found, makers), text)


def _block(found: re.Match, makers: dict[str, Callable[..., str]]) -> str:
    head, kind, words, end = found.groups()
    return f"{head}{makers[kind](*words.split())}\n{end}"


def best_rows(results: Path, suite: str, protocol: str, number: str) -> str:
    """The first rows of a suite's leaderboard under one protocol."""
    return _table(_board(results, suite, protocol).head(int(number)))


def tuned_rows(results: Path, suite: str, protocol: str) -> str:
    """The tuned rows of a suite's leaderboard under one protocol."""
    board = _board(results, suite, protocol)
    return _table(board[(board["trials"] > 0) & board["complete"]])


def _board(results: Path, suite: str, protocol: str) -> pd.DataFrame:
    board = leaderboard(load_finished(results, [suite]))
    return board[board["protocol"] == protocol]


def _table(board: pd.DataFrame) -> str:
    return "\n".join(line for line in format_leaderboard(board, "md").splitlines() if line.startswith("|"))


def claims(results: Path) -> str:
    """The published claims that report a number."""
    suites = published_suites()
    told = [claim for claim in published_claims(suites) if claim["reported"] is not None]
    return format_claims(claims_table(told, load_finished(results, [suite.name for suite in suites])), "md")


if __name__ == "__main__":
    readme = ROOT / "README.md"
    readme.write_text(filled(readme.read_text(encoding="utf-8"), ROOT / "results"), encoding="utf-8")
