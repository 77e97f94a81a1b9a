"""One look for all figures: colour-blind safe, readable in print, vector text kept as text."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from serbench.errors import UsageError
from serbench.records import atomic_path

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FORMATS = ("pdf", "svg", "png")
WIDTH = 7.2
DPI = 200
# Characters of a row's name beside an axis.
NAME_WIDTH = 44
# Wong's palette (Nature Methods 8, 2011): told apart by colour-blind readers, and of different lightness in print.
BLUE, ORANGE, GREEN, PURPLE, GREY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#666666"
SEQUENCE = (BLUE, ORANGE, GREEN, PURPLE, "#E69F00", "#56B4E9", "#000000", "#8C6D31", "#7A7A7A", "#B2182B")
MARKERS = "osD^vPX<>*phd"
# By standing, as in the leaderboard: the honest colour is the same everywhere.
STANDING_COLOURS = {
    "speaker-independent": BLUE,
    "enrolled": PURPLE,
    "transductive": GREEN,
    "not speaker-independent": ORANGE,
}
STANDING_MARKERS = {"speaker-independent": "o", "enrolled": "D", "transductive": "^", "not speaker-independent": "s"}


@contextmanager
def theme() -> Iterator[None]:
    """Settings within which figures are drawn and saved; matplotlib's own are untouched afterwards."""
    import matplotlib
    import seaborn

    settings = {
        **seaborn.axes_style("ticks"),
        **seaborn.plotting_context("paper"),
        "font.family": "DejaVu Sans",
        "axes.grid": True,
        "axes.axisbelow": True,
        "grid.color": "#DDDDDD",
        "grid.linewidth": 0.6,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.titlesize": 9,
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "axes.labelsize": 8.5,
        "xtick.labelsize": 8,
        "ytick.labelsize": 8,
        "legend.fontsize": 8,
        "legend.frameon": False,
        "pdf.fonttype": 42,
        "svg.fonttype": "none",
        "svg.hashsalt": "serbench",
        # Labels and names are the user's: a dollar sign in them is one.
        "text.parse_math": False,
    }
    with matplotlib.rc_context(settings):
        yield


def new_figure(height: float, *, width: float = WIDTH, layout: str | None = "constrained") -> Figure:
    """An empty figure in inches, laid out so that nothing overlaps, unless `layout` is None."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout=layout)
    FigureCanvasAgg(figure)
    return figure


def save(figure: Figure, path: Path) -> Path:
    """Write a figure in the format that the suffix of its path names; equal figures give equal files.

    Raises
    ------
    UsageError
        For another suffix than those in `FORMATS`.
    ResultsError
        If the file cannot be written.
    """
    path = Path(path)
    style = path.suffix[1:].lower()
    if style not in FORMATS:
        hint = f"end the file's name with one of: {', '.join(FORMATS)}"
        raise UsageError(f"no figure format '{path.suffix}'", where=str(path), hint=hint)
    undated = {"pdf": {"CreationDate": None}, "svg": {"Date": None}, "png": {"Software": None}}[style]
    with theme(), atomic_path(path) as temporary:
        figure.savefig(temporary, format=style, dpi=DPI, metadata=undated, bbox_inches="tight", pad_inches=0.05)
    return path


def panels(figure: Figure, heights: Sequence[float]) -> list[Axes]:
    """Panels below one another, of relative heights."""
    grid = figure.add_gridspec(len(heights), 1, height_ratios=list(heights))
    return [figure.add_subplot(grid[number, 0]) for number in range(len(heights))]


def plain_grid(axes: Axes, axis: str = "x") -> None:
    """Grid lines along one axis alone."""
    axes.grid(False)
    axes.grid(True, axis=axis)


def name_rows(axes: Axes, places: Sequence[float], names: Sequence[str]) -> None:
    """Name the rows at some heights; long names take two lines, so that the data keep their room."""
    folded = [textwrap.fill(name, max(NAME_WIDTH, len(name) // 2 + 8), break_long_words=False) for name in names]
    axes.set_yticks(places, folded)
    for label in axes.get_yticklabels():
        if "\n" in label.get_text():
            label.set(fontsize=6.5, linespacing=1.0)


def horizontal_boxes(axes: Axes, groups: Sequence[Sequence[float]], names: Sequence[str], *, outliers: bool) -> None:
    """One box per group, the first on top: quartiles, median, whiskers within 1.5 times the box."""
    places = list(range(len(groups), 0, -1))
    axes.boxplot(
        list(groups), orientation="horizontal", positions=places, widths=0.6, showfliers=outliers, patch_artist=True,
        boxprops={"facecolor": "#CFE3F1", "edgecolor": GREY, "linewidth": 0.9},
        medianprops={"color": "black", "linewidth": 1.2}, whiskerprops={"color": GREY}, capprops={"color": GREY},
        flierprops={"marker": ".", "markersize": 2.5, "markeredgecolor": GREY},
    )  # fmt: skip
    name_rows(axes, places, names)
    axes.set_ylim(0.4, len(groups) + 0.6)
    plain_grid(axes)
