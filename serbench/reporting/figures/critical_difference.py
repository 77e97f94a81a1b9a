"""Critical-difference diagram: mean ranks over speakers, and which rows a test does not tell apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from serbench.errors import ResultsError
from serbench.reporting.comparison import predictions_of
from serbench.reporting.figures.canvas import new_figure, panels
from serbench.reporting.figures.kind import FigureKind, SuiteView
from serbench.reporting.figures.names import cells_of, honest_groups, row_name
from serbench.scoring.paired import same_utterances, speaker_uars
from serbench.scoring.ties import ALPHA, FEWEST_TESTABLE

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

# More rows than this differ in rank by chance alone in most pairs, and their labels run into one another.
MOST_ROWS = 12
FEWEST_ROWS = 3


def draw(view: SuiteView) -> Figure:
    """Draw the mean rank of each row over speakers; bars join rows that do not differ.

    Pairs are tested after Nemenyi on the ranks of Friedman's test (Demšar 2006, JMLR 7), with speakers in the place of
    data sets. Each group shows its best complete rows, twelve at most.
    """
    import scikit_posthocs as posthocs

    scored = [(title, _scores(view, group)) for title, group in honest_groups(view.board)]
    found = [(title, scores) for title, scores in scored if scores is not None]
    if not found:
        raise ResultsError(
            f"no group of {FEWEST_ROWS} complete rows over the same utterances of {FEWEST_TESTABLE} known speakers",
            hint="run more models under one speaker-independent protocol",
        )
    sizes = [0.13 * scores.shape[1] + 0.8 for _, scores in found]
    figure = new_figure(sum(sizes) + 0.3)
    for axes, (title, scores) in zip(panels(figure, sizes), found, strict=True):
        axes.grid(False)
        pairs = posthocs.posthoc_nemenyi_friedman(scores)
        ranks = scores.rank(axis=1, ascending=False).mean()
        posthocs.critical_difference_diagram(ranks, pairs, alpha=ALPHA, ax=axes, label_props={"fontsize": 7})
        axes.set_title(f"{title}: mean rank by UAR over {len(scores)} speakers; joined: no difference at the 5 % level")
    return figure


def _scores(view: SuiteView, group: pd.DataFrame) -> pd.DataFrame | None:
    """UAR of each speaker (rows of the frame) by row of the suite (its columns); None where it cannot be tested."""
    import pandas as pd

    entries = group[group["complete"]].head(MOST_ROWS).to_dict("records")
    if len(entries) < FEWEST_ROWS:
        return None
    answers = [predictions_of(cells_of(view.records, entry)) for entry in entries]
    speakers = set(answers[0].speakers)
    if "" in speakers or len(speakers) < FEWEST_TESTABLE:
        return None
    if not all(same_utterances(answers[0], other) for other in answers):
        return None
    names = _distinct([row_name(entry) for entry in entries], [entry["row"] for entry in entries])
    return pd.DataFrame(np.column_stack([speaker_uars(item) for item in answers]), columns=names)


def _distinct(names: list[str], rows: list[str]) -> list[str]:
    return [f"{name} {row}" if names.count(name) > 1 else name for name, row in zip(names, rows, strict=True)]


CRITICAL_DIFFERENCE = FigureKind(
    "critical_difference", "suite", draw, "Which rows differ: mean ranks over speakers, bars join those that do not."
)
