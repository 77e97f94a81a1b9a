"""A corpus at a glance: how many utterances of each label every speaker has, and how long they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from serbench.reporting.figures.canvas import horizontal_boxes, new_figure
from serbench.reporting.figures.kind import CorpusView, FigureKind

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# More columns than that leave no room for numbers.
MOST_NUMBERED = 26
UNKNOWN = "unknown"


def draw(view: CorpusView) -> Figure:
    """Draw counts per label × speaker above the durations per label."""
    table = view.table
    hours = table["duration"].sum() / 3600
    speakers = table["speaker"].nunique()
    figure = new_figure(0.28 * len(view.labels) * 2 + 2.4)
    synthetic = " (synthetic speech)" if view.name == "synthetic" else ""
    title = f"{view.name}{synthetic}: {len(table)} utterances, {speakers} speakers, {hours:.1f} h"
    figure.suptitle(title, fontsize=9, fontweight="bold", x=0.01, ha="left")
    upper, lower = figure.subplots(2, 1)
    _counts(upper, table, view.labels)
    _durations(lower, table, view.labels)
    return figure


def speaker_names(table: pd.DataFrame) -> pd.Series:
    """Speakers without their recording project where there is only one."""
    names = table["speaker"].replace("", UNKNOWN)
    projects = names.str.rpartition("/")[0]
    return names.str.rpartition("/")[2] if projects.nunique() == 1 else names


def _counts(axes: Axes, table: pd.DataFrame, labels: tuple[str, ...]) -> None:
    import pandas as pd
    import seaborn

    counts = pd.crosstab(table["label"], speaker_names(table)).reindex(list(labels), fill_value=0)
    numbered = counts.shape[1] <= MOST_NUMBERED
    # Head-room above the largest count, so that a balanced corpus is not a wall of the darkest shade.
    seaborn.heatmap(
        counts, ax=axes, cmap="Blues", vmin=0, vmax=2 * counts.to_numpy().max(), annot=numbered, fmt="d",
        annot_kws={"size": 7}, linewidths=0.4, linecolor="white", cbar=not numbered, yticklabels=True,
        xticklabels=True if numbered else 10, cbar_kws={"label": "utterances"},
    )  # fmt: skip
    axes.set(xlabel="speaker", ylabel="", title="utterances of each label and speaker")
    axes.tick_params(length=0)
    axes.tick_params(axis="x", rotation=0 if counts.columns.str.len().max() <= 3 else 60)
    axes.tick_params(axis="y", rotation=0)


def _durations(axes: Axes, table: pd.DataFrame, labels: tuple[str, ...]) -> None:
    durations = [table.loc[table["label"] == label, "duration"].tolist() for label in labels]
    horizontal_boxes(axes, durations, labels, outliers=True)
    axes.set(xlabel="duration of an utterance (s)", title="durations", xlim=(0, None))


OVERVIEW = FigureKind("overview", "corpus", draw, "Utterances per label and speaker, and durations.")
