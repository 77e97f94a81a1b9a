"""How long the page of a suite of 300 rows takes, and how large it is.

Run: python benchmarks/speed/report.py
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from leaderboard import write_cells

from serbench.reporting.leaderboard import leaderboard
from serbench.reporting.loading import load_records
from serbench.reporting.page.render import write_page

ROWS = 300


def main() -> None:
    with tempfile.TemporaryDirectory() as temporary:
        results = Path(temporary)
        write_cells(results / "suite", ROWS)
        start = time.perf_counter()
        records = load_records(results, "suite")
        board = leaderboard(records)
        ranked = time.perf_counter()
        page = write_page(results, "suite", records=records, board=board, files=[])
        done = time.perf_counter()
        size = page.stat().st_size / 1e6
        print(
            f"{len(board)} rows of {len(records)} cells: read and ranked in {ranked - start:.1f} s, "
            f"page in {done - ranked:.1f} s, {done - start:.1f} s together, {size:.2f} MB"
        )


if __name__ == "__main__":
    main()
