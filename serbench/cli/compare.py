"""`serbench compare`: is one row really better than another?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from serbench.cli.console import show
from serbench.cli.options import Results, circumstances
from serbench.errors import ResultsError, UsageError

if TYPE_CHECKING:
    import pandas as pd


def compare(
    a: Annotated[str | None, typer.Argument(help="A row, as for `serbench show`.")] = None,
    b: Annotated[str | None, typer.Argument(help="Another row on the same utterances.")] = None,
    suite: Annotated[str | None, typer.Option("--suite", help="Look in this suite; alone: compare all rows.")] = None,
    style: Annotated[str, typer.Option("--format", "-f", help="table or json.")] = "table",
    results: Results = None,
) -> None:
    """Compare two rows: difference of UAR with its interval, and a permutation test over speakers.

    With --suite alone, all rows under each protocol: Friedman's test over speakers, and each row against the best by
    the test of all pairs that the leaderboard's marks and rank
    intervals come from.
    """
    from serbench.reporting.loading import load_suites

    if style not in ("table", "json"):
        raise UsageError(f"unknown format '{style}'", where="--format", hint="one of: table, json")
    if (a is None) != (b is None) or (a is None and suite is None):
        raise UsageError("name two rows, or a suite", hint="serbench compare A B, or serbench compare --suite SUITE")
    records = load_suites(circumstances(results=results).results, suite)
    if a is None:
        _compare_suite(records, style)
    else:
        _compare_pair(records, (a, b), style)


def _compare_pair(records: pd.DataFrame, wanted: tuple[str, str], style: str) -> None:
    from serbench.reporting.comparison import compare_rows, comparison_lines, protocols_apart
    from serbench.reporting.lookup import find_cells, path_of
    from serbench.reporting.text_tables import to_json

    found = [find_cells(records, name) for name in wanted]
    names = tuple(f"{cells['row'].iloc[0]} {path_of(cells).iloc[0]}" for cells in found)
    result, apart = compare_rows(*found, names=names), protocols_apart(*found)
    if style == "json":
        show(to_json({"a": names[0], "b": names[1], "protocols_apart": apart, **result}))
    else:
        show("\n".join(comparison_lines(names, result, apart)))


def _compare_suite(records: pd.DataFrame, style: str) -> None:
    from serbench.reporting.comparison import compare_all
    from serbench.reporting.groups import comparable_groups
    from serbench.reporting.text_tables import to_json

    groups, results = comparable_groups(records), []
    for title, rows in groups.items():
        try:
            results.append({"group": title, **compare_all(rows)})
        except ResultsError as error:
            # One protocol that cannot be tested leaves the others as they are.
            results.append({"group": title, "testable": False, "reason": error.what})
    if style == "json":
        show(to_json(results))
    else:
        for result in results:
            _print_group(result)


def _print_group(result: dict) -> None:
    from serbench.reporting.comparison import p_text
    from serbench.reporting.text_tables import rank_interval, to_terminal

    if "reason" in result:
        print(f"{result['group']}: not testable: {result['reason']}\n")
        return
    rows = []
    for row in sorted(result["rows"], key=lambda row: -row["uar"]):
        best = row["name"] == result["best"]
        p = "best" if best else "not testable" if row["p"] is None else p_text(row["p"])
        other = f" (audio {row['audio']})" if "audio" in row else ""
        rows.append((row["name"] + other, f"{100 * row['uar']:.1f}", f"{row['rank']:.2f}", rank_interval(row), p))
    columns = ("row", "UAR %", "mean rank", "rank, 95 %", "against the best")
    show(to_terminal(columns, rows, title=result["group"]), width=160)
    print(f"{_friedman(result)}; {result['speakers']} speakers swapped in all pairs of rows, 5 % over the board\n")


def _friedman(result: dict) -> str:
    from serbench.reporting.comparison import p_text

    if not result["testable"]:
        return f"not testable: {result['speakers']} speakers, 6 are needed"
    if result["friedman"] is None:
        return "two rows: no Friedman test"
    return f"Friedman over speakers: chi² = {result['friedman']['statistic']:.1f}, {p_text(result['friedman']['p'])}"
