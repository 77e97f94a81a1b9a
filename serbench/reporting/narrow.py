"""Tables on narrow terminals: whole columns give way, never the digits of those that stay."""

from __future__ import annotations

from collections.abc import Sequence

KEPT = ("#", "model", "UAR %", "95 %", "row")
# The first to give way; columns that are not named here follow from the right, the feature set comes last.
FIRST = ("macro-F1", "size", "accuracy", "fit s", "validation", "classes")
LAST = "features"
GAP = 2


def fitting_columns(columns: Sequence[str], lines: Sequence[Sequence[str]], width: int) -> list[int]:
    """Positions of the columns of a leaderboard that a terminal has room for.

    Parameters
    ----------
    columns : sequence of str
        Headings.
    lines : sequence of sequences of str
    width : int
        Characters.
    """
    widths = {name: max(len(name), *(len(str(line[at])) for line in lines), 0) + GAP for at, name in enumerate(columns)}
    rest = [name for name in reversed(columns) if name not in (*KEPT, *FIRST, LAST)]
    for name in (*(name for name in FIRST if name in widths), *rest, LAST):
        if sum(widths.values()) - GAP <= width:
            break
        widths.pop(name, None)
    return [at for at, name in enumerate(columns) if name in widths]
