"""The boards that defaults are chosen on, and the tables that say how."""

from __future__ import annotations

from pathlib import Path

BOARDS = {"ravdess_speech": "official", "emodb": "loso"}


def write_table(page: Path, mark: str, table: str) -> None:
    """Replace what stands between ``<!-- mark -->`` and ``<!-- end of mark -->`` of a page."""
    begin, end = f"<!-- {mark} -->", f"<!-- end of {mark} -->"
    before, found, rest = page.read_text(encoding="utf-8").partition(begin)
    _, ended, after = rest.partition(end)
    if not found or not ended:
        raise SystemExit(f"{page} lacks {begin} or {end}")
    page.write_text(f"{before}{begin}\n{table}\n{end}{after}", encoding="utf-8")
